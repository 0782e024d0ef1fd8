"""Measures what one flooding user does to the latency of everyone else, with per-user shaping and without it.

Many users send at three tenths of the capacity in total, and go on while one more user floods at ten times the
capacity. Latency is that of the many users' events, from acknowledgement to committed status (see bench/load.py).
Without shaping the flood lasts a fraction of the time: its backlog takes ten times as long to drain. Nothing else may
use the machine.
"""

import os
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Annotated

import typer
from load import Load, percentile, random_moments
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import panels, save_plot, write_figures, write_record
from stored import backlog_rate
from watch_job import JobWatch, watching

from darkroom.console import output, remarks, write_json
from darkroom.flink import FlinkRest
from darkroom.stack.layout import home_from
from darkroom.target import resolve_target

COMMAND = "make bench-flood"
USERS = 50
WARM_UP_EVENTS = 40
BACKLOG_EVENTS = 200
TIMES = 10
SHARE = 0.3
UNSHAPED_PART = 0.1  # how much of the time the flood lasts when nothing holds it back
UNSHAPED = {"DARKROOM_USER_EVENTS_PER_MINUTE": "1000000", "DARKROOM_USER_BURST": "1000000"}
LIMIT_SECONDS = 1200.0


@dataclass(frozen=True, slots=True)
class Latencies:
    """Those of everyone but the flooding user, in seconds."""

    events: int
    p50: float
    p95: float
    max: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the job: quiet, then with the flood."""

    quiet: Latencies
    flooded: Latencies
    p95_ratio: float
    flood_rate: float
    flood_events: int
    flood_answered: int  # while the others were measured
    most_held: int
    restarts: int
    failed_checkpoints: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the plot shows of one run: the time of each event of everyone else and its latency."""

    run: Run
    points: list[tuple[float, float]]
    held: list[tuple[float, int]]
    flood: tuple[float, float]


