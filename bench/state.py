"""Measures decode and admit alone, per slot, by the number of users, of remembered event ids, and by state backend.

Admit's state is filled first, outside of all timing. Then one job per number of users and backend, with one slot each,
stands on a stack of its own, and in each round every job in turn gets one burst of events of users drawn from all, one
of a few users, and a checkpoint. Events are deletions of new images; what is admitted is counted by the offsets of a
topic. CPU is that of the TaskManager and the Python workers, of which only one works at a time. In the same rounds this
process renders the default presets and one 512 px JPEG, so that the share of an event's CPU is known.
"""

import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Annotated

import psutil
import typer
from admit_place import cancel, checkpoint, filled_state, own_stack, submit
from measurement import run_measurement
from own_place import own_place
from pages import write_figures, write_record
from state_report import Burst, Measured, ratios, record, rows

from darkroom.console import counting, output, write_json
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.kafka import connect_consumer, connect_producer, partitions_of
from darkroom.stack.layout import home_from
from darkroom.stack.processes import marked_processes, python_workers
from darkroom.synthetic import synthetic_image
from darkroom.target import Target, resolve_target
from jobs.presets_reading import read_presets
from jobs.settings import DEFAULT_PRESETS
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent
from udfs.imaging.presets import Presets, parse_presets
from udfs.imaging.render import render

COMMAND = "make bench-state"
BACKENDS = {
    "hashmap": {"state.backend.type": "hashmap"},
    "rocksdb": {"state.backend.type": "rocksdb", "execution.checkpointing.incremental": "true"},
}
HOT_USERS = 50
CODEC = event_codec()
OVERDUE_SECONDS = 120.0
PICTURES = {"default presets": 3, "one 512 px JPEG": 12}  # rendered in each round
ONE = (
    "version: 1\npresets:\n- {name: one, width: 512, height: 512, format: jpeg, quality: 80}\nsets: {default: [one]}\n"
)


def state(
    users: Annotated[list[int] | None, typer.Option(min=100, help="Users; give it several times.")] = None,
    ids: Annotated[int, typer.Option(min=1, help="Event ids remembered of each user.")] = 10,
    events: Annotated[int, typer.Option(min=100, help="Events per burst.")] = 2000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each job is measured.")] = 5,
    write: Annotated[bool, typer.Option("--write", help="Write the figures into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print what decode and admit cost with 1,000, 100,000 and 1,000,000 users, or those given, on both backends."""
    with ExitStack() as places:
        places.enter_context(own_stack())
        savepoints = {number: filled_state(number, ids) for number in users or [1000, 100_000, 1_000_000]}
        jobs = [
            (Measured(backend, number, number * ids), places.enter_context(_running(backend, savepoint)))
            for number, savepoint in savepoints.items()
            for backend in BACKENDS
        ]
        rendering = _measure(jobs, events, rounds)
    measured = [one for one, _ in jobs]
    table = rows(measured)
    if write:
        write_figures("performance", COMMAND, [*table, *ratios(measured, rendering)], f"{rounds} rounds; medians.")
        write_record("performance", "state", record(measured, rendering))
    if as_json:
        write_json(record(measured, rendering))
    else:
        for line in [*table, *ratios(measured, rendering)]:
            output().print(" | ".join(line), soft_wrap=True)


class _Job:
    """One running job: sends it events, and sees what it has admitted."""

    def __init__(self, target: Target, job_id: str) -> None:
        self.target = target
        self.job_id = job_id
        self.rest = FlinkRest(target)
        self._producer = connect_producer(target.kafka_bootstrap)
        self._consumer = connect_consumer(target.kafka_bootstrap, "read_uncommitted")
        self._partitions = partitions_of(self._consumer, target.kafka_bootstrap, target.topics.status)

    def burst(self, users: Sequence[str]) -> Burst:
        """Send one event of each user and wait until all are admitted."""
        records = [(user.encode(), _event(user)) for user in users]
        before, cpu = self._admitted(), _cpu_s()
        for user, value in records:
            self._producer.send(self.target.topics.events, key=user, value=value)
        self._producer.flush()
        seen = list(self._arriving(before, len(records)))
        java, python = (after - start for after, start in zip(_cpu_s(), cpu, strict=True))
        first = next(one for one in seen if one[1] >= len(records) / 5)
        rate = (seen[-1][1] - first[1]) / (seen[-1][0] - first[0])
        return Burst(rate, java * 1000 / len(records), python * 1000 / len(records))

    def _arriving(self, before: int, wanted: int) -> Iterator[tuple[float, int]]:
        limit = time.monotonic() + OVERDUE_SECONDS
        count = 0
        while count < wanted:
            if time.monotonic() > limit:
                message = f"{count} of {wanted} events were admitted within {OVERDUE_SECONDS:.0f} s"
                raise OperatorError(message)
            time.sleep(0.02)
            count = self._admitted() - before
            yield time.monotonic(), count

    def _admitted(self) -> int:
        return sum(self._consumer.end_offsets(self._partitions).values())


@contextmanager
def _running(backend: str, savepoint: str) -> Iterator[_Job]:
    with own_place(f"state-{uuid.uuid4().hex[:8]}") as environment:
        job_id = submit(environment, ["measure"], 1, BACKENDS[backend], savepoint)
        job = _Job(resolve_target(environment), job_id)
        try:
            yield job
        finally:
            cancel(job.target, job_id)


def _measure(jobs: Sequence[tuple[Measured, _Job]], events: int, rounds: int) -> dict[str, list[float]]:
    choose = random.Random(1)
    presets = {"default presets": read_presets(DEFAULT_PRESETS), "one 512 px JPEG": parse_presets(ONE, COMMAND)}
    rendering: dict[str, list[float]] = {name: [] for name in presets}
    picture = synthetic_image(1)
    with counting("measuring", rounds * len(jobs)) as counter:
        for number in range(rounds + 1):
            for measured, job in jobs:
                cold = job.burst([f"user-{choose.randrange(measured.users)}" for _ in range(events)])
                hot = job.burst([f"user-{choose.randrange(HOT_USERS)}" for _ in range(events)])
                taken = checkpoint(job.rest, job.target, job.job_id)
                if number:  # the first round is the warm-up
                    measured.cold.append(cold)
                    measured.hot.append(hot)
                    measured.checkpoints.append(taken)
                    counter.advance()
            for name, chosen in presets.items():
                rendering[name].append(_render_ms(picture, chosen, PICTURES[name]))
    return {name: taken[1:] for name, taken in rendering.items()}  # the first round warms up


def _render_ms(picture: bytes, presets: Presets, pictures: int) -> float:
    started = time.process_time()
    for _ in range(pictures):
        render(picture, presets.choose(None))
    return (time.process_time() - started) * 1000 / pictures


def _cpu_s() -> tuple[float, float]:
    home = home_from(os.environ).path
    workers = python_workers(home)
    java = [one.pid for one in marked_processes(home, "taskmanager") if one.name() == "java"]
    return _sum_s(java), _sum_s(workers)


def _sum_s(pids: Sequence[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(one.user + one.system for one in times)


def _event(user: str) -> bytes:
    return CODEC.encode(
        ImageEvent(
            event_id=str(uuid.uuid4()),
            kind=EventKind.DELETED,
            user_id=user,
            image_id=str(uuid.uuid4()),
            version=1,
            occurred_at=datetime.now(UTC),
        )
    )


if __name__ == "__main__":
    run_measurement("state", state)
