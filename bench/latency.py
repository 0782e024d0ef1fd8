"""Measures how long a status takes to become visible, by checkpoint interval, load and guarantee of delivery.

Latency of one event: the moment at which `poll` of a `read_committed` consumer has returned its status, minus the
moment at which the producer has learned that its event is acknowledged by all in-sync replicas. Both moments come
from the monotonic clock of this one process, so no two machines' clocks are compared. The source is stored before the
event is sent; storing it is not counted, nor is sending the event.

Every event asks for the default presets of the same made-up 2040x1404 JPEG, as a new image. In each 1/rate seconds one
event is sent, at a random moment: at an even pace, all events would meet a checkpoint interval at the same few phases.
For each interval the capacity is measured anew, as the machine drifts; then both guarantees get the same loads.
"""

import os
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from load import Load, percentile, user_of
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import panels, save_plot, write_figures, write_record
from stored import backlog_rate

from darkroom.console import counted, counting, output, remarks, write_json
from darkroom.flink import FlinkRest
from darkroom.target import resolve_target

COMMAND = "make bench-latency"
INTERVALS = (0.5, 1.0, 5.0, 10.0, 30.0)
LOADS = (25, 50, 80)
GUARANTEES = ("exactly-once", "at-least-once")
LEAST_INTERVALS = 3  # an event must be able to meet the interval at every phase
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
    work_p50: float  # what the statuses tell: fetch, render and store
    checkpoint_mean: float  # from the trigger until its state is stored, as Flink tells it


def latency(
    interval: Annotated[
        list[float] | None, typer.Option(min=0.1, help="Checkpoint interval in seconds; give it several times.")
    ] = None,
    load: Annotated[
        list[int] | None, typer.Option(min=1, max=100, help="Percent of the capacity; give it several times.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=10, help="How long each is measured, at least 3 intervals.")] = 60.0,
    write: Annotated[bool, typer.Option("--write", help="Write the figures and the plot into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print the event-to-committed-status latency by interval, load and guarantee: all of it takes 40 minutes.

    Starts the local stack if it does not run, and leaves it running; no job may run on it. Each job has topics and
    buckets of its own, which are deleted at its end.
    """
    darkroom("up", environment=dict(os.environ))
    cells = [cell for one in interval or INTERVALS for cell in _interval(one, sorted(load or LOADS), seconds)]
    if write:
        write_figures("latency", COMMAND, _rows(cells), f"One run; {seconds:.0f} s or 3 intervals each.")
        write_record("performance", "latency", [asdict(cell) for cell in cells])
        _plot(cells)
    if as_json:
        write_json([asdict(cell) for cell in cells])
    else:
        for row in _rows(cells):
            output().print(" | ".join(row), soft_wrap=True)


def _interval(interval_s: float, loads: Sequence[int], seconds: float) -> Iterator[Cell]:
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
                for percent in loads:
                    rate = capacity * percent / 100
                    description = f"{interval_s} s, {guarantee}, {percent} % of {capacity:.1f} events/s"
                    ids = _send(load, description, rate, max(seconds, LEAST_INTERVALS * interval_s))
                    told = FlinkRest(target).get(f"/jobs/{job_id}/checkpoints")["summary"]["end_to_end_duration"]
                    yield _cell(load, ids, guarantee, interval_s, percent, rate, told["avg"] / 1000)


def _send(load: Load, description: str, rate: float, seconds: float) -> list[str]:
    events = round(rate * seconds)
    with counting(description, events) as counter:
        ids = load.send_at(counted(_moments(rate, events), counter), user_of)
        counter.describe("waiting for the last statuses")
        load.wait_for(ids, LIMIT_SECONDS)
    return ids


def _moments(rate: float, count: int) -> Iterator[float]:
    """Yield seconds after the start: a random one in each 1/rate seconds, the same in every run."""
    choose = random.Random(SEED)
    return ((number + choose.random()) / rate for number in range(count))


def _cell(
    load: Load, ids: Sequence[str], guarantee: str, interval_s: float, percent: int, rate: float, checkpoint: float
) -> Cell:
    values = load.latencies(ids)
    p50, p95, p99 = (percentile(values, rank) for rank in (50, 95, 99))
    work = percentile([load.work_s[one] for one in ids], 50)
    return Cell(guarantee, interval_s, percent, rate, len(ids), p50, p95, p99, max(values), work, checkpoint)


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
                f"{once.checkpoint_mean:.2f}",
                _percentiles(at_least),
                f"{once.p50 - once.interval_s / 2:.2f}",
                f"{once.p99 - once.interval_s:.2f}",
            )
        )
    return rows


def _percentiles(cell: Cell) -> str:
    return f"{cell.p50:.2f} / {cell.p95:.2f} / {cell.p99:.2f}"


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
