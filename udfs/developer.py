"""Develop one event: fetch its source, render every preset from one decode, store, remove what that replaces.

A fault of the event or its picture becomes a status; a store that does not answer is asked again with back-off and
then raises StoreUnavailableError. Knows nothing of Flink.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from schemas.keys import derivative_key, image_prefix, replaced_keys
from schemas.reasons import Reason
from schemas.records import (
    Derivative,
    EventKind,
    Failure,
    ImageEvent,
    ImageStatus,
    Outcome,
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

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_MAX_WAIT_S = 5


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
        self._io = ThreadPoolExecutor(settings.images_in_flight, "storage")
        self._renderers = ThreadPoolExecutor(settings.render_threads, "render")

    def close(self) -> None:
        """End the threads; what they are doing is finished first."""
        self._io.shutdown(cancel_futures=True)
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
        bucket = self._settings.derivatives_bucket
        async with course.at(Stage.STORE):
            keys = await self._ask(course, self._store.list_keys, bucket, image_prefix(event.user_id, event.image_id))
            await self._ask(course, self._store.remove, bucket, keys)
        return self._status(event, course, Outcome.DELETED)

    async def _derive(self, event: ImageEvent, course: Course) -> ImageStatus:
        if event.source is None:
            message = "an event that is not a deletion has a source: the record's validation is broken"
            raise TypeError(message)
        course.stage = Stage.RENDER
        presets = self._settings.presets.choose(event.presets)
        async with self._fetched(event.source, course) as data, course.at(Stage.RENDER):
            loop = asyncio.get_running_loop()
            rendering = await loop.run_in_executor(
                self._renderers, imaging.render, data, presets, self._settings.limits
            )
        async with course.at(Stage.STORE):
            stored = await self._put_all(event, rendering, course)
            await self._remove_replaced(event, stored, course)
        return self._derived(event, course, rendering, stored)

    @asynccontextmanager
    async def _fetched(self, source: Source, course: Course) -> AsyncIterator[bytes]:
        async with course.at(Stage.FETCH):
            opened = await self._ask(course, self._open, source)
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
            current = unread.pop() if unread else await self._run(self._open, source)
            if current.size != opened.size:  # the budget holds the first size
                current.close()
                message = f"source {source.bucket}/{source.key} was replaced while it was read; publish its new version"
                raise SourceChangedError(message)
            return await self._run(current.read)

        return await self._retrying(course, attempt)

    async def _put_all(self, event: ImageEvent, rendering: imaging.Rendering, course: Course) -> tuple[Derivative, ...]:
        puts = (self._put(event, rendering.source.sha256, made, course) for made in rendering.derivatives)
        stored: list[Derivative] = []
        for result in await asyncio.gather(*puts, return_exceptions=True):  # all: one that ends later undoes a delete
            if isinstance(result, BaseException):
                raise result
            stored.append(result)
        return tuple(stored)

    async def _put(self, event: ImageEvent, source_sha256: str, made: imaging.Derivative, course: Course) -> Derivative:
        bucket = self._settings.derivatives_bucket
        preset = made.preset
        key = derivative_key(
            event.user_id, event.image_id, event.version, preset.name, preset.recipe_fingerprint, made.extension
        )
        headers = {
            "Content-Type": made.content_type,
            "x-amz-meta-sha256": made.sha256,
            "x-amz-meta-source-sha256": source_sha256,
            "x-amz-meta-preset": f"{preset.name}@{preset.version}",
            **({"Cache-Control": preset.cache_control} if preset.cache_control else {}),
        }
        await self._ask(course, self._store.put, bucket, key, made.data, headers)
        return Derivative(
            preset=preset.name,
            preset_version=preset.version,
            bucket=bucket,
            key=key,
            width=made.width,
            height=made.height,
            format=made.format,
            bytes=len(made.data),
            sha256=made.sha256,
        )

    async def _remove_replaced(self, event: ImageEvent, stored: tuple[Derivative, ...], course: Course) -> None:
        bucket = self._settings.derivatives_bucket
        prefix = image_prefix(event.user_id, event.image_id)
        existing = await self._ask(course, self._store.list_keys, bucket, prefix)
        replaced = replaced_keys(existing, [derivative.key for derivative in stored])
        if replaced:
            await self._ask(course, self._store.remove, bucket, replaced)

    def _derived(
        self,
        event: ImageEvent,
        course: Course,
        rendering: imaging.Rendering,
        stored: tuple[Derivative, ...],
    ) -> ImageStatus:
        failures = tuple(
            Failure(preset=failure.preset, stage=Stage.RENDER, reason=Reason(failure.reason), message=failure.message)
            for failure in rendering.failures
        )
        outcome = Outcome.READY if not failures else Outcome.PARTIAL if stored else Outcome.FAILED
        facts = SourceFacts.model_validate(asdict(rendering.source))
        return self._status(event, course, outcome, derivatives=stored, failures=failures, source=facts)

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

    async def _ask(self, course: Course, call: Callable[..., T], *args: object) -> T:
        return await self._retrying(course, lambda: self._run(call, *args))

    async def _run(self, call: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._io, call, *args)

    async def _retrying(self, course: Course, attempt: Callable[[], Awaitable[T]]) -> T:
        def before_sleep(state: RetryCallState) -> None:
            course.attempts = max(course.attempts, state.attempt_number + 1)
            log.warning(
                "attempt %d failed, next in %.1f s: %s",
                state.attempt_number,
                state.upcoming_sleep,
                state.outcome.exception() if state.outcome else "",
            )

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(StoreUnavailableError),
            wait=wait_random_exponential(multiplier=0.2, max=RETRY_MAX_WAIT_S),
            stop=stop_after_delay(self._settings.storage_patience_s),
            before_sleep=before_sleep,
            reraise=True,
        )
        async for once in retrying:
            with once:
                return await attempt()
        raise AssertionError  # the last attempt returns or raises
