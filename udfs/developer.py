"""Develop one event: fetch its source, render every preset from one decode, store, remove what that replaces.

A fault of the event or its picture becomes a status; a store that does not answer is asked again with back-off and
then raises StoreUnavailableError. Knows nothing of Flink.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from schemas.reasons import Reason
from schemas.records import (
    EventKind,
    Failure,
    ImageEvent,
    ImageStatus,
    Outcome,
    Signals,
    Source,
    SourceFacts,
    Stage,
)
from udfs.course import Course
from udfs.errors import SourceChangedError, SourceError, SourceTooLargeError, StoreUnavailableError
from udfs.imaging import render as imaging
from udfs.imaging.errors import ImagingError
from udfs.imaging.presets import Presets
from udfs.in_flight import ByteBudget, Turns
from udfs.object_store import ObjectStore, OpenedSource
from udfs.patience import Patience
from udfs.storing import Stored, Storing

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DevelopSettings:
    """How develop works in one slot."""

    derivatives_bucket: str
    job_version: str
    presets: Presets
    limits: imaging.Limits
    images_in_flight: int
    bytes_in_flight: int
    render_threads: int
    storage_patience_s: float


class Developer:
    """Develops events, many images at once and one event at a time per image."""

    def __init__(self, store: ObjectStore, settings: DevelopSettings) -> None:
        self._store = store
        self._settings = settings
        self._turns = Turns()
        self._lost: StoreUnavailableError | None = None
        self.budget = ByteBudget(settings.bytes_in_flight)
        self._patience = Patience(settings.images_in_flight, settings.storage_patience_s)
        self._storing = Storing(store, settings.derivatives_bucket, self._patience)
        self._renderers = ThreadPoolExecutor(settings.render_threads, "render")

    def close(self) -> None:
        """End the threads; what they are doing is finished first."""
        self._patience.close()
        self._renderers.shutdown(cancel_futures=True)

    async def develop(self, event: ImageEvent) -> ImageStatus:
        """Return the status of an admitted event, after everything it names is stored.

        Raises:
            StoreUnavailableError: the store did not answer within the job's patience.
        """
        course = Course()
        async with self._turns.turn((event.user_id, event.image_id)):
            if self._lost is not None:  # the job is about to restart: those that waited try nothing more
                raise self._lost
            try:
                if event.kind is EventKind.DELETED:
                    return await self._delete(event, course)
                return await self._derive(event, course)
            except SourceError as error:
                return self._without_derivatives(event, course, Outcome.REJECTED, error.reason, str(error))
            except ImagingError as error:
                return self._without_derivatives(event, course, Outcome.REJECTED, Reason(error.reason), str(error))
            except StoreUnavailableError as error:
                self._lost = error
                raise
            except Exception as error:
                log.exception("developing failed for a reason of our own at stage %s", course.stage)
                message = f"{type(error).__name__} at stage {course.stage}; see the log of the Python worker"
                return self._without_derivatives(event, course, Outcome.FAILED, Reason.INTERNAL_ERROR, message)

    async def _delete(self, event: ImageEvent, course: Course) -> ImageStatus:
        async with course.at(Stage.STORE):
            await self._storing.delete(event, course)
        return self._status(event, course, Outcome.DELETED)

    async def _derive(self, event: ImageEvent, course: Course) -> ImageStatus:
        if event.source is None:
            message = "an event that is not a deletion has a source: the record's validation is broken"
            raise TypeError(message)
        course.stage = Stage.RENDER
        presets = self._settings.presets.choose(event.presets, event.user_id, event.attributes)
        focal_point = (event.focal_point.x, event.focal_point.y) if event.focal_point else None
        async with self._fetched(event.source, course) as data, course.at(Stage.RENDER):
            rendering = await asyncio.get_running_loop().run_in_executor(
                self._renderers, imaging.render, data, presets, self._settings.limits, focal_point
            )
        async with course.at(Stage.STORE):
            stored = await self._storing.keep(event, rendering, course)
        return self._derived(event, course, rendering, stored)

    @asynccontextmanager
    async def _fetched(self, source: Source, course: Course) -> AsyncIterator[bytes]:
        async with course.at(Stage.FETCH):
            opened = await self._patience.ask(course, self._open, source)
            await self.budget.acquire(opened.size)
        try:
            async with course.at(Stage.FETCH):
                data = await self._read(source, opened, course)
            yield data
        finally:
            await self.budget.release(opened.size)

    def _open(self, source: Source) -> OpenedSource:
        opened = self._store.open_source(source.bucket, source.key, source.etag)
        if opened.size > self._settings.limits.max_source_bytes:
            opened.close()
            message = (
                f"source {source.bucket}/{source.key} has {opened.size} bytes, "
                f"more than the limit of {self._settings.limits.max_source_bytes}; store a smaller file"
            )
            raise SourceTooLargeError(message)
        return opened

    async def _read(self, source: Source, opened: OpenedSource, course: Course) -> bytes:
        unread = [opened]

        async def attempt() -> bytes:
            current = unread.pop() if unread else await self._patience.run(self._open, source)
            if current.size != opened.size:  # the budget holds the first size
                current.close()
                message = f"source {source.bucket}/{source.key} was replaced while it was read; publish its new version"
                raise SourceChangedError(message)
            return await self._patience.run(current.read)

        return await self._patience.retrying(course, attempt)

    def _derived(
        self,
        event: ImageEvent,
        course: Course,
        rendering: imaging.Rendering,
        stored: Stored,
    ) -> ImageStatus:
        failures = tuple(
            Failure(preset=failure.preset, stage=Stage.RENDER, reason=Reason(failure.reason), message=failure.message)
            for failure in rendering.failures
        )
        outcome = Outcome.READY if not failures else Outcome.PARTIAL if stored.derivatives else Outcome.FAILED
        facts = SourceFacts.model_validate(asdict(rendering.source))
        return self._status(
            event,
            course,
            outcome,
            derivatives=stored.derivatives,
            manifest=stored.manifest,
            failures=failures,
            source=facts,
            signals=Signals.model_validate(asdict(rendering.signals)),
        )

    def _without_derivatives(
        self, event: ImageEvent, course: Course, outcome: Outcome, reason: Reason, message: str
    ) -> ImageStatus:
        failure = Failure(stage=course.stage, reason=reason, message=message)
        return self._status(event, course, outcome, failures=(failure,))

    def _status(self, event: ImageEvent, course: Course, outcome: Outcome, **found: Any) -> ImageStatus:
        return ImageStatus(
            event_id=event.event_id,
            kind=event.kind,
            user_id=event.user_id,
            image_id=event.image_id,
            version=event.version,
            outcome=outcome,
            timings=course.timings(),
            attempts=course.attempts,
            job_version=self._settings.job_version,
            traceparent=event.traceparent,
            **found,
        )
