"""The Kafka part, and what any Kafka has to have: three topics."""

import base64
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, RetriableError, TopicAlreadyExistsError

from darkroom.kafka_access import client_options
from darkroom.stack import ports
from darkroom.stack.errors import StackError, UnhealthyError
from darkroom.stack.layout import Home
from darkroom.stack.program import Program
from darkroom.stack.record import StackRecord

HERE = Path(__file__).parent
REQUEST_TIMEOUT_MS = 5_000
RETENTION_MS = 7 * 24 * 3600 * 1000  # a week: long enough to replay what a bad release did
JVM_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")

SINGLE_BROKER_PROPERTIES = """\
# One broker holds the only copy of everything.
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Fifty partitions each are for clusters; every one costs a start and files.
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
# The limit for a producer's transaction.timeout.ms. A transaction that expires while the job is down loses its
# statuses, so the job asks for hours; the default limit of 15 minutes would refuse it.
transaction.max.timeout.ms=86400000
# A misspelt topic is an error, not a new topic.
auto.create.topics.enable=false
# No others will join the group of a reader.
group.initial.rebalance.delay.ms=0
# A quarter of the default: the heap is small.
log.cleaner.dedupe.buffer.size=33554432
"""

SERVER_PROPERTIES = (
    """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{bootstrap},CONTROLLER://127.0.0.1:{controller}{proxied_listener}
advertised.listeners=PLAINTEXT://{bootstrap}{proxied_advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={data}
"""
    + SINGLE_BROKER_PROPERTIES
)


def prepare_broker(record: StackRecord, home: Home, java: Path) -> None:
    """Write the broker's configuration and format its storage if it is new."""
    properties = SERVER_PROPERTIES.format(
        bootstrap=record.kafka_bootstrap,
        controller=record.internal_ports["kafka-controller"],
        **_proxied_listener(record),
        data=home.data / "kafka",
    )
    home.run.mkdir(parents=True, exist_ok=True)
    _properties_file(home).write_text(properties)
    if (home.data / "kafka" / "meta.properties").exists():
        return
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [*_java(record, java), "kafka.tools.StorageTool", "format"]
    command += ["--config", str(_properties_file(home)), f"--cluster-id={cluster_id}"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        reason = (told.stderr or told.stdout).strip().splitlines()[-1:]
        message = f"Kafka's storage in {home.data / 'kafka'} could not be formatted: {' '.join(reason)}"
        raise StackError(message)


def broker_program(record: StackRecord, home: Home, java: Path) -> Program:
    """Return how the broker runs."""
    return Program(
        part="kafka",
        command=(*_java(record, java), *JVM_OPTIONS, "kafka.Kafka", str(_properties_file(home))),
        priority=20,
        stop_wait_seconds=30,  # a controlled shutdown writes the index files, which saves a long recovery
    )


def broker_problem(record: StackRecord) -> str | None:
    """Return why Kafka cannot be used now, or None."""
    first = record.kafka_bootstrap.split(",")[0]
    host, _, port = first.rpartition(":")
    if not ports.answers(host, int(port)):
        return "does not answer"
    try:
        _with_admin(record, lambda admin: admin.describe_cluster())
    except (KafkaError, OSError) as error:
        return f"does not answer ({type(error).__name__})"
    return None


def make_topics(record: StackRecord) -> None:
    """Create the topics that do not exist yet; existing ones are left as they are.

    Raises:
        UnhealthyError: Kafka did not do it in time; it may be asked again.
        StackError: Kafka refuses.

    """
    settings = {"retention.ms": str(RETENTION_MS)}

    def create(admin: KafkaAdminClient) -> None:
        for name in sorted(set(record.topics.names()) - set(admin.list_topics())):
            try:
                topic = NewTopic(name, num_partitions=record.partitions, replication_factor=-1, topic_configs=settings)
                admin.create_topics([topic], wait_for_metadata=True)
            except TopicAlreadyExistsError:
                continue  # another `up` was faster

    try:
        _with_admin(record, create)
    except KafkaError as error:
        message = f"The topics could not be created on {record.kafka_bootstrap}: {error}"
        kind = UnhealthyError if isinstance(error, RetriableError) else StackError
        raise kind(message) from error


def _with_admin(record: StackRecord, use: Callable[[KafkaAdminClient], object]) -> None:
    admin = KafkaAdminClient(
        **client_options(record.kafka_bootstrap),
        request_timeout_ms=REQUEST_TIMEOUT_MS,
        client_id="darkroom-stack",
    )
    try:
        use(admin)
    finally:
        admin.close()


def _proxied_listener(record: StackRecord) -> dict[str, str]:
    """Return the listener behind the proxy; it advertises the proxy, so that no client gets past it."""
    if "kafka" not in record.proxies:
        return {"proxied_listener": "", "proxied_advertised": ""}
    return {
        "proxied_listener": f",PROXIED://{ports.LOOPBACK}:{record.internal_ports['kafka-proxied']}",
        "proxied_advertised": f",PROXIED://{record.proxies['kafka']}",
    }


def _properties_file(home: Home) -> Path:
    return home.run / "kafka.properties"


def _java(record: StackRecord, java: Path) -> tuple[str, ...]:
    logging = f"-Dlog4j2.configurationFile={HERE / 'kafka-log4j2.xml'}"
    return (str(java), "-cp", f"{record.kafka_home}/*", logging)
