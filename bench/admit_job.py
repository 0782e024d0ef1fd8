"""The two jobs of bench/state.py: decode and admit alone between two topics, and one that fills admit's state.

Run by `flink run --python` with `measure`, or with `fill USERS EVENT_IDS`; settings come from the environment as the
real job's do. What `fill` writes is read by the operators of the real job: same uid, same state, same timers.
"""

import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from pyflink.common import Row, Types, WatermarkStrategy
from pyflink.common.serialization import RowFieldExtractorSchema
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.fn_execution.state_impl import RemoteKeyedStateBackend

from jobs import __version__
from jobs.derivatives import MAX_PARALLELISM, QUICK_BUNDLE
from jobs.ends import KafkaEnds
from jobs.settings import Settings, read_settings
from jobs.streams import in_bundles_of, key_by_user
from udfs.admit import Admit
from udfs.decode_event import DecodeEvent
from udfs.items import ITEM, item
from udfs.ledger import ImageMark, Ledger, Memory
from udfs.packed_table import ID_BYTES
from udfs.shaping import EVENT, Rate, Shaping
from udfs.user_state import UserState, UserStateCodec

EVENT_OF_ITEM = 1  # the place of the event's bytes in an item
TIMES_AROUND = 2001  # odd: of two readers that share the numbers, the second starts at half the users


class Fill(KeyedProcessFunction):
    """Writes what admit would remember of a user after so many events, each of another image."""

    def __init__(self, events: int, memory: Memory, rate: Rate) -> None:
        self._events = events
        self._memory = memory
        self._rate = rate

    def open(self, runtime_context: RuntimeContext) -> None:
        """Get the state by the name that admit gives it."""
        _write_without_waiting()
        self._filled: set[str] = set()
        self._users = UserStateCodec()
        of_bytes = Types.PRIMITIVE_ARRAY(Types.BYTE())  # BYTES holds a Java object: it cannot travel with the class
        self._user = runtime_context.get_state(ValueStateDescriptor("user", of_bytes))
        numbers = [number.to_bytes(ID_BYTES, "big") for number in range(self._events)]
        now = round(time.time() * 1000)
        self._template = Ledger(
            dict.fromkeys(numbers, now + self._memory.event_ms),
            dict.fromkeys(numbers, ImageMark(1, True, now + self._memory.image_ms)),
        )

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        """Write the state of one user, once; the ids are random, as hashes are."""
        if value.key in self._filled:
            return iter(())
        self._filled.add(value.key)
        now = ctx.timer_service().current_processing_time()
        ledger = self._template
        for table in (ledger.seen_events, ledger.images):
            table.ids = os.urandom(ID_BYTES * self._events)
        ledger.cleanup_at = now + self._memory.event_ms
        shaping = Shaping(self._rate.burst * EVENT - EVENT, now)
        self._user.update(self._users.encode(UserState(ledger, shaping), idle=False))
        ctx.timer_service().register_processing_time_timer(ledger.cleanup_at)
        return iter(())


def _write_without_waiting() -> None:
    """Let PyFlink wait for the answers to its writes at the end of a bundle, and not clear what was never written.

    That fills in a third of the time. A bundle still ends only when all of its writes are answered.
    """
    answers: list[Any] = []
    wait_for_each = RemoteKeyedStateBackend.commit

    def write(state: Any) -> None:
        if state is not None and state._added_elements:
            coder = state._value_coder.get_impl()
            answers.append(state._state_handler.extend(state._state_key, coder, state._added_elements))
            state._cleared, state._added_elements = False, []

    def commit(backend: Any) -> None:
        wait_for_each(backend)
        for answer in answers:
            answer.get()
        answers.clear()

    RemoteKeyedStateBackend.commit_internal_state = staticmethod(write)
    RemoteKeyedStateBackend.commit = commit


def measure(env: StreamExecutionEnvironment, settings: Settings) -> None:
    """Wire decode and admit as jobs/derivatives.py does; what is admitted goes to the topic of the statuses."""
    items = KafkaEnds(settings).events(env).map(DecodeEvent(settings.writers, __version__), ITEM)
    admit = Admit(settings.writers, settings.memory, settings.rate, __version__)
    in_bundles_of(QUICK_BUNDLE, items)
    by_user = key_by_user(items.name("decode the record").uid("decode"))
    admitted = by_user.process(admit, ITEM).name("admit the event").uid("admit")
    record = KafkaRecordSerializationSchema.builder().set_topic(settings.status_topic)
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(settings.kafka_bootstrap)
        .set_record_serializer(record.set_value_serialization_schema(RowFieldExtractorSchema(EVENT_OF_ITEM)).build())
        .set_delivery_guarantee(DeliveryGuarantee.NONE)
        .build()
    )
    in_bundles_of(QUICK_BUNDLE, admitted)
    admitted.sink_to(sink).name("write what is admitted").uid("admitted")


def fill(env: StreamExecutionEnvironment, settings: Settings, users: int, events: int) -> None:
    """Write the state of every user again and again, until the job is stopped with a savepoint."""
    numbers = NumberSequenceSource(0, users * TIMES_AROUND - 1)
    stream = env.from_source(numbers, WatermarkStrategy.no_watermarks(), "count", Types.LONG()).uid("numbers")
    items = stream.map(lambda number: item(f"user-{number % users}"), ITEM).name("name the user").uid("users")
    filling = Fill(events, settings.memory, settings.rate)
    key_by_user(items).process(filling, ITEM).name("fill the state").uid("admit")


def main() -> None:
    """Build one of the jobs and execute it."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_max_parallelism(MAX_PARALLELISM)
    what, *numbers = sys.argv[1:]
    if what == "fill":
        fill(env, read_settings(), *map(int, numbers))
    else:
        measure(env, read_settings())
    env.execute(f"bench: {' '.join(sys.argv[1:])}")


if __name__ == "__main__":
    main()
