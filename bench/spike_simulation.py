"""A discrete-event simulation of lag through a spike; it knows simpy and the numbers of a scene, and nothing of ours.

`python spike_simulation.py` reads scenes as a JSON list and writes what happens in each. It runs in an environment of
its own (see bench/capacity_model.py). An event waits in the partition of one slot, by its user; a slot develops one
event after another; what is done when a checkpoint is triggered is answered when it has been stored. While the job
restarts nothing is done, and what was not yet answered is done again.
"""

import json
import random
import sys
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from typing import Any

import simpy

SEED = 20_000
LIMIT_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens; rates in events per second of all slots, moments and durations in seconds."""

    name: str
    slots: int
    capacity: float
    steady: float
    spike: float  # on top of the steady rate
    before_s: float
    spike_s: float
    interval_s: float
    checkpoint_s: float
    drained_s: float  # drained: no more events wait than are worked off in this time
    restart_at_s: float | None = None  # after the spike's beginning
    restart_s: float = 0.0


@dataclass(slots=True)
class Outcome:
    """What happened; `lag` lists seconds since the spike's beginning and events without a status."""

    name: str
    most: int = 0
    drained_after_s: float = 0.0  # from the end of the spike
    drain_rate: float = 0.0  # answered per second until then
    lag: list[tuple[float, int]] = field(default_factory=list)


class _Job:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.env = simpy.Environment()
        self.choose = random.Random(SEED)
        self.partitions = [simpy.Store(self.env) for _ in range(scene.slots)]
        self.sent = self.done = self.answered = 0
        self.stopped_until = 0.0

    def send(self, rate: float, start: float, end: float) -> Generator[simpy.Event, Any, None]:
        """Send events of random users at an even pace."""
        yield self.env.timeout(start)
        while self.env.now < end:
            self.sent += 1
            self.partitions[self.choose.randrange(self.scene.slots)].put(1)
            yield self.env.timeout(1 / rate)

    def slot(self, partition: simpy.Store) -> Generator[simpy.Event, Any, None]:
        """Develop the events of one partition; how long one takes is drawn from an exponential distribution."""
        while True:
            yield partition.get()
            yield self.env.timeout(self.choose.expovariate(self.scene.capacity / self.scene.slots))
            while self.env.now < self.stopped_until:
                yield self.env.timeout(self.stopped_until - self.env.now)
            self.done += 1

    def checkpoints(self) -> Generator[simpy.Event, Any, None]:
        """Answer at each checkpoint what was done when it was triggered."""
        while True:
            yield self.env.timeout(self.scene.interval_s)
            done = self.done
            yield self.env.timeout(self.scene.checkpoint_s)
            if self.env.now >= self.stopped_until:
                self.answered = max(self.answered, done)

    def restart(self, at: float) -> Generator[simpy.Event, Any, None]:
        """Stop all slots for a while; what was done since the last checkpoint is done again."""
        yield self.env.timeout(at)
        self.stopped_until = self.env.now + self.scene.restart_s
        again, self.done = self.done - self.answered, self.answered
        for _ in range(again):
            self.partitions[self.choose.randrange(self.scene.slots)].put(1)


def simulate(scene: Scene) -> Outcome:
    """Run the scene until the spike is drained."""
    job, outcome = _Job(scene), Outcome(scene.name)
    env, end = job.env, scene.before_s + scene.spike_s
    for partition in job.partitions:
        env.process(job.slot(partition))
    env.process(job.send(scene.steady, 0.0, LIMIT_S))
    env.process(job.send(scene.spike, scene.before_s, end))
    env.process(job.checkpoints())
    if scene.restart_at_s is not None:
        env.process(job.restart(scene.before_s + scene.restart_at_s))
    answered_at_end = 0
    while env.now < end or (job.sent - job.answered > scene.capacity * scene.drained_s and env.now < LIMIT_S):
        env.run(env.now + 1.0)
        answered_at_end = job.answered if env.now <= end else answered_at_end
        outcome.lag.append((env.now - scene.before_s, job.sent - job.answered))
    outcome.most = max(lag for _, lag in outcome.lag)
    outcome.drained_after_s = env.now - end
    outcome.drain_rate = (job.answered - answered_at_end) / max(outcome.drained_after_s, 1.0)
    return outcome


if __name__ == "__main__":
    json.dump([asdict(simulate(Scene(**scene))) for scene in json.load(sys.stdin)], sys.stdout)