def flood(
    seconds: Annotated[float, typer.Option(min=10, help="How long everyone is measured, quiet and flooded.")] = 90.0,
    interval: Annotated[str, typer.Option(help="Checkpoint interval.")] = "1s",
    write: Annotated[bool, typer.Option("--write", help="Write the figures and the plot into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print how long everyone else waits while one user floods the job at ten times its capacity.

    Starts the local stack if it does not run, and leaves it running; no job may run on it. Settings of the shaping in
    the environment (DARKROOM_USER_BURST, ...) are those that are measured.
    """
    darkroom("up", environment=dict(os.environ))
    shaped = _measure(interval, seconds, seconds, {})
    unshaped = _measure(interval, seconds, seconds * UNSHAPED_PART, UNSHAPED)
    rows = _rows(shaped.run, unshaped.run)
    record = {"shaped": asdict(shaped.run), "unshaped": asdict(unshaped.run)}
    if write:
        write_figures("load", COMMAND, rows)
        _plot(shaped, unshaped)
        write_record("performance", "flood", record)
    if as_json:
        write_json(record)
    else:
        for name, *values in rows[1:]:
            output().print(f"{name}: {' | '.join(values)}", soft_wrap=True)


def _measure(interval: str, seconds: float, flood_seconds: float, settings: dict[str, str]) -> _Seen:
    with own_place(f"flood-{uuid.uuid4().hex[:8]}") as place:
        environment = {**place, **settings}
        target = resolve_target(environment)
        with running_job(target, environment, interval) as job_id, Load(target) as load:
            load.wait_for(load.send_at([0.0] * WARM_UP_EVENTS, _user), LIMIT_SECONDS)
            capacity = backlog_rate(load, target, BACKLOG_EVENTS, LIMIT_SECONDS)
            remarks().print(f"capacity: {capacity:.1f} events/s", style="dim")
            with watching(FlinkRest(target), job_id, home_from(environment).path, lambda: load.unanswered) as watch:
                return _flood(load, watch, capacity, seconds, flood_seconds)


def _flood(load: Load, watch: JobWatch, capacity: float, seconds: float, flood_seconds: float) -> _Seen:
    start = time.monotonic()
    quiet = load.send_at(islice(random_moments(capacity * SHARE), round(capacity * SHARE * seconds)), _user)
    load.wait_for(quiet, LIMIT_SECONDS)
    with ThreadPoolExecutor(1, "flood") as threads:
        begun = time.monotonic()
        moments = (number / (capacity * TIMES) for number in range(round(capacity * TIMES * flood_seconds)))
        flooding = threads.submit(load.send_at, moments, lambda _: "flooding-user")
        everyone = load.send_at(islice(random_moments(capacity * SHARE), round(capacity * SHARE * seconds)), _user)
        load.wait_for(everyone, LIMIT_SECONDS)
        sent = flooding.result()
    before, after = _latencies(load, quiet), _latencies(load, everyone)
    run = Run(
        quiet=before,
        flooded=after,
        p95_ratio=after.p95 / before.p95,
        flood_rate=capacity * TIMES,
        flood_events=len(sent),
        flood_answered=sum(one in load.seen_at for one in sent),
        most_held=max(one.held for one in watch.samples),
        restarts=watch.restarts,
        failed_checkpoints=watch.failed_checkpoints,
    )
    ids = [*quiet, *everyone]
    points = list(zip((load.acknowledged_at[one] - start for one in ids), load.latencies(ids), strict=True))
    held = [(one.at - start, one.held) for one in watch.samples]
    return _Seen(run, points, held, (begun - start, begun - start + flood_seconds))


def _user(number: int) -> str:
    return f"user-{number % USERS}"


def _latencies(load: Load, ids: list[str]) -> Latencies:
    values = load.latencies(ids)
    return Latencies(len(values), percentile(values, 50), percentile(values, 95), max(values))


def _rows(shaped: Run, unshaped: Run) -> list[tuple[str, ...]]:
    def row(name: str, *values: str) -> tuple[str, ...]:
        return (name, *values)

    def latencies(one: Latencies) -> str:
        return f"{one.p50:.2f} / {one.p95:.2f} / {one.max:.2f} s"

    runs = (shaped, unshaped)
    return [
        row("measured", "with shaping", "without"),
        row("everyone else before the flood: p50 / p95 / max", *(latencies(one.quiet) for one in runs)),
        row("everyone else during the flood: p50 / p95 / max", *(latencies(one.flooded) for one in runs)),
        row("p95 during by p95 before", *(f"**{one.p95_ratio:.2f}**" for one in runs)),
        row("events of everyone else, each time", *(f"{one.flooded.events:,}" for one in runs)),
        row("the flood", *(f"{one.flood_events:,} events at {one.flood_rate:.0f} per second" for one in runs)),
        row("of the flood answered when everyone else was", *(f"{one.flood_answered:,}" for one in runs)),
        row("most events held", *(f"{one.most_held:,}" for one in runs)),
        row("restarts, failed checkpoints", *(f"{one.restarts}, {one.failed_checkpoints}" for one in runs)),
    ]


def _plot(shaped: _Seen, unshaped: _Seen) -> None:
    figure, (first, held, second) = panels(
        [
            "latency of everyone else with shaping, seconds",
            "events of the flooding user that are held, with shaping",
            "latency of everyone else without shaping, seconds",
        ]
    )
    held.plot(*zip(*shaped.held, strict=True))
    for axes, seen in ((first, shaped), (second, unshaped)):
        at, waited = zip(*seen.points, strict=True)
        axes.scatter(at, waited, s=4, label="one event")
        axes.axhline(2 * seen.run.quiet.p95, color="tab:red", linestyle="--", label="twice the p95 without the flood")
        axes.axvspan(*seen.flood, color="tab:orange", alpha=0.2)
    held.axvspan(*shaped.flood, color="tab:orange", alpha=0.2)
    save_plot("load", figure, "flood")


if __name__ == "__main__":
    run_measurement("flood", flood)
