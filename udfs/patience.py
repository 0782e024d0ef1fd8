"""Asks the store in threads, and again with back-off while it does not answer. Knows nothing of what is asked."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from udfs.course import Course
from udfs.errors import StoreUnavailableError

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_MAX_WAIT_S = 5


class Patience:
    """Calls to a store that may be away for up to `patience_s` seconds; the one place of Darkroom that retries."""

    def __init__(self, calls_in_flight: int, patience_s: float) -> None:
        self._threads = ThreadPoolExecutor(calls_in_flight, "storage")
        self._patience_s = patience_s

    def close(self) -> None:
        """End the threads; what they are doing is finished first."""
        self._threads.shutdown(cancel_futures=True)

    async def ask(self, course: Course, call: Callable[..., T], *args: object) -> T:
        """Return what the call returns; StoreUnavailableError when patience ends."""
        return await self.retrying(course, lambda: self.run(call, *args))

    async def run(self, call: Callable[..., T], *args: object) -> T:
        """Call once, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)

    async def retrying(self, course: Course, attempt: Callable[[], Awaitable[T]]) -> T:
        """Await attempts until one does not raise StoreUnavailableError, or patience ends; count them in the course."""

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
            stop=stop_after_delay(self._patience_s),
            before_sleep=before_sleep,
            reraise=True,
        )
        async for once in retrying:
            with once:
                return await attempt()
        raise AssertionError  # the last attempt returns or raises
