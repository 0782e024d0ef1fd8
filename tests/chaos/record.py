"""What one run leaves behind, as JSON: enough to repeat it, and to put several into one table."""

import os
import platform
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PROBLEM_LENGTH = 2_000


class Met(BaseModel):
    """One fault that the job has met. Times are seconds; `at_s` counts from the beginning of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    kind: str
    seed: int
    at_s: float
    moment: str
    evidence: str = ""
    held_s: float = 0.0
    recover_s: float | None = None
    drain_s: float | None = None
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the fault took effect and the job recovered."""
        return self.problem is None and self.recover_s is not None


class Judged(BaseModel):
    """What the oracle says of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    figures: dict[str, int]
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Tell whether there is nothing wrong."""
        return not self.findings


class Run(BaseModel):
    """One run of `python -m tests.chaos`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    command: str
    started_at: str
    duration_s: float
    machine: str
    kinds: tuple[str, ...]
    faults: tuple[Met, ...]
    judged: Judged | None
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Tell whether every fault took effect and was recovered from, and the oracle has found nothing."""
        met = bool(self.faults) and all(fault.ok for fault in self.faults)
        return met and self.problem is None and self.judged is not None and self.judged.ok


def machine() -> str:
    """Describe this machine: processor, cores, memory and system."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{names[0] if names else platform.machine()}, {cores} cores, {memory:.0f} GiB, {platform.platform()}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []
