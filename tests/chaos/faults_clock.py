"""The clock of the TaskManager and of its Python workers steps, and is corrected later."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import psutil

from tests.chaos.faults import Kind, World
from tests.chaos.faults_processes import process_of
from tests.chaos.recovery import Stopwatch

MINUTES = 120
HOUR = 3600  # more than S3 allows between a signature and its arrival: requests are refused
NEAR_S = 30
JCMD_WITHIN_S = 30


def stepped(seconds: int) -> Callable[[World, Random, Stopwatch], str]:
    """Return the strike that steps the clock, until the job has worked with it or stands still."""

    def strike(world: World, chance: Random, stopwatch: Stopwatch) -> str:
        assert world.clock is not None
        pid = process_of(world, "taskmanager")
        stopwatch.inject()
        world.clock.step(seconds)
        try:
            world.wait(lambda: abs(seen_offset_s(pid) - seconds) < NEAR_S, f"the TaskManager's clock is {seconds:+d} s")
            seen = world.hold(chance.randint(3, 8))
        finally:
            world.clock.correct()
            stopwatch.end()
        return f"the TaskManager told a time {seconds:+d} s off; {seen}"

    return strike


def seen_offset_s(pid: int) -> float:
    """Return how far the time that a JVM prints is from the machine's."""
    jcmd = Path(psutil.Process(pid).exe()).with_name("jcmd")
    command = [str(jcmd), str(pid), "Thread.print"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=JCMD_WITHIN_S)
    time = next((line for line in told.stdout.splitlines() if line.startswith("20")), "")
    if not time:
        return 0.0
    local = datetime.strptime(time, "%Y-%m-%d %H:%M:%S").astimezone(UTC)
    return (local - datetime.now(UTC)).total_seconds()


KINDS = (
    Kind("clock two minutes ahead", 1, stepped(MINUTES)),
    Kind("clock two minutes behind", 1, stepped(-MINUTES)),
    Kind("clock an hour ahead", 1, stepped(HOUR)),
    Kind("clock an hour behind", 1, stepped(-HOUR)),
)
