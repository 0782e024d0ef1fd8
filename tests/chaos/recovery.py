"""How long a fault was felt: until the job works again, and until it has caught up; measured, never assumed.

Recovered: a checkpoint that was triggered after the end of the fault is complete, an outcome has been committed after
that, and no restart followed for two checkpoints more. Drained: every record that was published before the end of the
fault lies before a checkpoint's offsets.
"""

import time
from dataclasses import dataclass

from tests.chaos.evidence import eventually
from tests.chaos.watching import Checkpoint, Watch

BROKER_WITHIN_S = 60.0
RECOVERED_WITHIN_S = 480.0
FURTHER = 2  # checkpoints


@dataclass(slots=True)
class Stopwatch:
    """When a fault began and when it ended, in seconds since the epoch; one that is a moment ends as it begins."""

    injected: float = 0.0
    ended: float = 0.0

    def inject(self) -> None:
        """Note that the fault begins now."""
        self.injected = self.ended = time.time()

    def end(self) -> None:
        """Note that nothing of the fault is left now, except its consequences."""
        self.ended = time.time()


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from the injection to the recovery, and from the end of the fault until the job had caught up."""

    recover_s: float
    drain_s: float


def measure(watch: Watch, stopwatch: Stopwatch) -> Recovery:
    """Wait until the job has recovered, for good, and has caught up.

    Raises:
        NotSeenError: it did not within its limit.
    """
    until = eventually(watch.published, "the broker tells how much was published", BROKER_WITHIN_S)
    convalescence = Convalescence(watch, stopwatch.ended)
    caught_up_at = 0.0

    def look() -> float | None:
        nonlocal caught_up_at
        if not caught_up_at and (watch.developed() or 0) >= until:
            caught_up_at = time.time()
        recovered_at = convalescence.look()
        return recovered_at if caught_up_at else None

    def instead() -> str:
        return f"{convalescence}, {watch.developed()} of {until} developed, {watch.outcomes} outcomes"

    recovered_at = eventually(look, "the job has recovered and caught up", RECOVERED_WITHIN_S, instead)
    return Recovery(recovered_at - stopwatch.injected, max(0.0, caught_up_at - stopwatch.ended))


class Convalescence:
    """Tells when a job has recovered: its first sign counts once two further checkpoints followed without a restart."""

    def __init__(self, watch: Watch, ended: float) -> None:
        self._watch = watch
        self._ended = ended
        self._first: Checkpoint | None = None
        self._recovered_at: float | None = None

    def look(self) -> float | None:
        """Return when the job recovered, in seconds since the epoch, or None as long as that is not sure."""
        newest = self._watch.checkpoint()
        if newest is None or newest.triggered < self._ended:
            return None
        if self._first is None or newest.restored != self._first.restored:
            self._first, self._recovered_at = newest, None
        self._recovered_at = self._recovered_at or self._watch.outcome_after(self._first.completed)
        return self._recovered_at if newest.number >= self._first.number + FURTHER else None

    def __str__(self) -> str:
        return f"first checkpoint {self._first}, outcome {'seen' if self._recovered_at else 'not seen'}"
