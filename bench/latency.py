"""Measures how long a status takes to become visible, by checkpoint interval, load and guarantee of delivery.

Latency of one event: the moment at which `poll` of a `read_committed` consumer has returned its status, minus the
moment at which the producer has learned that its event is acknowledged by all in-sync replicas. Both moments come
from the monotonic clock of this one process, so no two machines' clocks are compared. The source is stored before the
event is sent; storing it is not counted, nor is sending the event.

Every event asks for the default presets of the same made-up 2040x1404 JPEG, as a new image. In each 1/rate seconds one
event is sent, at a random moment: at an even pace, all events would meet a checkpoint interval at the same few phases.
For each interval the capacity is measured anew, as the machine drifts; then both guarantees get the same loads, in
several rounds of all loads in turn.
"""

import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from statistics import fmean, median
from typing import Annotated

import typer
from load import Load, percentile, user_of
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import panels, save_plot, write_figures, write_record
from stored import backlog_rate
from watch_job import JobWatch, watching

from darkroom.console import counted, counting, output, remarks, write_json
from darkroom.flink import FlinkRest
from darkroom.stack.layout import home_from
from darkroom.target import resolve_target

COMMAND = "make bench-latency"
INTERVALS = (0.5, 1.0, 5.0, 10.0, 30.0)
LOADS = (25, 50, 80)
GUARANTEES = ("exactly-once", "at-least-once")
PAUSE_S = 1.0  # between two loads, for the events of the first to be done
WARM_UP_EVENTS = 40  # the first images pay for imports, connections and the JVM's compilation
BACKLOG_EVENTS = 150
LIMIT_SECONDS = 300.0
SEED = 20_000


@dataclass(frozen=True, slots=True)
class Cell:
    """The latencies at one interval, load and guarantee, in seconds, and two parts they consist of."""

    guarantee: str
    interval_s: float
    load_percent: int
    rate: float  # events per second
    events: int
    p50: float
    p95: float
    p99: float
    max: float
    rounds_p50: list[float]
    rounds_p99: list[float]
    work_p50: float  # what the statuses tell: fetch, render and store
    checkpoint_mean: float | None  # from the trigger until its state is stored, as Flink tells it; None: there was none


@dataclass(frozen=True, slots=True)
class _Sent:
    """The events of one round at one load, and when they were sent, by the monotonic clock."""

    ids: list[str]
    since: float
    until: float


