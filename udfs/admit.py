"""Admit, keyed by user: one outcome per event id, newest version per image, and no user at the others' expense.

Keyed state of a user: what is known of the user in one value, and the events that are held back. An event is
judged by its version when it goes on, not when it arrives: what the ledger says has happened, in the order in which
it happened, and an event that is rejected or still held has not.
"""

from collections.abc import Iterator

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from schemas.codec import Schema
from schemas.record_codecs import event_codec
from schemas.records import ImageEvent
from udfs.items import BYTES, item
from udfs.ledger import CLEANUP_INTERVAL_MS, Ledger, Memory, Verdict
from udfs.refusal import Refusals
from udfs.shaping import Rate, Shaping, Turn
from udfs.user_state import UserState, UserStateCodec


class Admit(KeyedProcessFunction):
    """Item -> the item if its event is to be developed, with a status if it is refused, nothing if seen before.

    What a user sends faster than the rate is held and goes on later, in its order, from a timer.
    """

    def __init__(self, writers: list[Schema], memory: Memory, rate: Rate, job_version: str) -> None:
        self._writers = writers
        self._memory = memory
        self._rate = rate
        self._job_version = job_version

    def open(self, runtime_context: RuntimeContext) -> None:
        self._events = event_codec(self._writers)
        self._refusals = Refusals(self._job_version)
        self._users = UserStateCodec(self._writers)
        self._user = runtime_context.get_state(ValueStateDescriptor("user", BYTES))
        self._held = runtime_context.get_map_state(MapStateDescriptor("user-held-events", Types.LONG(), BYTES))
        metrics = runtime_context.get_metrics_group()
        self._verdicts = {verdict: metrics.counter(verdict.name.lower()) for verdict in Verdict}
        self._turns = {Turn.HOLD: metrics.counter("held"), Turn.REJECT: metrics.counter("user_backlog_full")}
        self._largest_state = 0
        self._held_by_user: dict[str, int] = {}  # each such user has a timer, so after a restart it is soon complete
        metrics.gauge("largest_user_state_bytes", lambda: self._largest_state)
        metrics.gauge("held_events", lambda: sum(self._held_by_user.values()))
        metrics.gauge("held_users", lambda: len(self._held_by_user))

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        if value.event is None:
            yield value
            return
        now = ctx.timer_service().current_processing_time()
        user = self._read(now)
        event = self._events.decode(value.event)
        if not user.ledger.note(event.event_id, now, self._memory):
            self._verdicts[Verdict.DUPLICATE].inc()
            return
        out = self._arrive(user, event, value.event, now)
        self._write(user, now, ctx)
        if out is not None:
            yield out

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        clock = ctx.timer_service().current_processing_time()
        due = max(timestamp, clock)
        user = self._read(clock)
        if user.ledger.cleanup_at <= due:
            user.ledger.forget(due)
            user.ledger.cleanup_at = 0
        if user.shaping.release_at <= due:
            user.shaping.release_at = 0
        released = list(self._release(user, clock))
        self._write(user, clock, ctx)
        return iter(released)

    def _arrive(self, user: UserState, event: ImageEvent, record: bytes, now: int) -> Row | None:
        turn = user.shaping.arrive(now, self._rate)
        if turn is Turn.PASS:
            return self._pass_on(user, event, record, now)
        self._turns[turn].inc()
        if turn is Turn.REJECT:
            return item(event.user_id, event=record, status=self._refusals.backlog_full(event, self._rate.max_held))
        self._held.put(user.shaping.hold(), self._events.encode(event))  # in a schema that this job always reads
        return None

    def _release(self, user: UserState, now: int) -> Iterator[Row]:
        while (number := user.shaping.release(now, self._rate)) is not None:
            record = self._held.get(number)
            self._held.remove(number)
            yield self._pass_on(user, self._events.decode(record), record, now)

    def _pass_on(self, user: UserState, event: ImageEvent, record: bytes, now: int) -> Row:
        verdict = user.ledger.judge(event, now, self._memory)
        self._verdicts[verdict].inc()
        status = None if verdict is Verdict.ADMITTED else self._refusals.superseded(event, verdict)
        return item(event.user_id, event=record, status=status)

    def _read(self, now: int) -> UserState:
        return self._users.decode(self._user.value(), now, self._rate)

    def _write(self, user: UserState, now: int, ctx: KeyedProcessFunction.Context) -> None:
        """Keep what is known of the user, or nothing if there is nothing to know, and see to the timers."""
        self._count_held(ctx.get_current_key(), user.shaping.held)
        idle = user.shaping.is_idle(now, self._rate)
        if idle and user.ledger.is_empty:
            self._user.clear()
            return
        if not idle:
            self._set_release(user.shaping, now, ctx)
        self._set_cleanup(user.ledger, now, ctx)
        encoded = self._users.encode(user, idle=idle)
        self._largest_state = max(self._largest_state, len(encoded))
        self._user.update(encoded)

    def _set_release(self, shaping: Shaping, now: int, ctx: KeyedProcessFunction.Context) -> None:
        """Wake up for the next held event, and once more later, for a timer may be lost.

        A checkpoint of PyFlink 2.3 holds the state, but not the timers, of the bundle that its barrier ended. So a time
        that has passed is set again, and a guard is always pending that an earlier bundle has set.
        """
        if not shaping.held:
            return
        at = shaping.next_release(now, self._rate)
        if not now < shaping.release_at <= at:  # none, overdue, or the clock was set back or the rate raised
            shaping.release_at = at
            ctx.timer_service().register_processing_time_timer(at)
        for guard in shaping.set_guards(now):
            ctx.timer_service().register_processing_time_timer(guard)

    def _set_cleanup(self, ledger: Ledger, now: int, ctx: KeyedProcessFunction.Context) -> None:
        """Wake up when the next entry ends; while only a bucket is left to fill, look again in an hour."""
        if ledger.cleanup_at <= now:
            ledger.cleanup_at = ledger.next_cleanup(now) or now + CLEANUP_INTERVAL_MS
            ctx.timer_service().register_processing_time_timer(ledger.cleanup_at)

    def _count_held(self, key: str, held: int) -> None:
        if held:
            self._held_by_user[key] = held
        else:
            self._held_by_user.pop(key, None)
