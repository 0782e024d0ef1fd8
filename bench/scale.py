"""Measures one slot against two, how long a killed TaskManager takes to work again, and how long a rescale takes.

Each round does all of it on one job, so that the machine's drift is in every ratio: at all slots a backlog drains;
under a steady load the TaskManager is killed (`kill -9`); under another one the job is stopped with a savepoint and
resumed with one slot, drains a backlog, and goes back to all slots the same way. A pause is the longest time without a
committed status, as a `read_committed` consumer sees it. Nothing else may use the machine.
"""

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import mean, median, quantiles
from typing import Annotated

import typer
from load import Load, user_of
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import write_figures, write_record
from scale_job import STEADY_SECONDS, Rescaled, ScaledJob

from darkroom.console import output, remarks, write_json
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.kafka import KafkaTopic
from darkroom.target import Target, resolve_target
from schemas.record_codecs import status_codec

COMMAND = "make bench-scale"
WARM_UP_EVENTS = 40
BACKLOG_SECONDS = 8.0  # of work at all slots; one slot gets the same events
STEADY_SHARE = 0.5
RESCALED_SHARE = 0.25  # one slot alone has to keep up with it, whatever the cores
DRAINED_SECONDS = 2.0  # drained: no more events wait than are worked off in this time
LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one round measured; rates in events per second, the rest in seconds."""

    rate_of_all: float
    rate_of_one: float
    first_status: float  # after the kill
    drained: float  # after the kill
    waiting: int  # most events without a status meanwhile
    down: Rescaled  # to one slot
    up: Rescaled  # and back


def scale(
    rounds: Annotated[int, typer.Option(min=1, help="How often all of it is done; one takes about two minutes.")] = 5,
    interval: Annotated[str, typer.Option(help="Checkpoint interval.")] = "1s",
    write: Annotated[bool, typer.Option("--write", help="Write the figures into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print what a second slot brings, and how long the job pauses after a kill and while it is rescaled.

    Starts the local stack if it does not run, and leaves it running; no job may run on it, and it needs two slots.
    """
    darkroom("up", environment=dict(os.environ))
    with own_place(f"scale-{uuid.uuid4().hex[:8]}") as environment:
        target = resolve_target(environment)
        slots = int(FlinkRest(target).get("/overview")["slots-total"])
        if slots < 2:
            message = "the stack has one slot; start it with `darkroom up --slots 2`"
            raise OperatorError(message)
        with running_job(target, environment, interval), Load(target) as load:
            job = ScaledJob(load, target, environment, interval)
            load.wait_for(load.send_at([0.0] * WARM_UP_EVENTS, user_of), LIMIT_SECONDS)
            measured = [_round(job, slots, number) for number in range(rounds)]
        record = {"slots": slots, "bytes": _sizes(target), "rounds": [asdict(one) for one in measured]}
    rows = _rows(measured, slots)
    if write:
        write_figures("performance", COMMAND, rows, f"{rounds} rounds: the median and the middle half of them.")
        write_record("performance", "scale", record)
    if as_json:
        write_json(record)
    else:
        for row in rows[1:]:
            output().print(": ".join(row), soft_wrap=True)


def _round(job: ScaledJob, slots: int, number: int) -> Round:
    rough = job.backlog_rate(WARM_UP_EVENTS)
    backlog = round(rough * BACKLOG_SECONDS)
    rate_of_all = job.backlog_rate(backlog)
    remarks().print(f"round {number + 1}: {rate_of_all:.1f} events/s with {slots} slots", style="dim")
    rescaled_at = rate_of_all * RESCALED_SHARE
    first_status, drained, waiting = _killed(job, rate_of_all)
    remarks().print(f"killed: first status after {first_status:.1f} s, drained after {drained:.1f} s", style="dim")
    down = job.rescale(1, rescaled_at)
    rate_of_one = job.backlog_rate(backlog)
    up = job.rescale(slots, rescaled_at)
    remarks().print(f"round {number + 1}: {rate_of_one:.1f} events/s with one slot", style="dim")
    return Round(rate_of_all, rate_of_one, first_status, drained, waiting, down, up)


def _killed(job: ScaledJob, capacity: float) -> tuple[float, float, int]:
    with job.load.steady(capacity * STEADY_SHARE):
        time.sleep(STEADY_SECONDS)
        killed, sent, most = job.kill(), len(job.load.ids), 0
        limit = killed + LIMIT_SECONDS
        while not _answers(job.load, sent) or job.load.unanswered > capacity * DRAINED_SECONDS:
            if time.monotonic() > limit:
                message = f"{job.load.unanswered} events are unanswered {LIMIT_SECONDS:.0f} s after the kill"
                raise OperatorError(message)
            most = max(most, job.load.unanswered)
            time.sleep(0.1)
        drained = time.monotonic()
        _, first = job.longest_pause(killed)
    job.load.wait_for(job.load.ids, LIMIT_SECONDS)
    return first - killed, drained - killed, most


def _answers(load: Load, sent: int) -> bool:
    """Tell whether an event has a status that came after so many."""
    return any(one in load.seen_at for one in load.ids[sent:])


def _sizes(target: Target) -> dict[str, float]:
    """Return how many bytes one event has: its record, its status, its source, and its derivatives together."""
    with KafkaTopic(target.kafka_bootstrap, target.topics.status) as topic:
        values = [one.value for one in topic.read() if one.value]
    with KafkaTopic(target.kafka_bootstrap, target.topics.events) as topic:
        events = [one.value for one in topic.read() if one.value]
    statuses = [status_codec().decode(value) for value in values[:100]]
    return {
        "event": mean(map(len, events)),
        "status": mean(map(len, values)),
        "source": mean(one.source.bytes for one in statuses if one.source),
        "derivatives": mean(sum(made.bytes for made in one.derivatives) for one in statuses),
    }


def _rows(measured: list[Round], slots: int) -> list[tuple[str, str]]:
    def spread(values: list[float], unit: str) -> str:
        low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        return f"{middle:.2f}{unit} ({low:.2f} to {high:.2f})"

    def seconds(of: Callable[[Round], float]) -> str:
        return spread([of(one) for one in measured], " s")

    return [
        ("measured", "value"),
        ("one slot", spread([one.rate_of_one for one in measured], " events/s")),
        (f"{slots} slots", spread([one.rate_of_all for one in measured], " events/s")),
        ("`kill -9` of the TaskManager: until the first status", seconds(lambda one: one.first_status)),
        ("until the lag of it is drained, at a steady load of half the capacity", seconds(lambda one: one.drained)),
        ("most events without a status meanwhile", f"{median(one.waiting for one in measured):.0f}"),
        (
            f"from {slots} slots to one at a quarter of the capacity: longest time without a status",
            seconds(lambda one: one.down.pause),
        ),
        ("`flink stop` with a savepoint takes", seconds(lambda one: one.down.stop)),
        ("`darkroom submit` takes", seconds(lambda one: one.down.submit)),
        (
            f"from one slot to {slots} at a quarter of it: longest time without a status",
            seconds(lambda one: one.up.pause),
        ),
        ("`flink stop` with a savepoint takes", seconds(lambda one: one.up.stop)),
        ("`darkroom submit` takes", seconds(lambda one: one.up.submit)),
        (
            f"{slots} slots by one: events/s",
            f"**{spread([one.rate_of_all / one.rate_of_one for one in measured], '')}**",
        ),
    ]


if __name__ == "__main__":
    run_measurement("scale", scale)
