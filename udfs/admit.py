"""Admit, keyed by user: one outcome per event id, newest version per image. Keyed state: one ledger per user."""

from collections.abc import Iterator

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from schemas.codec import Schema
from schemas.reasons import Reason
from schemas.records import Failure, ImageEvent, ImageStatus, Outcome, Stage, event_codec, status_codec
from udfs.items import item
from udfs.ledger import LedgerCodec, Memory, Verdict

SUPERSEDED = {
    Verdict.NEWER_VERSION_KNOWN: (
        Reason.NEWER_VERSION_KNOWN,
        "version {version} is not newer than one that took effect before",
    ),
    Verdict.IMAGE_DELETED: (Reason.IMAGE_DELETED, "the image was deleted at version {version} or later"),
}


class Admit(KeyedProcessFunction):
    """Item -> the item if its event is to be developed, with a status if it is superseded, nothing if seen before."""

    def __init__(self, writers: list[Schema], memory: Memory, job_version: str) -> None:
        self._writers = writers
        self._memory = memory
        self._job_version = job_version

    def open(self, runtime_context: RuntimeContext) -> None:
        self._events = event_codec(self._writers)
        self._statuses = status_codec()
        self._ledgers = LedgerCodec(self._writers)
        self._ledger = runtime_context.get_state(
            ValueStateDescriptor("user-ledger", Types.PRIMITIVE_ARRAY(Types.BYTE()))
        )
        metrics = runtime_context.get_metrics_group()
        self._verdicts = {verdict: metrics.counter(verdict.name.lower()) for verdict in Verdict}
        self._largest_ledger = 0
        metrics.gauge("largest_user_state_bytes", lambda: self._largest_ledger)

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> Iterator[Row]:
        if value.event is None:
            yield value
            return
        event = self._events.decode(value.event)
        verdict = self._judge(event, ctx)
        self._verdicts[verdict].inc()
        if verdict is Verdict.ADMITTED:
            yield value
        elif verdict in SUPERSEDED:
            yield item(value.key, event=value.event, status=self._superseded(event, verdict))

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[Row]:
        ledger = self._ledgers.decode(self._ledger.value())
        now = max(timestamp, ctx.timer_service().current_processing_time())
        ledger.forget(now)
        ledger.cleanup_at = ledger.next_cleanup(now)
        if ledger.is_empty:
            self._ledger.clear()
        else:
            self._ledger.update(self._ledgers.encode(ledger))
            ctx.timer_service().register_processing_time_timer(ledger.cleanup_at)
        return iter(())

    def _judge(self, event: ImageEvent, ctx: KeyedProcessFunction.Context) -> Verdict:
        ledger = self._ledgers.decode(self._ledger.value())
        now = ctx.timer_service().current_processing_time()
        verdict = ledger.admit(event, now, self._memory)
        if verdict is not Verdict.DUPLICATE:
            if not ledger.cleanup_at:
                ledger.cleanup_at = ledger.next_cleanup(now)
                ctx.timer_service().register_processing_time_timer(ledger.cleanup_at)
            encoded = self._ledgers.encode(ledger)
            self._largest_ledger = max(self._largest_ledger, len(encoded))
            self._ledger.update(encoded)
        return verdict

    def _superseded(self, event: ImageEvent, verdict: Verdict) -> bytes:
        reason, message = SUPERSEDED[verdict]
        return self._statuses.encode(
            ImageStatus(
                event_id=event.event_id,
                kind=event.kind,
                user_id=event.user_id,
                image_id=event.image_id,
                version=event.version,
                outcome=Outcome.SUPERSEDED,
                failures=(Failure(stage=Stage.ADMIT, reason=reason, message=message.format(version=event.version)),),
                job_version=self._job_version,
                traceparent=event.traceparent,
            )
        )
