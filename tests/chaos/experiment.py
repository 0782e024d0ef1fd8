"""One whole run: a stack of its own, load, faults, the end of the load, and the judgement."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from tests.chaos.clock import own_clock
from tests.chaos.disks import small_disks
from tests.chaos.faults import Kind, World
from tests.chaos.journal import Journal
from tests.chaos.kinds import needs
from tests.chaos.load import Load
from tests.chaos.oracle import judge, wait_until_settled
from tests.chaos.record import Judged, Met
from tests.chaos.run import line, meet_faults
from tests.chaos.schedule import Planned
from tests.chaos.stage import Stage
from tests.chaos.watching import Watch

USERS = 200
HOT_USERS = 3
SETTLED_WITHIN_S = 600.0
FINDINGS = 200  # those that are kept
WARM_OUTCOMES = 5
WARM_WITHIN_S = 120.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Experiment:
    """What one run does."""

    seed: int
    plan: Iterator[Planned]
    kinds: Mapping[str, Kind]
    limit_s: float
    rate_per_s: float


def perform(experiment: Experiment, stage: Stage, met: list[Met], tell: Tell) -> Judged:
    """Do all of it, and add every fault to `met`; nothing of the stack is left afterwards but its folder.

    Raises:
        NotSeenError: the job never worked, or did not settle after the load.
    """
    with ExitStack() as cleanup:
        folders = (stage.home.data / "minio", stage.home.data / "kafka")
        disks = cleanup.enter_context(small_disks(*(folders if needs("disk-full", experiment.kinds) else ())))
        cleanup.callback(stage.down)
        tell(f"starting a stack in {stage.home.path}")
        stage.up("--high-availability", "--proxied")
        clock = own_clock(stage.home) if needs("clock", experiment.kinds) else None
        if clock:
            stage.up()
        stage.submit()
        watch = Watch(stage.target)
        watch.start()
        cleanup.callback(watch.end)
        world = World(stage, watch, disks, clock)
        return _under_load(experiment, world, met, tell)


def _under_load(experiment: Experiment, world: World, met: list[Met], tell: Tell) -> Judged:
    target = world.stage.target
    journal = Journal(world.stage.folder / "journal.jsonl")
    load = Load(target, journal, experiment.seed, experiment.rate_per_s, USERS, HOT_USERS)
    load.start()
    try:
        world.wait(lambda: world.watch.outcomes >= WARM_OUTCOMES, "the job works", WARM_WITHIN_S)
        tell(f"the job works; {experiment.rate_per_s:g} records a second; seed {experiment.seed}")
        for fault in meet_faults(world, experiment.kinds, experiment.plan, experiment.limit_s):
            met.append(fault)
            tell(line(fault))
    finally:
        load.stop()
    tell("the load has ended; waiting until every event has its outcome")
    begun = time.monotonic()
    settlement = wait_until_settled(target, journal, SETTLED_WITHIN_S)
    tell(f"{'settled' if settlement.settled else 'NOT settled'} after {time.monotonic() - begun:.0f} s: {settlement}")
    verdict = judge(target, journal)
    journal.close()
    findings = tuple(f"{finding.kind}: {finding.text}" for finding in verdict.findings[:FINDINGS])
    return Judged(figures=verdict.as_figures(), findings=findings)
