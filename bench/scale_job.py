"""What bench/scale.py does to the running job: load it, kill its TaskManager, and give it another number of slots."""

import os
import signal
import time
from dataclasses import dataclass
from itertools import pairwise

from load import Load
from own_place import darkroom
from stored import backlog_rate

from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest, flink_home, run, run_environment
from darkroom.stack.inspection import taskmanager_pid
from darkroom.stack.layout import home_from
from darkroom.target import Target

LIMIT_SECONDS = 300.0
STEADY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Rescaled:
    """How long the two commands took, and the longest time without a status meanwhile; in seconds."""

    stop: float
    submit: float
    pause: float


class ScaledJob:
    """The running job, as what can be done to it."""

    def __init__(self, load: Load, target: Target, environment: dict[str, str], interval: str) -> None:
        self.load = load
        self._target = target
        self._environment = environment
        self._interval = interval
        self._rest = FlinkRest(target)

    def backlog_rate(self, events: int) -> float:
        """Return how many events of a backlog are stored per second."""
        return backlog_rate(self.load, self._target, events, LIMIT_SECONDS)

    def rescale(self, slots: int, rate: float) -> Rescaled:
        """Stop with a savepoint and resume with so many slots, under a steady load of so many events a second."""
        with self.load.steady(rate):
            time.sleep(STEADY_SECONDS)
            begun = time.monotonic()
            savepoint = self._stop()
            stopped = time.monotonic()
            self._submit(savepoint, slots)
            submitted = time.monotonic()
            self.load.wait_for(self.load.ids[-1:], LIMIT_SECONDS)
            start, end = self.longest_pause(begun)
        self.load.wait_for(self.load.ids, LIMIT_SECONDS)
        return Rescaled(stopped - begun, submitted - stopped, end - start)

    def longest_pause(self, since: float) -> tuple[float, float]:
        """Return the begin and the end of the longest time without a status."""
        moments = [since, *sorted(moment for moment in list(self.load.seen_at.values()) if moment > since)]
        return max(pairwise(moments), key=lambda pair: pair[1] - pair[0])

    def kill(self) -> float:
        """Kill the TaskManager and return the moment."""
        pid = taskmanager_pid(home_from(self._environment))
        if pid is None:
            message = "the stack has no TaskManager of its own to kill"
            raise OperatorError(message)
        os.kill(pid, signal.SIGKILL)
        return time.monotonic()

    def _stop(self) -> str:
        flink = str(flink_home(self._target) / "bin" / "flink")
        path = f"s3://{self._target.buckets.flink}/savepoints"
        job_id = self._rest.running_jobs()[0].job_id
        told = run([flink, "stop", "--savepointPath", path, job_id], run_environment(self._target))
        return told.strip().rpartition("Path: ")[2]

    def _submit(self, savepoint: str, slots: int) -> None:
        directory = f"execution.checkpointing.dir=s3://{self._target.buckets.flink}/checkpoints"
        words = ("--savepoint", savepoint, "--parallelism", str(slots), "--checkpoint-interval", self._interval)
        darkroom("submit", *words, "-D", directory, environment=self._environment)
