"""Image events in, image derivatives stored, one status per event out: the whole system on one page.

Deploy with ``flink run -py jobs/derivatives.py``; settings come from the environment (jobs/settings.py).
"""

import sys

from pyflink.common import Configuration, Time
from pyflink.datastream import AsyncDataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from jobs import __version__
from jobs.cluster_limits import ClusterLimits
from jobs.ends import Ends, KafkaEnds
from jobs.settings import Settings, SettingsError, read_settings
from jobs.streams import in_bundles_of, key_by_user, still_by_user
from udfs.admit import Admit
from udfs.decode_event import DecodeEvent
from udfs.develop import Develop
from udfs.items import DEAD_LETTERS, ITEM, KEY_VALUE
from udfs.settle import Settle

JOB_NAME = "darkroom: image derivatives"
MAX_PARALLELISM = 4096  # the number of key groups: part of the state format, fixed for ever
QUICK_BUNDLE = 32  # events; each bundle costs the same round trips, and what comes out of one finds room in a buffer


def build(env: StreamExecutionEnvironment, ends: Ends, settings: Settings) -> None:
    """Wire the graph between its ends."""
    env.set_max_parallelism(MAX_PARALLELISM)
    writers = settings.writers

    records = ends.events(env)
    # bytes: one Avro record

    items = (
        records.map(DecodeEvent(writers, __version__), ITEM)
        .name("decode the record")
        .uid("decode")
        .set_description("Avro bytes -> a valid event, or a dead letter with its reason")
    )
    # item(key, event) | item(key, dead_letter)

    in_bundles_of(QUICK_BUNDLE, items)
    by_user = key_by_user(items)

    admitted = (
        by_user.process(Admit(writers, settings.memory, settings.rate, __version__), ITEM)
        .name("admit the event")
        .uid("admit")
        .set_description(
            "per user: drop ids seen before, hold back a flood, supersede versions that are not the newest"
        )
    )
    in_bundles_of(QUICK_BUNDLE, admitted)
    # item(key, event) | item(key, event, status=SUPERSEDED or REJECTED) | item(key, dead_letter)

    developed = (
        AsyncDataStream.unordered_wait(
            still_by_user(admitted),
            Develop(ends.open_store, settings.develop, writers),
            timeout=Time.seconds(
                0
            ),  # the job's own patience ends every wait; Flink's timer would cost a thread per item
            capacity=settings.images_in_flight,
            output_type=ITEM,
        )
        .name("develop the image")
        .uid("develop")
        .set_description("fetch the source, render every preset from one decode, store, remove what that replaces")
    )
    in_bundles_of(settings.images_in_flight, developed)
    # item(key, event, status) | item(.., status=FAILED, dead_letter) | item(.., outage) | item(key, dead_letter)

    statuses = (
        developed.process(Settle(), KEY_VALUE)
        .start_new_chain()  # counters are lost in the chain of an async operator
        .name("settle the outcome")
        .uid("settle")
        .set_description("the one outcome -> statuses and dead letters; an outage of the store restarts the job")
    )
    in_bundles_of(QUICK_BUNDLE, statuses)
    # row(key, value): the encoded status; side output row(key, value): the encoded dead letter

    ends.statuses(statuses)
    ends.dead_letters(
        statuses.get_side_output(DEAD_LETTERS)
        .name("take the dead letters")
        .uid("settle-dead-letters")
        .set_description("the dead letters of the outcomes")
    )


def cluster_limits(env: StreamExecutionEnvironment) -> ClusterLimits:
    """Read from the effective configuration what the settings must agree with."""
    effective = Configuration(j_configuration=env._j_stream_execution_environment.getConfiguration())
    parse = get_gateway().jvm.org.apache.flink.util.TimeUtils.parseDuration

    def milliseconds(key: str, default: str) -> int:
        return int(parse(effective.get_string(key, default)).toMillis())

    return ClusterLimits(
        checkpoint_interval_ms=milliseconds("execution.checkpointing.interval", "0"),
        checkpoint_timeout_ms=milliseconds("execution.checkpointing.timeout", "10 min"),
        restart_max_backoff_ms=milliseconds("restart-strategy.exponential-delay.max-backoff", "1 min"),
    )


def main() -> None:
    """Read the settings, make the real ends, build and execute."""
    env = StreamExecutionEnvironment.get_execution_environment()
    try:
        settings = read_settings()
        settings.check(cluster_limits(env))
    except SettingsError as error:
        sys.exit(f"darkroom: {error}")
    build(env, KafkaEnds(settings), settings)
    env.execute(JOB_NAME)


if __name__ == "__main__":
    main()
