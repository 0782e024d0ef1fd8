"""Decides what a stack will consist of, from options, environment and what already runs; touches nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from darkroom.stack.layout import Cache, Home
from darkroom.stack.ports import LOOPBACK, choose_internal
from darkroom.stack.record import Buckets, PartName, StackRecord, Topics
from darkroom.target import (
    DEFAULT_FLINK_PORT,
    DEFAULT_KAFKA_PORT,
    DEFAULT_S3_CONSOLE_PORT,
    DEFAULT_S3_PORT,
    DEFAULT_S3_REGION,
    buckets_from,
    external_credentials,
    external_job_credentials,
    path_from,
    topics_from,
)

DEFAULT_PARTITIONS = 8
EXTERNAL = ("DARKROOM_KAFKA_BOOTSTRAP", "DARKROOM_S3_ENDPOINT", "DARKROOM_FLINK_URL")
PROXIES = {"kafka": "kafka-proxy", "s3": "s3-proxy"}
INTERNAL = (
    "kafka-controller",
    "kafka-proxied",  # the listener behind the proxy
    "jobmanager-rpc",
    "jobmanager-blob",
    "zookeeper",
    "toxiproxy",
    *PROXIES.values(),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for; None is "as it runs, or the default"."""

    kafka_port: int | None = None
    s3_port: int | None = None
    s3_console_port: int | None = None
    flink_port: int | None = None
    slots: int | None = None
    partitions: int | None = None
    high_availability: bool = False
    proxied: bool = False


def plan_stack(home: Home, cache: Cache, options: Options, environment: Mapping[str, str]) -> StackRecord:
    """Return the stack to start when none runs."""
    kafka, store, flink = (_address(environment, name) for name in EXTERNAL)
    parts: list[PartName] = []
    parts += [] if store else ["minio"]
    parts += [] if kafka else ["kafka"]
    parts += ["toxiproxy"] if options.proxied else []
    parts += [] if flink else ["jobmanager", "taskmanager"]
    parts += ["zookeeper"] if options.high_availability else []
    kafka_port = options.kafka_port or DEFAULT_KAFKA_PORT
    s3_port = options.s3_port or DEFAULT_S3_PORT
    console_port = options.s3_console_port or DEFAULT_S3_CONSOLE_PORT
    flink_port = options.flink_port or DEFAULT_FLINK_PORT
    public = (kafka_port, s3_port, console_port, flink_port)  # free as well: nothing listens there yet
    internal = dict(zip(INTERNAL, choose_internal(len(INTERNAL), excluded=public), strict=True))
    proxies = PROXIES if options.proxied else {}
    return StackRecord(
        home=home.path,
        parts=tuple(parts),
        kafka_bootstrap=kafka or f"{LOOPBACK}:{kafka_port}",
        s3_endpoint=store or f"http://{LOOPBACK}:{s3_port}",
        s3_region=environment.get("DARKROOM_S3_REGION") or DEFAULT_S3_REGION,
        s3_console_url=None if store else f"http://{LOOPBACK}:{console_port}",
        flink_url=flink or f"http://{LOOPBACK}:{flink_port}",
        s3_ca_file=path_from(environment, "DARKROOM_S3_CA_FILE") if store else None,
        credentials_file=external_credentials(environment) if store else home.credentials,
        job_credentials_file=external_job_credentials(environment) if store else home.job_credentials,
        topics=topics_from(environment, Topics()),
        buckets=buckets_from(environment, Buckets()),
        partitions=options.partitions or DEFAULT_PARTITIONS,
        slots=options.slots or os.cpu_count() or 1,
        flink_home=None if flink else cache.flink,
        flink_conf_dir=None if flink else home.flink_conf,
        kafka_home=None if kafka else cache.kafka,
        zookeeper_home=cache.zookeeper if options.high_availability else None,
        proxies={name: f"{LOOPBACK}:{internal[port]}" for name, port in proxies.items()},
        toxiproxy_url=f"http://{LOOPBACK}:{internal['toxiproxy']}" if options.proxied else None,
        internal_ports=internal,
    )


def differences(record: StackRecord, options: Options, environment: Mapping[str, str]) -> list[str]:
    """Return how the running stack differs from what was asked for; what was not given never differs."""
    running: dict[str, object] = {f"--{name}-port": port for name, port in listening_ports(record).items()}
    running |= {"--slots": record.slots, **_addresses(record)}
    asked: dict[str, object] = {
        "--kafka-port": options.kafka_port,
        "--s3-port": options.s3_port,
        "--s3-console-port": options.s3_console_port,
        "--flink-port": options.flink_port,
        "--slots": options.slots,
        **{name: _address(environment, name) for name in EXTERNAL},
    }
    missing = {
        "--high-availability": options.high_availability and not record.runs("zookeeper"),
        "--proxied": options.proxied and not record.runs("toxiproxy"),
    }
    return [
        f"{flag} was asked for, but the stack already runs without it: run `darkroom down` first."
        for flag, is_missing in missing.items()
        if is_missing
    ] + [
        f"{name}={value} was asked for, but the stack already runs with {running[name]}: run `darkroom down` first."
        for name, value in asked.items()
        if value is not None and name in running and value != running[name]
    ]


def listening_ports(record: StackRecord) -> dict[str, int]:
    """Return the public ports of the parts that run here, by the name used in the options."""
    ports: dict[str, int] = {}
    if record.runs("kafka"):
        ports["kafka"] = port_of(record.kafka_bootstrap)
    if record.runs("minio"):
        ports["s3"] = port_of(record.s3_endpoint)
        ports["s3-console"] = port_of(record.s3_console_url or "")
    if record.runs("jobmanager"):
        ports["flink"] = port_of(record.flink_url)
    return ports


def port_of(address: str) -> int:
    """Return the port of "host:port" or of a URL that names one."""
    port = urlsplit(address if "//" in address else f"//{address}").port
    assert port is not None, address  # noqa: S101 - preflight has refused addresses without a port
    return port


def _address(environment: Mapping[str, str], name: str) -> str | None:
    return environment.get(name, "").rstrip("/") or None


def _addresses(record: StackRecord) -> dict[str, str]:
    return dict(zip(EXTERNAL, (record.kafka_bootstrap, record.s3_endpoint, record.flink_url), strict=True))
