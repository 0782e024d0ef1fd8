"""A worker ends with its TaskManager, and only with that."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.live_stack import eventually
from udfs.lifeline import WORKER

WATCHED = (
    "from udfs.lifeline import end_with_task_manager as watch; watch(); print('watched', flush=True)"
    "; import time; time.sleep(100)"
)
TASK_MANAGER = """
import subprocess, sys
shell = subprocess.Popen(["/bin/sh", "-c", '"$@" | cat', "sh", *sys.argv[1:]])
shell.wait()
"""


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[psutil.Popen, psutil.Process]]:
    """A process called java, and the worker that it has started through a shell, as PyFlink does."""
    java = folder / "java"
    java.symlink_to(sys.executable)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [java, "-c", TASK_MANAGER, sys.executable, "-c", WATCHED, *arguments]
    with psutil.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, executable=java) as task_manager:
        assert task_manager.stdout.readline() == "watched\n"
        family = task_manager.children(recursive=True)
        (worker,) = [one for one in family if one.cmdline()[2:3] == [WATCHED]]
        try:
            yield task_manager, worker
        finally:
            for one in (task_manager, *family):
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def test_a_worker_ends_when_its_taskmanager_is_killed(tmp_path: Path) -> None:
    with started(tmp_path, WORKER) as (task_manager, worker):
        task_manager.kill()
        eventually(lambda: not worker.is_running(), "the worker has ended", worker.is_running, 20, every_s=0.05)


@pytest.mark.parametrize("arguments", [[], ["pytest"]])
def test_another_process_is_left_alone(tmp_path: Path, arguments: list[str]) -> None:
    with started(tmp_path, *arguments) as (_, worker):
        assert worker.num_threads() == 1
        descriptors = Path(f"/proc/{worker.pid}/fd").iterdir()
        assert not [one for one in descriptors if "pidfd" in os.readlink(one)]
