"""Watches a running job and its processes once a second: backlog, held events, memory, checkpoints, restarts."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import psutil

from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.stack.processes import marked_processes, python_workers

MIB = 1024 * 1024
PARTS = ("TaskManager", "JobManager", "Python workers", "rendering processes")


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment, by the monotonic clock."""

    at: float
    unanswered: int  # events without a committed status
    held: int  # events that admit holds back, by its own gauge
    mebibytes: dict[str, float]  # resident memory by part; pages that processes share are counted in each


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint that ended: when it was triggered, by the monotonic clock, and how long it took."""

    at: float
    seconds: float
    completed: bool


@dataclass(slots=True)
class JobWatch:
    """What was seen of one job; `restarts` and `failed_checkpoints` are Flink's own counts."""

    samples: list[Sample] = field(default_factory=list)
    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)
    restarts: int = 0
    failed_checkpoints: int = 0


@contextlib.contextmanager
def watching(rest: FlinkRest, job_id: str, home: Path, unanswered: Callable[[], int]) -> Iterator[JobWatch]:
    """Watch until the context is left."""
    watch, stop = JobWatch(), Event()
    with ThreadPoolExecutor(1, "watch") as threads:
        seen = threads.submit(_watch, watch, rest, job_id, home, unanswered, stop)
        try:
            yield watch
        finally:
            stop.set()
            seen.result()


def _watch(
    watch: JobWatch, rest: FlinkRest, job_id: str, home: Path, unanswered: Callable[[], int], stop: Event
) -> None:
    admit = _vertex(rest, job_id, "admit the event")
    ended = False
    while not ended:
        ended = stop.wait(1.0)  # and one look more
        with contextlib.suppress(OperatorError):  # an answer that is late is the next second's
            held = _sum_of_gauges(rest, f"/jobs/{job_id}/vertices/{admit}/subtasks/metrics", "held_events")
            watch.samples.append(Sample(time.monotonic(), unanswered(), held, _memory(home)))
            _note_checkpoints(watch, rest.get(f"/jobs/{job_id}/checkpoints"))
            (restarts,) = rest.get(f"/jobs/{job_id}/metrics?get=numRestarts")
            watch.restarts = int(restarts["value"])


def _note_checkpoints(watch: JobWatch, told: Any) -> None:
    wall_to_monotonic = time.monotonic() - time.time()
    watch.failed_checkpoints = told["counts"]["failed"]
    for one in told["history"]:
        if one["status"] != "IN_PROGRESS":
            triggered = one["trigger_timestamp"] / 1000 + wall_to_monotonic
            seconds = one["end_to_end_duration"] / 1000
            watch.checkpoints.setdefault(one["id"], Checkpoint(triggered, seconds, one["status"] == "COMPLETED"))


def _vertex(rest: FlinkRest, job_id: str, name: str) -> str:
    vertices = rest.get(f"/jobs/{job_id}")["vertices"]
    return next(str(vertex["id"]) for vertex in vertices if name in vertex["name"])


def _sum_of_gauges(rest: FlinkRest, path: str, name: str) -> int:
    known = [one["id"] for one in rest.get(path) if one["id"].endswith(f".{name}")]
    return sum(int(one["sum"]) for one in rest.get(f"{path}?get={','.join(known)}&agg=sum")) if known else 0


def _memory(home: Path) -> dict[str, float]:
    workers = python_workers(home)
    rendering = [child for pid in workers for child in _children(pid)]
    java = {part: _java(home, part.lower()) for part in ("TaskManager", "JobManager")}
    pids = {**java, "Python workers": workers, "rendering processes": rendering}
    return {part: sum(map(_resident, pids[part])) / MIB for part in PARTS}


def _java(home: Path, part: str) -> list[int]:
    return [process.pid for process in marked_processes(home, part) if _name(process) == "java"]


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""


def _children(pid: int) -> list[int]:
    with contextlib.suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def _resident(pid: int) -> int:
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
