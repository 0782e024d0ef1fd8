"""Measures what a spike of ten times the capacity does: how long it takes to drain, at which rate, at what memory.

First the capacity: the rate at which a backlog drains. Then a steady load at half of it, and on top of that, for some
seconds, ten times the capacity. The steady load goes on until no more events wait than before the spike. The events
are spread over so many users that none is held back. Nothing else may use the machine.
"""

import os
import time
import uuid
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Annotated, Any

import typer
from load import Load, p50_p99_max, user_of
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import panels, save_plot, write_figures, write_record
from stored import backlog_rate
from watch_job import PARTS, JobWatch, Sample, watching

from darkroom.console import output, remarks, write_json
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.stack.layout import home_from
from darkroom.target import resolve_target

COMMAND = "make bench-spike"
WARM_UP_EVENTS = 40
BACKLOG_EVENTS = 300
TIMES = 10
STEADY_SHARE = 0.5
STEADY_SECONDS = 30.0
AFTER_SECONDS = 20.0
DRAINED_SECONDS = 3.0  # drained: no more events wait than are worked off in this time
LIMIT_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What the spike did; rates in events per second."""

    capacity: float
    steady_rate: float
    spike_rate: float
    spike_seconds: float
    events: int
    most_unanswered: int
    drained_after_s: float  # from the end of the spike
    drain_rate: float  # committed statuses per second, from the end of the spike until it was drained
    drain_ratio: float  # that rate by the capacity
    memory_before_mib: dict[str, float]  # the most of each part before the spike
    memory_after_mib: dict[str, float]  # and from its beginning on
    checkpoint_s: list[float]  # of each that was triggered from the beginning of the spike until it was drained
    failed_checkpoints: int
    restarts: int
    answered_twice: int


@dataclass(frozen=True, slots=True)
class _Moments:
    """The beginnings of the phases, by the monotonic clock."""

    steady: float
    spike: float
    drain: float
    drained: float


def spike(
    seconds: Annotated[float, typer.Option(min=1, help="How long the spike lasts.")] = 10.0,
    interval: Annotated[float, typer.Option(min=0.1, help="Checkpoint interval in seconds.")] = 1.0,
    write: Annotated[bool, typer.Option("--write", help="Write the figures and the plot into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print what a spike of ten times the capacity does to the job.

    Starts the local stack if it does not run, and leaves it running; no job may run on it.
    """
    darkroom("up", environment=dict(os.environ))
    with own_place(f"spike-{uuid.uuid4().hex[:8]}") as environment:
        target = resolve_target(environment)
        slots = int(FlinkRest(target).get("/overview")["slots-total"])
        with running_job(target, environment, f"{interval * 1000:.0f}ms") as job_id, Load(target) as load:
            load.wait_for(load.send_at([0.0] * WARM_UP_EVENTS, user_of), LIMIT_SECONDS)
            capacity = backlog_rate(load, target, BACKLOG_EVENTS, LIMIT_SECONDS)
            remarks().print(f"capacity: {capacity:.1f} events/s", style="dim")
            with watching(FlinkRest(target), job_id, home_from(environment).path, lambda: load.unanswered) as watch:
                moments = _run(load, capacity, seconds)
    figures = _figures(load, watch, moments, capacity, seconds)
    if write:
        write_figures("load", COMMAND, _rows(figures))
        write_record("performance", "spike", _record(figures, watch, moments, slots, interval))
        _plot(load, watch, moments, capacity)
    if as_json:
        write_json(asdict(figures))
    else:
        for name, value in _rows(figures)[1:]:
            output().print(f"{name}: {value}", soft_wrap=True)


def _run(load: Load, capacity: float, seconds: float) -> _Moments:
    begun = time.monotonic()
    with load.steady(capacity * STEADY_SHARE):
        time.sleep(STEADY_SECONDS)
        spiked = time.monotonic()
        load.send_at((number / (capacity * TIMES) for number in range(round(capacity * TIMES * seconds))), user_of)
        drain = time.monotonic()
        _wait_until_drained(load, capacity)
        drained = time.monotonic()
        time.sleep(AFTER_SECONDS)
    load.wait_for(load.ids, LIMIT_SECONDS)
    return _Moments(begun, spiked, drain, drained)


def _wait_until_drained(load: Load, capacity: float) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while load.unanswered > capacity * DRAINED_SECONDS:
        load.check()
        if time.monotonic() > limit:
            message = f"{load.unanswered} events are unanswered {LIMIT_SECONDS:.0f} s after the spike"
            raise OperatorError(message)
        time.sleep(0.2)


