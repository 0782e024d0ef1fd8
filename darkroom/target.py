"""Where the operator's commands connect: one value, resolved once per command.

Each address comes from its environment variable if that is set, else from the running stack's stack.json, else it is
the default of `darkroom up`. Nothing here connects to anything, and no secret passes through: credentials are a path.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from darkroom.errors import UsageError
from darkroom.stack.layout import Home, home_from
from darkroom.stack.record import Buckets, StackRecord, Topics, read_record

DEFAULT_KAFKA_PORT = 9092
DEFAULT_S3_PORT = 9000
DEFAULT_S3_CONSOLE_PORT = 9001
DEFAULT_FLINK_PORT = 8081
DEFAULT_S3_REGION = "us-east-1"  # what MinIO answers for when it is not told otherwise
AWS_CREDENTIALS = Path("~/.aws/credentials")


@dataclass(frozen=True, slots=True)
class Target:
    """The addresses of one Kafka, one S3 store and one Flink, and the names used there."""

    kafka_bootstrap: str  # host:port, comma separated
    s3_endpoint: str  # URL with scheme
    s3_region: str
    s3_console_url: str | None  # MinIO's web console; None for a store that `up` did not start
    flink_url: str  # URL of the REST API, which is also the web interface
    s3_ca_file: Path | None  # PEM; None: the certificate authorities that the machine trusts
    credentials_file: Path  # AWS shared-credentials file, profile "default"
    job_credentials_file: Path  # the same for the job, whose user may do less
    topics: Topics  # .events .status .dead_letters
    buckets: Buckets  # .images .derivatives .flink
    flink_home: Path | None  # the local stack's Flink distribution; None when Flink is external or was never started
    flink_conf_dir: Path | None  # its effective configuration, for FLINK_CONF_DIR
    proxies: Mapping[str, str] = field(default_factory=dict)  # host:port before "kafka" and "s3", for the job alone


def resolve_target(environment: Mapping[str, str] | None = None) -> Target:
    """Return where to connect; `environment` is the process's own unless a test passes one."""
    env = os.environ if environment is None else environment
    for name in ("DARKROOM_S3_ENDPOINT", "DARKROOM_FLINK_URL"):
        if "@" in env.get(name, ""):
            message = f"{name} has a user or a password in it; keep credentials in AWS_SHARED_CREDENTIALS_FILE"
            raise UsageError(message)
    home = home_from(env)
    record = read_record(home)
    base = target_of(record) if record else _default_target(home)
    target = replace(
        base,
        kafka_bootstrap=env.get("DARKROOM_KAFKA_BOOTSTRAP") or base.kafka_bootstrap,
        s3_region=env.get("DARKROOM_S3_REGION") or base.s3_region,
        s3_ca_file=path_from(env, "DARKROOM_S3_CA_FILE") or base.s3_ca_file,
        topics=topics_from(env, base.topics),
        buckets=buckets_from(env, base.buckets),
    )
    store = env.get("DARKROOM_S3_ENDPOINT", "").rstrip("/")
    if store and store != base.s3_endpoint:
        target = replace(
            target,
            s3_endpoint=store,
            s3_console_url=None,
            credentials_file=external_credentials(env),
            job_credentials_file=external_job_credentials(env),
        )
    if (target.kafka_bootstrap, target.s3_endpoint) != (base.kafka_bootstrap, base.s3_endpoint):
        target = replace(target, proxies={})  # they stand before the parts of the stack, not before these
    flink = env.get("DARKROOM_FLINK_URL", "").rstrip("/")
    if flink and flink != base.flink_url:
        target = replace(target, flink_url=flink, flink_home=None, flink_conf_dir=None)
    return target


