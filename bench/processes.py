"""CPU time and resident memory of the stack's processes, of the measuring process and of its children, by part.

What the machine used beyond them is "everything else": the kernel's own threads, and whatever spoils a measurement.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from darkroom.stack.processes import marked_processes, python_workers

MIB = 1024 * 1024
STACK = {"Kafka": "kafka", "MinIO": "minio", "JobManager": "jobmanager", "TaskManager": "taskmanager"}
RENDERING = "rendering processes"
OTHERS = "everything else"
PARTS = (*STACK, "Python workers", RENDERING, "bare loop", "measuring process", OTHERS)


@dataclass(frozen=True, slots=True)
class Usage:
    """What the parts used while something was measured; pages that processes share are counted in each."""

    looks: tuple[tuple[float, dict[str, float]], ...]  # now and then: the epoch, and seconds of CPU by part until then
    peak_mib: dict[str, float]

    def cpu_s(self, since: float, until: float) -> dict[str, float]:
        """Return the seconds of CPU of each part between two epochs; between two looks, evenly."""
        looked_at = [at for at, _ in self.looks]

        def used(part: str) -> float:
            began_s, ended_s = np.interp((since, until), looked_at, [spent[part] for _, spent in self.looks])
            return float(ended_s - began_s)

        return {part: used(part) for part in PARTS}

    def idle_share(self, since: float, until: float) -> float:
        """Return how much of the machine's cores nobody used between two epochs."""
        return 1 - sum(self.cpu_s(since, until).values()) / (until - since) / (psutil.cpu_count() or 1)


class Meter:
    """Looks at the parts from its making on, whenever `look` is called."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._peak = dict.fromkeys(PARTS, 0.0)
        self._looks: list[tuple[float, dict[str, float]]] = []
        self.look()

    def look(self) -> None:
        """Note how much memory the parts have now, and what they have used, also those started meanwhile."""
        parts = parts_of(self._home)
        spent = _by_part(parts, _cpu_seconds)
        spent[OTHERS] = _machine_seconds() - sum(spent.values())
        self._looks.append((time.time(), spent))
        for part, mebibytes in _by_part(parts, _mebibytes).items():
            self._peak[part] = max(self._peak[part], mebibytes)

    def usage(self) -> Usage:
        """Return what was seen until now."""
        self.look()
        return Usage(tuple(self._looks), dict(self._peak))


def parts_of(home: Path) -> dict[str, list[psutil.Process]]:
    """Return the processes of the stack in that home, and of this measurement, by part."""
    workers = [psutil.Process(pid) for pid in python_workers(home)]
    own = psutil.Process()
    return {
        **{part: [one for one in marked_processes(home, mark) if one not in workers] for part, mark in STACK.items()},
        "Python workers": workers,
        RENDERING: list(_descendants(workers)),
        "bare loop": list(_descendants([own])),
        "measuring process": [own],
    }


def _descendants(parents: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    for parent in parents:
        with contextlib.suppress(psutil.Error):
            yield from parent.children(recursive=True)


def _by_part(parts: dict[str, list[psutil.Process]], measure: Callable[[psutil.Process], float]) -> dict[str, float]:
    return {part: sum(map(measure, processes)) for part, processes in parts.items()}


def _cpu_seconds(process: psutil.Process) -> float:
    """Return what it used, and what its children used that have ended."""
    with contextlib.suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _mebibytes(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.Error):
        return float(process.memory_info().rss / MIB)
    return 0.0


def _machine_seconds() -> float:
    """Return what all cores have used; a guest's time is in its host's already."""
    times = psutil.cpu_times()._asdict()
    return float(sum(times[name] for name in times if name not in ("idle", "iowait", "guest", "guest_nice")))
