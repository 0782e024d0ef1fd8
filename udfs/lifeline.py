"""Ends a Python worker whose TaskManager is gone: it would go on storing what another one has taken over."""

import logging
import os
import select
import sys
import threading
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

WORKER: Final = "pyflink.fn_execution.beam.beam_boot"  # the module that a worker was started with
TASK_MANAGER: Final = "java"


def is_worker() -> bool:
    """Tell whether this process is a Python worker of its own, and not a client or a test that runs its functions."""
    return WORKER in sys.orig_argv


def end_with_task_manager() -> None:
    """Watch the TaskManager in a thread; nothing is watched in a process that is no worker of its own."""
    if not is_worker():
        return
    task_manager = ancestor(TASK_MANAGER)
    if task_manager is None:
        log.warning("no TaskManager is among the ancestors of this worker, which may outlive it")
        return
    watched = os.pidfd_open(task_manager)
    threading.Thread(target=_end_after, args=(watched,), name="lifeline", daemon=True).start()


def ancestor(name: str) -> int | None:
    """Return the process id of the nearest ancestor with that name; None when there is none."""
    pid = os.getppid()
    while pid > 1:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        if status["Name"] == name:
            return pid
        pid = int(status["PPid"])
    return None


def _end_after(watched: int) -> None:
    """End this process, without a word to anyone, when the other one has ended."""
    gone = select.poll()
    gone.register(watched, select.POLLIN)
    gone.poll()
    os._exit(1)
