"""Measures how long a status takes to become visible, by checkpoint interval, load and guarantee of delivery.

Latency of one event: the moment at which `poll` of a `read_committed` consumer has returned its status, minus the
moment at which the producer has learned that its event is acknowledged by all in-sync replicas. Both moments come
from the monotonic clock of this one process, so no two machines' clocks are compared. The source is stored before the
event is sent; storing it is not counted, nor is sending the event.

Every event asks for the default presets of the same made-up 2040x1404 JPEG, as a new image. In each 1/rate seconds one
event is sent, at a random moment: at an even pace, all events would meet a checkpoint interval at the same few phases.
For each interval the capacity is measured anew, as the machine drifts; then both guarantees get the same loads. A load
lasts for several rounds, and then goes on until all events of the rounds are answered.
"""

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from statistics import fmean
from typing import Annotated

import typer
from load import Load, percentile, random_moments, user_of
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
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}  # of the interval, which events wait for the next checkpoint
WARM_UP_EVENTS = 40  # the first images pay for imports, connections and the JVM's compilation
BACKLOG_EVENTS = 150
LIMIT_SECONDS = 300.0


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
    checkpoint_s: list[float]  # of each, from the trigger until its state is stored, as Flink tells it


@dataclass(frozen=True, slots=True)
class _Sent:
    """The events of each round at one load, and how long the load lasted, by the monotonic clock."""

    rounds: list[list[str]]
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
    capacity = 0.0
    for guarantee in GUARANTEES:
        with own_place(f"latency-{uuid.uuid4().hex[:8]}") as place:
            environment = {**place, "DARKROOM_DELIVERY": guarantee}
            target = resolve_target(environment)
            with running_job(target, environment, f"{interval_s * 1000:.0f}ms") as job_id, Load(target) as load:
                load.wait_for(load.send_at([0.0] * WARM_UP_EVENTS, user_of), LIMIT_SECONDS)
                if not capacity:
                    for _ in range(2):  # the first is the warm-up
                        capacity = backlog_rate(load, target, BACKLOG_EVENTS, LIMIT_SECONDS)
                    remarks().print(f"capacity: {capacity:.1f} events/s", style="dim")
                lasts = max(seconds, interval_s) if guarantee == GUARANTEES[0] else seconds
                home = home_from(environment).path
                for percent in loads:
                    rate = capacity * percent / 100
                    description = f"{interval_s} s, {guarantee}, {percent} % of {capacity:.1f} events/s"
                    with watching(FlinkRest(target), job_id, home, lambda: load.unanswered) as watch:
                        sent = _send(load, description, rate, lasts, rounds)
                    yield _cell(load, watch, sent, guarantee, interval_s, percent, rate)


def _send(load: Load, description: str, rate: float, seconds: float, rounds: int) -> _Sent:
    """Send round after round, and go on at the same rate until all events of the rounds are answered."""
    each, first, since = max(1, round(rate * seconds)), len(load.ids), time.monotonic()
    moments, end = random_moments(rate), first + rounds * each
    with counting(description, rounds * each) as counter:
        measured = counted(islice(moments, rounds * each), counter)
        with load.endless(chain(measured, moments)):
            while len(load.ids) < end:
                load.check()
                time.sleep(0.2)
            ids = load.ids[first:end]
            counter.describe("waiting for the last statuses")
            load.wait_for(ids, LIMIT_SECONDS)
    return _Sent([ids[start : start + each] for start in range(0, len(ids), each)], since, time.monotonic())


def _cell(
    load: Load, watch: JobWatch, sent: _Sent, guarantee: str, interval_s: float, percent: int, rate: float
) -> Cell:
    by_round = [load.latencies(one) for one in sent.rounds]
    values = list(chain.from_iterable(by_round))
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
        percentile([load.work_s[one] for one in chain.from_iterable(sent.rounds)], 50),
        [one.seconds for one in watch.checkpoints.values() if one.completed and sent.since <= one.at <= sent.until],
    )


def _rows(cells: Sequence[Cell]) -> list[tuple[str, ...]]:
    heading = ("interval", "load", "events: exactly, at least once", "exactly once: p50 / p95 / p99", "max")
    found = {(one.guarantee, one.interval_s, one.load_percent): one for one in cells}
    rows: list[tuple[str, ...]] = [(*heading, "checkpoints", "at least once", "p50 - interval / 2", "p99 - interval")]
    for once in (one for one in cells if one.guarantee == GUARANTEES[0]):
        at_least = found[GUARANTEES[1], once.interval_s, once.load_percent]
        rows.append(
            (
                f"{once.interval_s:g} s",
                f"{once.load_percent} %: {once.rate:.1f}/s",
                f"{once.events:,}, {at_least.events:,}",
                _percentiles(once),
                f"{once.max:.2f}",
                f"{fmean(once.checkpoint_s):.2f} of {len(once.checkpoint_s)}" if once.checkpoint_s else "none",
                _percentiles(at_least),
                beyond(once.p50, once.rounds_p50, once.interval_s / 2),
                beyond(once.p99, once.rounds_p99, once.interval_s),
            )
        )
    return rows


def _percentiles(cell: Cell) -> str:
    return f"{cell.p50:.2f} / {cell.p95:.2f} / {cell.p99:.2f}"


def beyond(value: float, rounds: Sequence[float], share_s: float) -> str:
    """Tell what is beyond a share of the interval: of all events and, in brackets, of the lowest and highest round."""
    return f"{value - share_s:+.2f} ({min(rounds) - share_s:+.2f} to {max(rounds) - share_s:+.2f})"


def _plot(cells: Sequence[Cell]) -> None:
    titles = [f"{rank} of the latency, exactly once beyond {share:g} of the interval" for rank, share in SHARES.items()]
    figure, all_axes = panels(titles, "checkpoint interval, seconds")
    for (rank, share), axes in zip(SHARES.items(), all_axes, strict=True):
        axes.set_xscale("log")
        axes.set_xticks(intervals := sorted({one.interval_s for one in cells}), [f"{one:g}" for one in intervals])
        axes.minorticks_off()
        for guarantee, style, of_interval in zip(GUARANTEES, ("-", ":"), (share, 0.0), strict=True):
            for number, percent in enumerate(sorted({one.load_percent for one in cells})):
                chosen = [one for one in cells if (one.guarantee, one.load_percent) == (guarantee, percent)]
                seconds = [getattr(one, rank) - of_interval * one.interval_s for one in chosen]
                label = f"{guarantee}, {percent} % load" if axes is all_axes[0] else None
                axes.plot(
                    [one.interval_s for one in chosen], seconds, style, marker=".", color=f"C{number}", label=label
                )
    save_plot("latency", figure, "latency")


if __name__ == "__main__":
    run_measurement("latency", latency)
