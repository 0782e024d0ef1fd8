"""The marker that finds a stack's processes, orphans included, on real small processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from darkroom.stack.layout import Home
from darkroom.stack.processes import (
    PART_MARKER,
    STACK_MARKER,
    WORKER_MODULE,
    end_processes,
    marked_processes,
    python_workers,
)
from darkroom.stack.program import Program
from darkroom.stack.supervision import (
    is_supervised,
    program_states,
    start_supervisor,
    stop_supervisor,
    write_configuration,
)

Spawn = Callable[..., "subprocess.Popen[str]"]
READY_THEN_SLEEP = "print('ready', flush=True); import time; time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY_THEN_SLEEP


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    processes: list[subprocess.Popen[str]] = []

    def start(
        home: Path | None, *arguments: str, code: str = READY_THEN_SLEEP, part: str = ""
    ) -> "subprocess.Popen[str]":
        markers = {} if home is None else {STACK_MARKER: str(home), PART_MARKER: part}
        command = [sys.executable, "-c", code, *arguments]
        process = subprocess.Popen(command, env={**os.environ, **markers}, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_only_the_marked_processes_of_this_home_are_found(spawn: Spawn, tmp_path: Path) -> None:
    mine, _other, _unmarked = spawn(tmp_path / "a"), spawn(tmp_path / "b"), spawn(None)

    assert [process.pid for process in marked_processes(tmp_path / "a")] == [mine.pid]


def test_python_workers_are_told_apart_by_the_module_they_run(spawn: Spawn, tmp_path: Path) -> None:
    spawn(tmp_path)
    worker = spawn(tmp_path, WORKER_MODULE)

    assert python_workers(tmp_path) == [worker.pid]


def test_a_process_that_ignores_the_polite_request_is_killed(spawn: Spawn, tmp_path: Path) -> None:
    deaf = spawn(tmp_path, code=DEAF)

    assert end_processes(marked_processes(tmp_path), grace_seconds=3) == []
    assert deaf.wait(30) == -9


def test_the_taskmanager_s_start_ends_what_the_earlier_one_left_and_nothing_else(spawn: Spawn, tmp_path: Path) -> None:
    orphan, broker = spawn(tmp_path, part="taskmanager"), spawn(tmp_path, part="kafka")
    jar = Home(tmp_path).taskmanager_tmp / "blobStorage" / "job_1" / "jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"of a job that ended")

    told = subprocess.run(
        [sys.executable, "-m", "darkroom.stack.taskmanager", str(tmp_path), "/bin/echo", "became", "the TaskManager"],
        env={**os.environ, STACK_MARKER: str(tmp_path), PART_MARKER: "taskmanager"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "ended 1 of 1 leftover processes\nbecame the TaskManager\n"
    assert orphan.wait(30) == -15
    assert broker.poll() is None
    assert list(Home(tmp_path).taskmanager_tmp.iterdir()) == []


def test_a_supervised_program_restarts_and_gets_no_foreign_environment(tmp_path: Path) -> None:
    home = Home(tmp_path / "100% of a \"quoted\" home, with 'all' of it")
    code = "import os, time; print(sorted(os.environ), os.environ['ODD'], flush=True); time.sleep(60)"
    odd = 'a "b" 50% c\\d, e'
    program = Program("kafka", (sys.executable, "-c", code), 1, {"ODD": odd})
    write_configuration(home, [program])
    try:
        start_supervisor(home, {**os.environ, "AWS_SECRET_ACCESS_KEY": "foreign"})
        first = psutil.Process(wait_for_pid(home, not_pid=None))
        wait_for_text(home.logs / "kafka.log", odd)
        first.kill()
        second = wait_for_pid(home, not_pid=first.pid)
    finally:
        stop_supervisor(home)

    assert second != first.pid
    assert "AWS_SECRET_ACCESS_KEY" not in (home.logs / "kafka.log").read_text()
    assert marked_processes(home.path) == []
    assert not is_supervised(home)


def wait_for_pid(home: Home, not_pid: int | None) -> int:
    """Return the program's pid as soon as it runs with one other than `not_pid`; at most 40 seconds.

    Only RUNNING counts: a program that dies while STARTING is tried again whatever `autorestart` says.
    """
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        state = program_states(home).get("kafka")
        if state is not None and state.name == "RUNNING" and state.pid not in (None, not_pid):
            assert state.pid is not None
            return state.pid
        time.sleep(0.1)
    pytest.fail(f"no new process after 40 seconds: {program_states(home)}")


def wait_for_text(file: Path, text: str) -> None:
    """Return as soon as the file has the text; at most 30 seconds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if file.exists() and text in file.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"after 30 seconds {file} has only: {file.read_text() if file.exists() else 'nothing'}")
