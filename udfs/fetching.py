"""Fetches the source of an event into memory, within a budget of bytes of all sources that are in flight."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.records import Source, Stage
from udfs.course import Course
from udfs.errors import SourceChangedError, SourceTooLargeError
from udfs.in_flight import ByteBudget
from udfs.object_store import ObjectStore, OpenedSource
from udfs.patience import Patience


class Fetching:
    """Reads sources of at most `max_source_bytes`."""

    def __init__(self, store: ObjectStore, patience: Patience, budget: ByteBudget, max_source_bytes: int) -> None:
        self._store = store
        self._patience = patience
        self._budget = budget
        self._max_source_bytes = max_source_bytes

    @asynccontextmanager
    async def fetched(self, source: Source, course: Course) -> AsyncIterator[bytes]:
        """Yield the source's bytes; they count in the budget until the context ends.

        Raises:
            SourceError: the source an event points to cannot be used.
            StoreUnavailableError: the store did not answer within the job's patience.
        """
        async with course.at(Stage.FETCH):
            opened = await self._patience.ask(course, self._open, source)
            await self._budget.acquire(opened.size)
        try:
            async with course.at(Stage.FETCH):
                data = await self._read(source, opened, course)
            yield data
        finally:
            await self._budget.release(opened.size)

    def _open(self, source: Source) -> OpenedSource:
        opened = self._store.open_source(source.bucket, source.key, source.etag)
        if opened.size > self._max_source_bytes:
            opened.close()
            message = (
                f"source {source.bucket}/{source.key} has {opened.size} bytes, "
                f"more than the limit of {self._max_source_bytes}; store a smaller file"
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
