"""A worker ends with its TaskManager, and only with that."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.live_stack import eventually
from udfs.lifeline import WORKER

WATCHED = "from udfs.lifeline import end_with_task_manager as watch; watch(); print('watched', flush=True); input()"
TASK_MANAGER = """
import subprocess, sys
shell = subprocess.Popen(["/bin/sh", "-c", '"$@" | cat', "sh", *sys.argv[1:]], stdin=subprocess.PIPE)
shell.wait()
"""


def started(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], psutil.Process]:
    """A process called java, and the worker that it has started through a shell, as PyFlink does."""
    java = folder / "java"
    java.symlink_to(sys.executable)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [java, "-c", TASK_MANAGER, sys.executable, "-c", WATCHED, *arguments]
    task_manager = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, executable=java
    )
    assert task_manager.stdout is not None
    assert task_manager.stdout.readline() == "watched\n"
    family = psutil.Process(task_manager.pid).children(recursive=True)
    (worker,) = [one for one in family if one.cmdline()[2:3] == [WATCHED]]
    return task_manager, worker


def test_a_worker_ends_when_its_taskmanager_is_killed(tmp_path: Path) -> None:
    task_manager, worker = started(tmp_path, WORKER)
    with task_manager:
        task_manager.send_signal(signal.SIGKILL)
        eventually(lambda: not worker.is_running(), "the worker has ended", worker.status, limit_s=30, every_s=0.05)


@pytest.mark.parametrize("arguments", [[], ["pytest"]])
def test_another_process_is_left_alone(tmp_path: Path, arguments: list[str]) -> None:
    task_manager, worker = started(tmp_path, *arguments)
    with task_manager:
        assert worker.num_threads() == 1
        assert not [one for one in os.listdir(f"/proc/{worker.pid}/fd") if "pidfd" in _target(worker.pid, one)]
        worker.kill()


def _target(pid: int, descriptor: str) -> str:
    return os.readlink(f"/proc/{pid}/fd/{descriptor}")
