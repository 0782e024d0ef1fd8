"""Develop one event: fetch its source, render every preset from one decode, store, remove what that replaces.

A fault of the event or its picture becomes a status; a store that does not answer is asked again with back-off and
then raises StoreUnavailableError. Pictures are decoded in other processes only. Knows nothing of Flink.
"""

import logging
from dataclasses import dataclass
from typing import Any

from schemas.reasons import Reason
from schemas.records import (
    EventKind,
    Failure,
    ImageEvent,
    ImageStatus,
    Outcome,
    Signals,
    SourceFacts,
    Stage,
)
from udfs.course import Course
from udfs.errors import RenderingError, SandboxUnavailableError, SourceError, StoreUnavailableError
from udfs.fetching import Fetching, SourceRules
from udfs.imaging import render as imaging
from udfs.imaging.errors import ImagingError
from udfs.imaging.presets import Presets
from udfs.in_flight import ByteBudget, Turns
from udfs.object_store import ObjectStore
from udfs.patience import Patience
from udfs.sandbox.sandbox import Budget, Sandbox
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
    source_buckets: tuple[str, ...]
    source_wait_s: float
    render_processes: int
    render_memory_bytes: int
    render_cpu_s: int
    render_timeout_s: int
    storage_patience_s: float


class Developer:
    """Develops events, many images at once and one event at a time per image."""

    def __init__(self, store: ObjectStore, settings: DevelopSettings) -> None:
        self._store = store
        self._settings = settings
        self._turns = Turns()
        self._lost: StoreUnavailableError | SandboxUnavailableError | None = None
        self.budget = ByteBudget(settings.bytes_in_flight)
        self._patience = Patience(settings.images_in_flight, settings.storage_patience_s)
        sources = SourceRules(settings.source_buckets, settings.limits.max_source_bytes, settings.source_wait_s)
        self._fetching = Fetching(store, self._patience, self.budget, sources)
        self._storing = Storing(store, settings.derivatives_bucket, self._patience)
        budget = Budget(settings.render_memory_bytes, settings.render_cpu_s, settings.render_timeout_s)
        self._sandbox = Sandbox(settings.presets, settings.limits, settings.render_processes, budget)

    def close(self) -> None:
        """End the rendering processes and the threads; what the store was asked is finished first."""
        self._sandbox.close()
        self._patience.close()

    async def develop(self, event: ImageEvent) -> ImageStatus:
        """Return the status of an admitted event, after everything it names is stored.

        Raises:
            StoreUnavailableError: the store did not answer within the job's patience.
            SandboxUnavailableError: no rendering process can be started.
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
            except RenderingError as error:
                return self._without_derivatives(event, course, Outcome.FAILED, error.reason, str(error))
            except (StoreUnavailableError, SandboxUnavailableError) as error:
                self._lost = error
                raise
            except Exception as error:
                log.exception("developing failed for a reason of our own at stage %s", course.stage)
                message = f"{type(error).__name__} at stage {course.stage}; see the log of the Python worker"
                return self._without_derivatives(event, course, Outcome.FAILED, Reason.INTERNAL_ERROR, message)

    async def _delete(self, event: ImageEvent, course: Course) -> ImageStatus:
        with course.at(Stage.STORE):
            await self._storing.delete(event, course)
        return self._status(event, course, Outcome.DELETED)

    async def _derive(self, event: ImageEvent, course: Course) -> ImageStatus:
        if event.source is None:
            message = "an event that is not a deletion has a source: the record's validation is broken"
            raise TypeError(message)
        course.stage = Stage.RENDER
        presets = self._settings.presets.choose(event.presets, event.user_id, event.attributes)
        focal_point = (event.focal_point.x, event.focal_point.y) if event.focal_point else None
        async with self._fetching.fetched(event, event.source, course) as data:
            with course.at(Stage.RENDER):
                rendering = await self._sandbox.render(data, presets, focal_point, course)
        with course.at(Stage.STORE):
            stored = await self._storing.keep(event, rendering, course)
        return self._derived(event, course, rendering, stored)

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
        return self._status(
            event,
            course,
            outcome,
            derivatives=stored.derivatives,
            manifest=stored.manifest,
            failures=failures,
            source=SourceFacts.model_validate(rendering.source, from_attributes=True),
            signals=Signals.model_validate(rendering.signals, from_attributes=True),
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
