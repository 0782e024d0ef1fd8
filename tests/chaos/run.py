"""The loop of a run: a fault, its recovery, the next; and that whatever goes wrong is told, not skipped."""

import time
import traceback
from collections.abc import Iterator, Mapping
from random import Random

from tests.chaos.evidence import NotSeenError
from tests.chaos.faults import Kind, World
from tests.chaos.record import PROBLEM_LENGTH, Met
from tests.chaos.recovery import Stopwatch, measure
from tests.chaos.schedule import Planned


def meet_faults(world: World, kinds: Mapping[str, Kind], plan: Iterator[Planned], limit_s: float) -> Iterator[Met]:
    """Let the job meet one fault after the other until the plan or the time ends, or it does not recover."""
    begun = time.time()
    for planned in plan:
        if time.time() - begun > limit_s:
            break
        fault = _meet(world, kinds[planned.kind], planned, begun)
        yield fault
        if fault.recover_s is None:
            break


def line(fault: Met) -> str:
    """Return one line for a fault."""
    recovery = (
        "did not recover"
        if fault.recover_s is None
        else f"recover {fault.recover_s:5.1f} s, drain {fault.drain_s:5.1f} s"
    )
    what = f"PROBLEM: {fault.problem}" if fault.problem else fault.evidence
    return f"{fault.at_s:6.0f} s  #{fault.number:<3} {fault.kind:36} {recovery}  [{fault.moment}] {what}"


def _meet(world: World, kind: Kind, planned: Planned, begun: float) -> Met:
    stopwatch = Stopwatch()
    moment = evidence = ""
    problems: list[str] = []
    recovery = None
    try:
        moment = world.moment(world.watch.outcomes, planned.outcomes)
        stopwatch.inject()
        evidence = kind.strike(world, Random(planned.seed), stopwatch)
    except Exception as error:
        problems.append(_words(error))
    try:
        recovery = measure(world.watch, stopwatch)
    except NotSeenError as error:
        problems.append(_words(error))
    return Met(
        number=planned.number,
        kind=kind.name,
        seed=planned.seed,
        at_s=stopwatch.injected - begun,
        moment=moment,
        evidence=evidence,
        held_s=stopwatch.ended - stopwatch.injected,
        recover_s=recovery and recovery.recover_s,
        drain_s=recovery and recovery.drain_s,
        problem="; ".join(problems) or None,
    )


def _words(error: Exception) -> str:
    text = str(error) if isinstance(error, NotSeenError) else "".join(traceback.format_exception(error))
    return text[-PROBLEM_LENGTH:]
