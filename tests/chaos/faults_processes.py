"""kill -9 and SIGSTOP of every process of the job and of what it stands on."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import psutil

from tests.chaos.faults import Kind, World
from tests.chaos.recovery import Stopwatch

GIVEN_UP = ("RESTARTING", "FAILING", "CREATED")
ANOTHER_WORKER_WITHIN_S = 240.0  # Beam waits three minutes for a worker that died before its first bundle


def killed(part: str) -> Callable[[World, Random, Stopwatch], str]:
    """Return the strike that kills a supervised part, and sees another process in its place."""

    def strike(world: World, _: Random, stopwatch: Stopwatch) -> str:
        pid = process_of(world, part)
        stopwatch.inject()
        os.kill(pid, signal.SIGKILL)
        return f"{pid} was killed, {world.another(part, pid)} runs"

    return strike


def stopped(part: str) -> Callable[[World, Random, Stopwatch], str]:
    """Return the strike that stops a supervised part until checkpoints stand still."""

    def strike(world: World, _: Random, stopwatch: Stopwatch) -> str:
        pid = process_of(world, part)
        with held(pid, stopwatch):
            world.wait(world.watch.overdue, f"checkpoints stand still while {part} is stopped")
        return f"{pid} was stopped until checkpoints stood still"

    return strike


def taskmanager_given_up(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Stop the TaskManager until the JobManager has lost it, past the heartbeat timeout."""
    pid = process_of(world, "taskmanager")
    with held(pid, stopwatch):
        state = world.wait(lambda: given_up(world), "the JobManager gives the TaskManager up")
    return f"{pid} was stopped until the job was {state}"


def given_up(world: World) -> str:
    """Return the job's state when it is one of those in which it has lost its tasks."""
    state = world.stage.job_state()
    return state if state in GIVEN_UP else ""


def worker_killed(world: World, chance: Random, stopwatch: Stopwatch) -> str:
    """Kill one Python worker, and see others in its place."""
    pid = a_worker(world, chance)
    stopwatch.inject()
    os.kill(pid, signal.SIGKILL)
    others = world.wait(
        lambda: [other for other in world.stage.workers() if other != pid],
        "another worker runs",
        ANOTHER_WORKER_WITHIN_S,
    )
    return f"{pid} was killed, {others[0]} runs"


def worker_stopped(world: World, chance: Random, stopwatch: Stopwatch) -> str:
    """Stop one Python worker until checkpoints stand still."""
    pid = a_worker(world, chance)
    with held(pid, stopwatch):
        world.wait(world.watch.overdue, "checkpoints stand still while the worker is stopped")
    return f"{pid} was stopped until checkpoints stood still"


def a_worker(world: World, chance: Random) -> int:
    """Return one of the Python workers."""
    return chance.choice(sorted(world.wait(world.stage.workers, "a Python worker runs")))


def process_of(world: World, part: str) -> int:
    """Return the process of a part, as soon as it has one."""
    return world.wait(lambda: world.stage.pid(part), f"{part} runs")


@contextmanager
def held(pid: int, stopwatch: Stopwatch) -> Iterator[None]:
    """Hold a process; it goes on afterwards if it is still there."""
    process = psutil.Process(pid)
    stopwatch.inject()
    process.suspend()
    try:
        yield
    finally:
        if process.is_running():
            process.resume()
        stopwatch.end()


KINDS = (
    Kind("Python worker killed", 6, worker_killed),
    Kind("Python worker stopped", 3, worker_stopped),
    Kind("TaskManager killed", 4, killed("taskmanager")),
    Kind("TaskManager stopped", 2, stopped("taskmanager")),
    Kind("TaskManager stopped until given up", 1, taskmanager_given_up),
    Kind("JobManager killed", 3, killed("jobmanager")),
    Kind("JobManager stopped", 2, stopped("jobmanager")),
    Kind("ZooKeeper killed", 2, killed("zookeeper")),
    Kind("Kafka killed", 4, killed("kafka")),
    Kind("Kafka stopped", 2, stopped("kafka")),
    Kind("MinIO killed", 4, killed("minio")),
    Kind("MinIO stopped", 2, stopped("minio")),
    Kind("Toxiproxy killed", 2, killed("toxiproxy")),
)