def target_of(record: StackRecord) -> Target:
    """Return the addresses of one started stack, whatever the environment says."""
    return Target(
        kafka_bootstrap=record.kafka_bootstrap,
        s3_endpoint=record.s3_endpoint,
        s3_region=record.s3_region,
        s3_console_url=record.s3_console_url,
        flink_url=record.flink_url,
        s3_ca_file=record.s3_ca_file,
        credentials_file=record.credentials_file,
        job_credentials_file=record.job_credentials_file,
        topics=record.topics,
        buckets=record.buckets,
        flink_home=record.flink_home,
        flink_conf_dir=record.flink_conf_dir,
        proxies=record.proxies,
    )


def job_environment(target: Target) -> dict[str, str]:
    """Return the variables that the job's client, the TaskManager and its Python workers need; none is secret."""
    authority = {"DARKROOM_S3_CA_FILE": str(target.s3_ca_file)} if target.s3_ca_file else {}
    return {
        **authority,
        "DARKROOM_KAFKA_BOOTSTRAP": target.proxies.get("kafka", target.kafka_bootstrap),
        "DARKROOM_S3_ENDPOINT": f"http://{target.proxies['s3']}" if "s3" in target.proxies else target.s3_endpoint,
        "DARKROOM_S3_REGION": target.s3_region,
        "DARKROOM_EVENTS_TOPIC": target.topics.events,
        "DARKROOM_STATUS_TOPIC": target.topics.status,
        "DARKROOM_DEAD_LETTERS_TOPIC": target.topics.dead_letters,
        "DARKROOM_DERIVATIVES_BUCKET": target.buckets.derivatives,
        "DARKROOM_SOURCE_BUCKETS": ",".join(target.buckets.sources),
        "AWS_SHARED_CREDENTIALS_FILE": str(target.job_credentials_file),
    }


def external_credentials(environment: Mapping[str, str]) -> Path:
    """Return the credentials file for a store that `up` did not start."""
    return Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or AWS_CREDENTIALS).expanduser()


def external_job_credentials(environment: Mapping[str, str]) -> Path:
    """Return the credentials file of the job for a store that `up` did not start: its own, else the operator's."""
    return path_from(environment, "DARKROOM_JOB_CREDENTIALS_FILE") or external_credentials(environment)


def path_from(environment: Mapping[str, str], name: str) -> Path | None:
    """Return the path that a variable holds, or None when it is not set."""
    return Path(environment[name]).expanduser() if environment.get(name) else None


def topics_from(environment: Mapping[str, str], base: Topics) -> Topics:
    """Return the topic names: the environment's, else those of `base`."""
    return Topics(
        events=environment.get("DARKROOM_EVENTS_TOPIC") or base.events,
        status=environment.get("DARKROOM_STATUS_TOPIC") or base.status,
        dead_letters=environment.get("DARKROOM_DEAD_LETTERS_TOPIC") or base.dead_letters,
    )


def buckets_from(environment: Mapping[str, str], base: Buckets) -> Buckets:
    """Return the bucket names: the environment's, else those of `base`."""
    images = environment.get("DARKROOM_IMAGES_BUCKET") or base.images
    listed = environment.get("DARKROOM_SOURCE_BUCKETS")
    return Buckets(
        images=images,
        sources=tuple(listed.split(",")) if listed else base.sources if images == base.images else (images,),
        derivatives=environment.get("DARKROOM_DERIVATIVES_BUCKET") or base.derivatives,
        flink=environment.get("DARKROOM_FLINK_BUCKET") or base.flink,
    )


def _default_target(home: Home) -> Target:
    return Target(
        kafka_bootstrap=f"127.0.0.1:{DEFAULT_KAFKA_PORT}",
        s3_endpoint=f"http://127.0.0.1:{DEFAULT_S3_PORT}",
        s3_region=DEFAULT_S3_REGION,
        s3_console_url=None,
        flink_url=f"http://127.0.0.1:{DEFAULT_FLINK_PORT}",
        s3_ca_file=None,
        credentials_file=home.credentials,
        job_credentials_file=home.job_credentials,
        topics=Topics(),
        buckets=Buckets(),
        flink_home=None,
        flink_conf_dir=None,
    )
