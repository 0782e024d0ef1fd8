"""Measures how long a status takes to become visible, at light load, for several checkpoint intervals.

Latency of one event: the moment at which `poll` of a `read_committed` consumer has returned its status, minus the
moment at which the producer has learned that its event is acknowledged by all in-sync replicas. Both moments come
from the monotonic clock of this one process, so no two machines' clocks are compared. The source is stored before the
event is sent; storing it is not counted, nor is sending the event.

Every event asks for the default presets of the same made-up 2040x1404 JPEG, as a new image. In each 1/rate seconds one
event is sent, at a random moment: at an even pace, all events would meet a checkpoint interval at the same few phases.
"""

import os
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from load import Load, percentile
from measurement import run_measurement
from own_place import OVERDUE_SECONDS, darkroom, own_place, running_job
from rich.table import Table

from darkroom.console import counted, counting, output, write_json
from darkroom.flink import FlinkRest
from darkroom.target import resolve_target

USERS = 20
WARM_UP_EVENTS = 20  # the first images pay for imports, connections and the JVM's compilation
SEED = 20_000


@dataclass(frozen=True, slots=True)
class Figures:
    """The latencies of one checkpoint interval, in seconds, and two parts they consist of."""

    interval: str
    events: int
    p50: float
    p95: float
    p99: float
    max: float
    work_p50: float  # what the statuses tell: fetch, render and store
    checkpoint_mean: float  # from the trigger until its state is stored, as Flink tells it


def latency(
    interval: Annotated[list[str] | None, typer.Option(help="Checkpoint interval; give it several times.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, help="Events per second.")] = 2.0,
    seconds: Annotated[int, typer.Option(min=10, help="How long each interval is measured.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print the event-to-committed-status latency for checkpoint intervals of 1 s and 10 s, or of those given.

    Starts the local stack if it does not run, and leaves it running; no job may run on it. Each measurement has topics
    and buckets of its own, which are deleted at its end.
    """
    darkroom("up", environment=dict(os.environ))
    measured = [_measure(one, rate, round(seconds * rate)) for one in interval or ["1s", "10s"]]
    if as_json:
        write_json([asdict(figures) for figures in measured])
    else:
        output().print(_table(measured))


def _measure(interval: str, rate: float, events: int) -> Figures:
    with own_place(f"latency-{interval}-{uuid.uuid4().hex[:8]}".lower()) as environment:
        target = resolve_target(environment)
        with running_job(target, environment, interval) as job_id, Load(target) as load:
            _rounds(load, f"{interval}: warm-up", rate, WARM_UP_EVENTS)
            ids = _rounds(load, f"{interval}: measured", rate, events)
            checkpoints = FlinkRest(target).get(f"/jobs/{job_id}/checkpoints")
        return _figures(interval, load, ids, checkpoints["summary"]["end_to_end_duration"]["avg"] / 1000)


def _rounds(load: Load, description: str, rate: float, count: int) -> list[str]:
    with counting(description, count) as counter:
        ids = load.send_at(counted(_moments(rate, count), counter), lambda number: f"user-{number % USERS}")
        counter.describe("waiting for the last statuses")
        load.wait_for(ids, OVERDUE_SECONDS)
    return ids


def _figures(interval: str, load: Load, ids: Sequence[str], checkpoint_mean: float) -> Figures:
    values = load.latencies(ids)
    p50, p95, p99 = (percentile(values, percent) for percent in (50, 95, 99))
    work = percentile([load.work_s[event_id] for event_id in ids], 50)
    return Figures(interval, len(values), p50, p95, p99, max(values), work, checkpoint_mean)


def _moments(rate: float, count: int) -> Iterator[float]:
    """Yield seconds after the start: a random one in each 1/rate seconds, the same in every run."""
    choose = random.Random(SEED)
    return ((number + choose.random()) / rate for number in range(count))


def _table(measured: Iterable[Figures]) -> Table:
    table = Table(title="acknowledged event to committed status, seconds", title_justify="left", box=None)
    for heading in ("interval", "events", "p50", "p95", "p99", "max", "work p50", "checkpoint mean"):
        table.add_column(heading, justify="right", no_wrap=True)
    for figures in measured:
        interval, events, *times = _values(figures)
        table.add_row(interval, f"{events:,}", *(f"{value:.2f}" for value in times))
    return table


def _values(figures: Figures) -> tuple[Any, ...]:
    return tuple(asdict(figures).values())


if __name__ == "__main__":
    run_measurement("latency", latency)