def latency(
    interval: Annotated[
        list[float] | None, typer.Option(min=0.1, help="Checkpoint interval in seconds; give it several times.")
    ] = None,
    load: Annotated[
        list[int] | None, typer.Option(min=1, max=100, help="Percent of the capacity; give it several times.")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long each load lasts in a round; exactly once, at least one interval.")
    ] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often each load is measured.")] = 5,
    write: Annotated[bool, typer.Option("--write", help="Write the figures and the plot into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print the event-to-committed-status latency by interval, load and guarantee: all of it takes half an hour.

    Starts the local stack if it does not run, and leaves it running; no job may run on it. Each job has topics and
    buckets of its own, which are deleted at its end.
    """
    darkroom("up", environment=dict(os.environ))
    loads = sorted(load or LOADS)
    cells = [cell for one in interval or INTERVALS for cell in _interval(one, loads, seconds, rounds)]
    if write:
        lasted = f"One run; {rounds} rounds of {seconds:g} s, exactly once of at least an interval."
        write_figures("latency", COMMAND, _rows(cells), f"{lasted} In brackets the lowest and the highest round.")
        write_record("performance", "latency", [asdict(cell) for cell in cells])
        _plot(cells)
    if as_json:
        write_json([asdict(cell) for cell in cells])
    else:
        for row in _rows(cells):
            output().print(" | ".join(row), soft_wrap=True)


def _interval(interval_s: float, loads: Sequence[int], seconds: float, rounds: int) -> Iterator[Cell]:
    capacity = None
    for guarantee in GUARANTEES:
        with own_place(f"latency-{uuid.uuid4().hex[:8]}") as place:
            environment = {**place, "DARKROOM_DELIVERY": guarantee}
            target = resolve_target(environment)
            with running_job(target, environment, f"{interval_s * 1000:.0f}ms") as job_id, Load(target) as load:
                load.wait_for(load.send_at([0.0] * WARM_UP_EVENTS, user_of), LIMIT_SECONDS)
                if capacity is None:
                    capacity = backlog_rate(load, target, BACKLOG_EVENTS, LIMIT_SECONDS)
                    remarks().print(f"capacity: {capacity:.1f} events/s", style="dim")
                lasts = max(seconds, interval_s) if guarantee == GUARANTEES[0] else seconds
                home = home_from(environment).path
                with watching(FlinkRest(target), job_id, home, lambda: load.unanswered) as watch:
                    description = f"{interval_s} s, {guarantee}, of {capacity:.1f} events/s"
                    sent = _send(load, description, {one: capacity * one / 100 for one in loads}, lasts, rounds)
                for percent in loads:
                    yield _cell(load, watch, sent[percent], guarantee, interval_s, percent, capacity * percent / 100)


def _send(load: Load, description: str, rates: dict[int, float], seconds: float, rounds: int) -> dict[int, list[_Sent]]:
    """Send at each rate in turn, in rounds, and wait for all statuses; the rates' keys are those of the answer."""
    sent: dict[int, list[_Sent]] = {one: [] for one in rates}
    events = {one: max(1, round(rate * seconds)) for one, rate in rates.items()}
    with counting(description, rounds * sum(events.values())) as counter:
        for number in range(rounds):
            for percent, rate in rates.items():
                since = time.monotonic()
                moments = _moments(rate, events[percent], SEED + number)
                ids = load.send_at(counted(moments, counter), user_of)
                sent[percent].append(_Sent(ids, since, time.monotonic()))
                time.sleep(PAUSE_S)
        counter.describe("waiting for the last statuses")
        load.wait_for(load.ids, LIMIT_SECONDS)
    return sent


def _moments(rate: float, count: int, seed: int) -> Iterator[float]:
    """Yield seconds after the start: a random one in each 1/rate seconds, the same for the same seed."""
    choose = random.Random(seed)
    return ((number + choose.random()) / rate for number in range(count))


def _cell(
    load: Load,
    watch: JobWatch,
    rounds: Sequence[_Sent],
    guarantee: str,
    interval_s: float,
    percent: int,
    rate: float,
) -> Cell:
    by_round = [load.latencies(one.ids) for one in rounds]
    values = list(chain.from_iterable(by_round))
    work = [load.work_s[event_id] for one in rounds for event_id in one.ids]
    taken = [
        checkpoint.seconds
        for checkpoint in watch.checkpoints.values()
        if checkpoint.completed and any(one.since <= checkpoint.at <= one.until for one in rounds)
    ]
    return Cell(
        guarantee,
        interval_s,
        percent,
        rate,
        len(values),
        percentile(values, 50),
        percentile(values, 95),
        percentile(values, 99),
        max(values),
        [percentile(one, 50) for one in by_round],
        [percentile(one, 99) for one in by_round],
        percentile(work, 50),
        fmean(taken) if taken else None,
    )


def _rows(cells: Sequence[Cell]) -> list[tuple[str, ...]]:
    heading = ("interval", "load", "events", "exactly once: p50 / p95 / p99", "max", "checkpoint", "at least once")
    found = {(one.guarantee, one.interval_s, one.load_percent): one for one in cells}
    rows: list[tuple[str, ...]] = [(*heading, "p50 - interval / 2", "p99 - interval")]
    for once in (one for one in cells if one.guarantee == GUARANTEES[0]):
        at_least = found[GUARANTEES[1], once.interval_s, once.load_percent]
        rows.append(
            (
                f"{once.interval_s:g} s",
                f"{once.load_percent} %: {once.rate:.1f}/s",
                f"{once.events:,}",
                _percentiles(once),
                f"{once.max:.2f}",
                "" if once.checkpoint_mean is None else f"{once.checkpoint_mean:.2f}",
                _percentiles(at_least),
                _beyond(once.rounds_p50, once.interval_s / 2),
                _beyond(once.rounds_p99, once.interval_s),
            )
        )
    return rows


def _percentiles(cell: Cell) -> str:
    return f"{cell.p50:.2f} / {cell.p95:.2f} / {cell.p99:.2f}"


def _beyond(values: Sequence[float], share_s: float) -> str:
    middle, low, high = (one - share_s for one in (median(values), min(values), max(values)))
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _plot(cells: Sequence[Cell]) -> None:
    ranks = ("p50", "p95", "p99")
    figure, all_axes = panels([f"{rank} of the latency by checkpoint interval, seconds" for rank in ranks])
    for rank, axes in zip(ranks, all_axes, strict=True):
        for guarantee, style in zip(GUARANTEES, ("-", ":"), strict=True):
            for number, percent in enumerate(sorted({one.load_percent for one in cells})):
                chosen = [one for one in cells if (one.guarantee, one.load_percent) == (guarantee, percent)]
                points = [one.interval_s for one in chosen], [getattr(one, rank) for one in chosen]
                axes.plot(*points, style, marker=".", color=f"C{number}", label=f"{guarantee}, {percent} % load")
    save_plot("latency", figure, "latency")


if __name__ == "__main__":
    run_measurement("latency", latency)
