"""Measures how much memory the job takes, and whether it grows: an hour of photographs at a steady load.

Resident memory of each part is looked at once a second. What the first tenth of the time shows, after the warm-up, is
put beside the last tenth, and a line through the last half tells the growth per hour.
"""

import os
import statistics
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from load import Load
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import panels, save_plot, write_figures, write_record
from photographs import photographs
from stored import backlog_rate
from throughput import upload
from watch_job import PARTS, JobWatch, Sample, watching

from darkroom.console import counting, output, remarks, write_json
from darkroom.flink import FlinkRest
from darkroom.stack.layout import cache_from, home_from
from darkroom.target import resolve_target

COMMAND = "make bench-memory"
BACKLOG_ROUNDS = 3  # of all photographs
LIMIT_SECONDS = 600.0
EDGE = 0.1  # of the samples: what is compared
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Growth:
    """Resident memory of one part, in MiB: the medians of the first and the last tenth, the most, and the trend."""

    part: str
    first: float
    last: float
    most: float
    per_hour: float  # by a line through the last half


def memory(
    minutes: Annotated[float, typer.Option(min=1, help="How long the load lasts.")] = 60.0,
    share: Annotated[float, typer.Option(min=0.01, max=1, help="The load, as a share of the capacity.")] = 0.5,
    interval: Annotated[str, typer.Option(help="Checkpoint interval.")] = "10s",
    write: Annotated[bool, typer.Option("--write", help="Write the figures and the plot into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print how much memory each part of the job has at the beginning and at the end of an hour under load.

    Starts the local stack if it does not run, and leaves it running; no job may run on it.
    """
    found = photographs(cache_from(os.environ).path, lambda said: remarks().print(said, style="dim"))
    darkroom("up", environment=dict(os.environ))
    with own_place(f"memory-{uuid.uuid4().hex[:8]}") as environment:
        target = resolve_target(environment)
        rest = FlinkRest(target)
        slots = int(rest.get("/overview")["slots-total"])
        sources = upload(target, found)
        with running_job(target, environment, interval) as job_id, Load(target, sources) as load:
            for _ in range(2):  # the first is the warm-up
                capacity = backlog_rate(load, target, len(sources) * BACKLOG_ROUNDS, LIMIT_SECONDS)
            remarks().print(f"capacity: {capacity:.1f} events/s; {share:.0%} of it for {minutes:g} min", style="dim")
            with watching(rest, job_id, home_from(environment).path, lambda: load.unanswered) as watch:
                _hold(load, capacity * share, minutes)
            load.wait_for(load.ids, LIMIT_SECONDS)
    grown = [_growth(watch.samples, part) for part in PARTS]
    rows = _rows(grown, slots)
    record = {
        "slots": slots,
        "minutes": minutes,
        "capacity": capacity,
        "events": len(load.ids),
        "parts": [asdict(one) for one in grown],
    }
    runs = f"One run: {minutes:g} min, {len(load.ids):,} events; {watch.restarts} restarts."
    if write:
        write_figures("performance", COMMAND, rows, runs)
        _plot(watch)
        write_record("performance", "memory", record)
    if as_json:
        write_json(record)
    else:
        for row in rows:
            output().print(" | ".join(row), soft_wrap=True)


def _hold(load: Load, rate: float, minutes: float) -> None:
    with load.steady(rate), counting("minutes under load", round(minutes)) as counter:
        end = time.monotonic() + minutes * 60
        while (left := end - time.monotonic()) > 0:
            load.check()
            time.sleep(min(60.0, left))
            counter.advance()


def _growth(samples: Sequence[Sample], part: str) -> Growth:
    values = [one.mebibytes[part] for one in samples]
    edge, half = max(1, int(len(values) * EDGE)), len(values) // 2
    trend = statistics.linear_regression([one.at for one in samples[half:]], values[half:])
    return Growth(
        part,
        statistics.median(values[:edge]),
        statistics.median(values[-edge:]),
        max(values),
        trend.slope * HOUR_S,
    )


def _rows(grown: Sequence[Growth], slots: int) -> list[tuple[str, ...]]:
    heading = ("resident memory of", "first tenth", "last tenth", "most", "last / first", "trend of the last half")
    rows: list[tuple[str, ...]] = [heading]
    for one in grown:
        rows.append(
            (
                one.part,
                f"{one.first:.0f} MiB",
                f"{one.last:.0f} MiB",
                f"{one.most:.0f} MiB",
                f"{one.last / one.first:.2f}",
                f"{one.per_hour:+.0f} MiB/h",
            )
        )
    of_slots = [one for one in grown if one.part != "JobManager"]
    first, last = sum(one.first for one in of_slots) / slots, sum(one.last for one in of_slots) / slots
    return [*rows, (f"**a slot** of {slots}", f"{first:.0f} MiB", f"{last:.0f} MiB", "", f"**{last / first:.2f}**", "")]


def _plot(watch: JobWatch) -> None:
    figure, (resident,) = panels(["resident memory, MiB"])
    start = watch.samples[0].at
    for part in PARTS:
        points = [one.at - start for one in watch.samples], [one.mebibytes[part] for one in watch.samples]
        resident.plot(*points, label=part)
    save_plot("performance", figure, "memory")


if __name__ == "__main__":
    run_measurement("memory", memory)