def _figures(load: Load, watch: JobWatch, moments: _Moments, capacity: float, seconds: float) -> Figures:
    drain_s = moments.drained - moments.drain
    drained = sum(moments.drain <= moment < moments.drained for moment in list(load.seen_at.values()))
    completed = [one for one in watch.checkpoints.values() if one.completed]
    return Figures(
        capacity=capacity,
        steady_rate=capacity * STEADY_SHARE,
        spike_rate=capacity * TIMES,
        spike_seconds=seconds,
        events=len(load.ids),
        most_unanswered=max(one.unanswered for one in watch.samples),
        drained_after_s=drain_s,
        drain_rate=drained / drain_s,
        drain_ratio=drained / drain_s / capacity,
        memory_before_mib=_most([one for one in watch.samples if one.at < moments.spike]),
        memory_after_mib=_most([one for one in watch.samples if one.at >= moments.spike]),
        checkpoint_s=[one.seconds for one in completed if moments.spike <= one.at < moments.drained],
        failed_checkpoints=watch.failed_checkpoints,
        restarts=watch.restarts,
        answered_twice=load.seen_twice,
    )


def _record(figures: Figures, watch: JobWatch, moments: _Moments, slots: int, interval: float) -> dict[str, Any]:
    """Return the figures, lag and checkpoints by seconds since the spike began, and what a simulation has to know."""
    completed = [one for one in watch.checkpoints.values() if one.completed and one.at >= moments.steady]
    scene = {
        "slots": slots,
        "capacity": figures.capacity,
        "steady": figures.steady_rate,
        "spike": figures.spike_rate,
        "before_s": moments.spike - moments.steady,
        "spike_s": moments.drain - moments.spike,
        "interval_s": interval,
        "checkpoint_s": mean([one.seconds for one in completed] or [0.0]),
        "drained_s": DRAINED_SECONDS,
    }
    lag = [(one.at - moments.spike, one.unanswered) for one in watch.samples]
    checkpoints = [(one.at - moments.spike, one.seconds) for one in completed]
    return {"figures": asdict(figures), "scene": scene, "lag": lag, "checkpoints": checkpoints}


def _most(samples: list[Sample]) -> dict[str, float]:
    return {part: max(one.mebibytes[part] for one in samples) for part in PARTS}


def _rows(figures: Figures) -> list[tuple[str, str]]:
    return [
        ("measured", "value"),
        ("capacity: the rate at which a backlog drains", f"{figures.capacity:.1f} events/s"),
        ("steady load", f"{figures.steady_rate:.1f} events/s"),
        ("spike, on top", f"{figures.spike_rate:.0f} events/s for {figures.spike_seconds:.0f} s"),
        ("most events without a status", f"{figures.most_unanswered:,}"),
        ("drained after the spike's end", f"{figures.drained_after_s:.0f} s"),
        (
            "statuses committed meanwhile",
            f"{figures.drain_rate:.1f} per second: {figures.drain_ratio:.2f} of the capacity",
        ),
        *(
            (f"most memory of {part}, before and since the spike", f"{before:.0f} and {after:.0f} MiB")
            for (part, before), after in zip(
                figures.memory_before_mib.items(), figures.memory_after_mib.values(), strict=True
            )
        ),
        ("checkpoints of the spike and its drain: p50, p99, max", p50_p99_max(figures.checkpoint_s)),
        ("checkpoints that failed", f"{figures.failed_checkpoints}"),
        ("restarts", f"{figures.restarts}"),
        ("events", f"{figures.events:,}, each with one status; {figures.answered_twice} with two"),
    ]


def _plot(load: Load, watch: JobWatch, moments: _Moments, capacity: float) -> None:
    titles = ("events without a committed status", "statuses committed per second", "resident memory, MiB")
    figure, (lag, rate, memory, checkpoints) = panels([*titles, "duration of checkpoints, seconds"])
    start = moments.steady
    at = [one.at - start for one in watch.samples]
    lag.plot(at, [one.unanswered for one in watch.samples])
    times, rates = _rates(load, start, at[-1])
    rate.plot(times, rates, label="committed, mean of 5 s")
    rate.axhline(capacity, color="grey", linestyle="--", label="capacity")
    for part in PARTS:
        memory.plot(at, [one.mebibytes[part] for one in watch.samples], label=part)
    for done, colour, label in ((True, "tab:blue", "completed"), (False, "tab:red", "failed")):
        chosen = [one for one in watch.checkpoints.values() if one.completed is done and one.at >= start]
        points = [one.at - start for one in chosen], [one.seconds for one in chosen]
        checkpoints.scatter(*points, s=5, color=colour, label=label)
    for axes in figure.axes:
        axes.axvspan(moments.spike - start, moments.drain - start, color="tab:orange", alpha=0.2)
    save_plot("load", figure, "spike")


def _rates(load: Load, start: float, end: float) -> tuple[list[float], list[float]]:
    seen = [moment - start for moment in load.seen_at.values()]
    times = [float(second) for second in range(5, int(end))]
    return times, [sum(time - 5 <= moment < time for moment in seen) / 5 for time in times]


if __name__ == "__main__":
    run_measurement("spike", spike)
