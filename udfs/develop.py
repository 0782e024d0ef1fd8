"""Develop as async I/O: the Flink side of udfs.developer."""

import gc
from collections.abc import Callable
from typing import Final

from pyflink.common import Row
from pyflink.datastream import AsyncFunction, RuntimeContext

from schemas.codec import Schema
from schemas.record_codecs import dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, ImageStatus, Outcome
from udfs.developer import Developer, DevelopSettings
from udfs.items import item
from udfs.lifeline import end_with_task_manager, is_worker
from udfs.object_store import ObjectStore

# New objects between two collections: 700 take 5 % of a worker's time, 20,000 let failed pictures pile up to 640 MiB.
GARBAGE_THRESHOLD: Final = 3_000


class Develop(AsyncFunction):
    """Item -> item with its status; one that has an outcome already passes through.

    Never raises: PyFlink 2.3 completes an element whose coroutine raised with no result, and a checkpoint taken before
    the error is noticed would lose it. A broken store becomes an item with ``outage``, on which settle raises; no
    checkpoint ever holds such an item, because Flink aligns the barriers of a forward connection.
    """

    def __init__(self, open_store: Callable[[], ObjectStore], settings: DevelopSettings, writers: list[Schema]) -> None:
        self._open_store = open_store
        self._settings = settings
        self._writers = writers

    def open(self, runtime_context: RuntimeContext) -> None:
        self._events = event_codec(self._writers)
        self._statuses = status_codec()
        self._dead_letters = dead_letter_codec()
        end_with_task_manager()
        self._developer = Developer(self._open_store(), self._settings)
        if is_worker():
            gc.freeze()  # what is loaded by now is kept, and need not be looked through again and again
            gc.set_threshold(GARBAGE_THRESHOLD)
        budget = self._developer.budget
        metrics = runtime_context.get_metrics_group()
        metrics.gauge("source_bytes_in_flight", lambda: budget.held_bytes)
        metrics.gauge("source_bytes_in_flight_peak", lambda: budget.peak_bytes)

    def close(self) -> None:
        self._developer.close()

    async def async_invoke(self, value: Row) -> list[Row]:
        if value.event is None or value.status is not None:
            return [value]
        try:
            status = await self._developer.develop(self._events.decode(value.event))
            letter = self._given_up(status, value.event) if status.outcome is Outcome.FAILED else None
            return [item(value.key, value.event, self._statuses.encode(status), letter)]
        except BaseException as error:  # a coroutine that is cancelled would hang the job for ever
            return [item(value.key, event=value.event, outage=f"{type(error).__name__}: {error}")]

    def _given_up(self, status: ImageStatus, payload: bytes) -> bytes:
        failure = status.failures[0]
        return self._dead_letters.encode(
            DeadLetter.of(payload, failure.stage, failure.reason, failure.message, status.job_version, status.event_id)
        )
