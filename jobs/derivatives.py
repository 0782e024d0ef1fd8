"""Image events in, image derivatives stored, one status per event out: the whole system on one page.

Deploy with ``flink run -py jobs/derivatives.py``; settings come from the environment (jobs/settings.py).
"""

import sys

from pyflink.common import Configuration, Time, Types
from pyflink.datastream import AsyncDataStream, DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from jobs import __version__
from jobs.cluster_limits import ClusterLimits
from jobs.ends import Ends, KafkaEnds
from jobs.settings import Settings, SettingsError, read_settings
from udfs.admit import Admit
from udfs.decode_event import DecodeEvent
from udfs.develop import Develop
from udfs.items import DEAD_LETTERS, ITEM, KEY_VALUE
from udfs.settle import Settle

JOB_NAME = "darkroom: image derivatives"
MAX_PARALLELISM = 4096  # the number of key groups: part of the state format, fixed for ever


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

    by_user = key_by_user(items)

    admitted = (
        by_user.process(Admit(writers, settings.memory, settings.rate, __version__), ITEM)
        .name("admit the event")
        .uid("admit")
        .set_description(
            "per user: drop ids seen before, hold back a flood, supersede versions that are not the newest"
        )
    )
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
    # item(key, event, status) | item(.., status=FAILED, dead_letter) | item(.., outage) | item(key, dead_letter)

    statuses = (
        developed.process(Settle(), KEY_VALUE)
        .start_new_chain()  # counters are lost in the chain of an async operator
        .name("settle the outcome")
        .uid("settle")
        .set_description("the one outcome -> statuses and dead letters; an outage of the store restarts the job")
    )
    # row(key, value): the encoded status; side output row(key, value): the encoded dead letter

    ends.statuses(statuses)
    ends.dead_letters(
        statuses.get_side_output(DEAD_LETTERS)
        .name("take the dead letters")
        .uid("settle-dead-letters")
        .set_description("the dead letters of the outcomes")
    )


def key_by_user(items: DataStream) -> KeyedStream:
    """Key items by user; names the hidden map that PyFlink adds, as every operator needs a uid."""
    keyed = items.key_by(lambda item: item.key, Types.STRING())
    hidden_map = keyed._j_data_stream.getTransformation().getInputs()[0]
    hidden_map.setUid("key-by-user")
    hidden_map.setName("key by user")
    hidden_map.setDescription("all events of a user to one slot, in their order")
    return keyed


def still_by_user(admitted: DataStream) -> DataStream:
    """Send items on through the network, to the slot where their user's events are, without keying the next step.

    Chained, admit and develop would share their bundles, and an event to be held would wait for images that are
    developed. A forward connection parts them too, but its barriers wait behind everything in its buffers.
    """
    jvm = get_gateway().jvm
    keyed = admitted._j_data_stream.keyBy(jvm.KeyByKeySelector(), Types.ROW([Types.STRING()]).get_java_type_info())
    plain = jvm.org.apache.flink.streaming.api.datastream.DataStream
    return DataStream(plain(keyed.getExecutionEnvironment(), keyed.getTransformation()))


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
