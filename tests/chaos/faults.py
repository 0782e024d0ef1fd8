"""What a fault is, and what it may use; the kinds themselves are in the files of their families."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.chaos.clock import Clock
from tests.chaos.disks import SmallDisk
from tests.chaos.evidence import Seen, eventually
from tests.chaos.recovery import Stopwatch
from tests.chaos.stage import Stage
from tests.chaos.watching import Watch

IN_FLIGHT_WITHIN_S = 120.0


@dataclass(slots=True)
class World:
    """The stage, and what is seen of it."""

    stage: Stage
    watch: Watch
    disks: dict[str, SmallDisk] = field(default_factory=dict)
    clock: Clock | None = None

    def moment(self, since: int, outcomes: int) -> str:
        """Wait for so many outcomes since the last fault, and for events in flight; tell what was seen."""
        eventually(
            lambda: self.watch.outcomes >= since + outcomes,
            f"{outcomes} outcomes since the last fault",
            IN_FLIGHT_WITHIN_S,
            lambda: self.watch.outcomes - since,
        )
        flying = eventually(self._in_flight, "an event in flight", IN_FLIGHT_WITHIN_S)
        return f"{self.watch.outcomes - since} outcomes, {flying} in flight"

    def hold(self, outcomes: int) -> str:
        """Keep a fault up until the job has worked under it or stands still; tell which."""
        since = self.watch.outcomes

        def look() -> str:
            if self.watch.outcomes - since >= outcomes:
                return f"{self.watch.outcomes - since} outcomes meanwhile"
            return "checkpoints stand still" if self.watch.overdue() else ""

        return eventually(look, f"{outcomes} outcomes, or checkpoints that stand still", IN_FLIGHT_WITHIN_S)

    def wait(self, look: Callable[[], Seen | None], what: str, limit_s: float = 120, every_s: float = 0.1) -> Seen:
        """Wait for evidence."""
        return eventually(look, what, limit_s, lambda: f"job {self.stage.job_state()}", every_s)

    def another(self, part: str, than: int) -> int:
        """Wait until a part has another process."""

        def look() -> int | None:
            pid = self.stage.pid(part)
            return pid if pid != than else None

        return self.wait(look, f"another {part} runs")

    def _in_flight(self) -> int:
        published, developed = self.watch.published(), self.watch.developed()
        return 0 if published is None or developed is None else published - developed


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    `strike` does all of it: injects, sees that it took effect, ends it, and returns what was seen. It raises
    NotSeenError when it saw no effect, and leaves nothing of the fault behind then either.
    """

    name: str
    share: int  # how many of a round of faults
    strike: Callable[[World, Random, Stopwatch], str]
