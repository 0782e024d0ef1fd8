"""What is in flight at once: one event per image, and a budget of source bytes. Asyncio, one event loop."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """Lets one holder in per key, in the order of asking; a key nobody holds or waits for takes no memory."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, int] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for the key's turn and hold it."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._locks[key]


class ByteBudget:
    """Lets sources in while their bytes fit the budget; one that is larger than the budget waits to be alone."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._freed = asyncio.Condition()
        self.held_bytes = 0
        self.peak_bytes = 0

    async def acquire(self, count: int) -> None:
        """Wait until ``count`` bytes fit, and hold them."""
        async with self._freed:
            await self._freed.wait_for(lambda: self.held_bytes == 0 or self.held_bytes + count <= self._budget)
            self.held_bytes += count
            self.peak_bytes = max(self.peak_bytes, self.held_bytes)

    async def release(self, count: int) -> None:
        """Give ``count`` held bytes back."""
        async with self._freed:
            self.held_bytes -= count
            self._freed.notify_all()
