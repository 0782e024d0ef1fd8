"""Fetches the source of an event into memory, within a budget of bytes of all sources that are in flight.

A source that is not there yet is waited for, for a stated time after its event; one that is replaced while it is read
is read again from its start. Knows sources and bytes, and nothing of images.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from schemas.records import ImageEvent, Source, Stage
from udfs.course import Course
from udfs.errors import (
    SourceBucketNotAllowedError,
    SourceChangedError,
    SourceMissingError,
    SourceTooLargeError,
)
from udfs.in_flight import ByteBudget
from udfs.object_store import ObjectStore, OpenedSource
from udfs.patience import Patience

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1  # between two looks for a source that is not there; doubled each time
LONGEST_PAUSE_S = 1.0
CLOCK_SKEW_S = 60  # of a producer; an event from further ahead would be waited for again and again
VERSIONS_READ = 5  # of one source that is replaced again and again while it is read


@dataclass(frozen=True, slots=True)
class SourceRules:
    """Which sources are fetched, and how long one is waited for after its event occurred."""

    buckets: tuple[str, ...]
    max_bytes: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class _Replaced:
    """In the place of bytes: the open source is another version than the one the budget holds."""

    opened: OpenedSource


class Fetching:
    """Reads sources that keep the rules."""

    def __init__(self, store: ObjectStore, patience: Patience, budget: ByteBudget, rules: SourceRules) -> None:
        self._store = store
        self._patience = patience
        self._budget = budget
        self._rules = rules

    @asynccontextmanager
    async def fetched(self, event: ImageEvent, source: Source, course: Course) -> AsyncIterator[bytes]:
        """Yield the source's bytes, all of one version; they count in the budget until the context ends.

        Raises:
            SourceError: the source an event points to cannot be used.
            StoreUnavailableError: the store did not answer within the job's patience.
        """
        self._check_bucket(source)
        look = _Look(self._open, self._patience, source, self._wait_for(event))
        with course.at(Stage.FETCH):
            opened = await self._patience.retrying(course, look)
        for _ in range(VERSIONS_READ):
            with course.at(Stage.FETCH):
                await self._budget.acquire(opened.size)
            try:
                with course.at(Stage.FETCH):
                    read = await self._read(opened, look, course)
                if isinstance(read, bytes):
                    yield read
                    return
            finally:
                await self._budget.release(opened.size)
            log.warning("a source of %d bytes was replaced while it was read; it is read again", opened.size)
            opened = read.opened
        opened.close()
        message = f"source {source.bucket}/{source.key} was replaced {VERSIONS_READ} times while it was read"
        raise SourceChangedError(message)

    def _check_bucket(self, source: Source) -> None:
        if source.bucket not in self._rules.buckets:
            message = f"source bucket {source.bucket} is none of those that events may name"
            raise SourceBucketNotAllowedError(message)

    def _wait_for(self, event: ImageEvent) -> float:
        """Return for how many seconds from now the source may come; below 0 when the event is too old to wait."""
        wait_s = self._rules.wait_s
        left_s = event.occurred_at.timestamp() + wait_s - time.time()
        return wait_s and (-1.0 if left_s > wait_s + CLOCK_SKEW_S else min(wait_s, left_s))

    def _open(self, source: Source) -> OpenedSource:
        opened = self._store.open_source(source.bucket, source.key, source.etag)
        if opened.size > self._rules.max_bytes:
            opened.close()
            message = (
                f"source {source.bucket}/{source.key} has {opened.size} bytes, "
                f"more than the limit of {self._rules.max_bytes}; store a smaller file"
            )
            raise SourceTooLargeError(message)
        return opened

    async def _read(self, opened: OpenedSource, look: "_Look", course: Course) -> bytes | _Replaced:
        unread = [opened]

        async def attempt() -> bytes | _Replaced:
            current = unread.pop() if unread else await look()
            if (current.etag, current.size) != (opened.etag, opened.size):
                return _Replaced(current)
            return await self._patience.run(current.read)

        return await self._patience.retrying(course, attempt)


class _Look:
    """Opens one source, and looks again while it is not there and may still come; holds nothing meanwhile."""

    def __init__(
        self, open_: Callable[[Source], OpenedSource], patience: Patience, source: Source, wait_s: float
    ) -> None:
        self._open = open_
        self._patience = patience
        self._source = source
        self._started = time.monotonic()
        self._wait_s = wait_s

    async def __call__(self) -> OpenedSource:
        pause = FIRST_PAUSE_S
        while True:
            waited = time.monotonic() - self._started
            try:
                return await self._patience.run(self._open, self._source)
            except SourceMissingError as error:
                if waited >= self._wait_s:
                    if not self._wait_s:  # no source is ever waited for
                        raise
                    message = f"{error}; {self._in_words(waited)}"
                    raise SourceMissingError(message) from error
            await asyncio.sleep(max(0.0, min(pause, self._wait_s - waited)))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _in_words(self, waited: float) -> str:
        if self._wait_s < 0:
            return "it was not waited for, as its event is older than DARKROOM_SOURCE_WAIT_S, or from the future"
        return f"it did not come within {waited:.1f} s"
