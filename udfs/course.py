"""What one event goes through in develop: its stages, the time they took and how often the store was asked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from schemas.records import Stage, Timings


@dataclass(slots=True)
class Course:
    """What one event has been through so far."""

    attempts: int = 1
    stage: Stage = Stage.FETCH
    spent_ms: dict[Stage, int] = field(default_factory=dict)

    @contextmanager
    def at(self, stage: Stage) -> Iterator[None]:
        """Be at a stage, and count its time."""
        self.stage = stage
        start = time.monotonic()
        try:
            yield
        finally:
            self.spent_ms[stage] = self.spent_ms.get(stage, 0) + round((time.monotonic() - start) * 1000)

    def timings(self) -> Timings:
        """Return the milliseconds spent so far."""
        spent = self.spent_ms.get
        return Timings(fetch_ms=spent(Stage.FETCH, 0), render_ms=spent(Stage.RENDER, 0), store_ms=spent(Stage.STORE, 0))
