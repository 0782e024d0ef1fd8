"""Finds and ends the processes of one stack by the marker in their environment.

Supervisord is started with DARKROOM_STACK=<home>, and every descendant inherits it, also one that was re-parented to
pid 1 because its TaskManager was killed. Nothing else carries the marker, so a shell or a test run is never matched.
"""

import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

STACK_MARKER = "DARKROOM_STACK"
PART_MARKER = "DARKROOM_STACK_PART"
WORKER_MODULE = "pyflink.fn_execution.beam.beam_boot"
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.05


def marked_processes(home: Path, part: str | None = None) -> list[psutil.Process]:
    """Return the living processes of the stack at `home`, or only those descending from one part."""
    return [process for process in psutil.process_iter() if _is_marked(process, home, part)]


def python_workers(home: Path) -> list[int]:
    """Return the pids of the stack's Python workers: the processes that run the job's functions."""
    return [process.pid for process in marked_processes(home) if _runs_worker_module(process)]


def end_processes(processes: Iterable[psutil.Process], grace_seconds: float = GRACE_SECONDS) -> list[psutil.Process]:
    """Ask the processes to end, kill those that do not, and return the survivors: normally none."""
    stubborn = _signalled(processes, signal.SIGTERM, grace_seconds)
    return _signalled(stubborn, signal.SIGKILL, grace_seconds)


def _signalled(processes: Iterable[psutil.Process], number: int, wait_seconds: float) -> list[psutil.Process]:
    """Send a signal and return who is still alive after the wait."""
    alive = [process for process in processes if _is_alive(process)]
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    deadline = time.monotonic() + wait_seconds
    while (alive := [process for process in alive if _is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return alive


def _is_alive(process: psutil.Process) -> bool:
    """Tell whether the process still runs; a zombie does not, it waits for its parent or for pid 1 to notice."""
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_marked(process: psutil.Process, home: Path, part: str | None) -> bool:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return False  # ended meanwhile, a zombie, or another user's
    if environment.get(STACK_MARKER) != str(home):
        return False
    return part is None or environment.get(PART_MARKER) == part


def _runs_worker_module(process: psutil.Process) -> bool:
    try:
        command: Sequence[str] = process.cmdline()
    except (psutil.Error, OSError):
        return False
    return WORKER_MODULE in command
