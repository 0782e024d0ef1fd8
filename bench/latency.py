"""Measures how long a status takes to become visible, at light load, for several checkpoint intervals.

Latency of one event: the moment at which `poll` of a `read_committed` consumer has returned its status, minus the
moment at which the producer has learned that its event is acknowledged by all in-sync replicas. Both moments come
from the monotonic clock of this one process, so no two machines' clocks are compared. The source is stored before the
event is sent; storing it is not counted, nor is sending the event.

Every event asks for the default presets of the same made-up 2040x1404 JPEG, as a new image. In each 1/rate seconds one
event is sent, at a random moment: at an even pace, all events would meet a checkpoint interval at the same few phases.
"""

import contextlib
import math
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Annotated, Any

import typer
from kafka.admin import KafkaAdminClient
from rich.table import Table

from darkroom.console import Counter, counted, counting, output, remarks, write_json
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest, flink_home, run, run_environment
from darkroom.kafka import connect_producer, follow
from darkroom.publisher import Publisher
from darkroom.stack.broker import make_topics
from darkroom.stack.layout import home_from
from darkroom.stack.record import read_record
from darkroom.stack.store import make_buckets
from darkroom.storage import connect
from darkroom.synthetic import synthetic_image
from darkroom.target import Target, resolve_target
from schemas.records import EventKind, ImageEvent, ImageStatus, Source, event_codec, status_codec

USERS = 20
WARM_UP_EVENTS = 20  # the first images pay for imports, connections and the JVM's compilation
OVERDUE_SECONDS = 120.0
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
    _darkroom("up", environment=dict(os.environ))
    measured = [_measure(one, rate, round(seconds * rate)) for one in interval or ["1s", "10s"]]
    if as_json:
        write_json([asdict(figures) for figures in measured])
    else:
        output().print(_table(measured))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def _measure(interval: str, rate: float, events: int) -> Figures:
    with _own_place(f"latency-{interval}-{uuid.uuid4().hex[:8]}".lower()) as environment:
        target = resolve_target(environment)
        with _running_job(target, environment, interval) as job_id, _Load(target) as load:
            _rounds(load, f"{interval}: warm-up", rate, WARM_UP_EVENTS)
            ids = _rounds(load, f"{interval}: measured", rate, events)
            checkpoints = FlinkRest(target).get(f"/jobs/{job_id}/checkpoints")
        return _figures(interval, load, ids, checkpoints["summary"]["end_to_end_duration"]["avg"] / 1000)


def _rounds(load: "_Load", description: str, rate: float, count: int) -> list[str]:
    with counting(description, count) as counter:
        return load.run(_moments(rate, count), counter)


def _figures(interval: str, load: "_Load", ids: Sequence[str], checkpoint_mean: float) -> Figures:
    values = [load.seen_at[event_id] - load.acknowledged_at[event_id] for event_id in ids]
    p50, p95, p99 = (percentile(values, percent) for percent in (50, 95, 99))
    work = percentile([load.work_s[event_id] for event_id in ids], 50)
    return Figures(interval, len(values), p50, p95, p99, max(values), work, checkpoint_mean)


def _moments(rate: float, count: int) -> Iterator[float]:
    """Yield seconds after the start: a random one in each 1/rate seconds, the same in every run."""
    choose = random.Random(SEED)
    return ((number + choose.random()) / rate for number in range(count))


class _Load:
    """Sends events and collects when their statuses arrive; leaving the context ends the reading."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stop = Event()
        self._codec = event_codec()
        self.acknowledged_at: dict[str, float] = {}
        self.seen_at: dict[str, float] = {}
        self.work_s: dict[str, float] = {}

    def __enter__(self) -> "_Load":
        self._source = self._store_source()
        self._producer = connect_producer(self._target.kafka_bootstrap)
        self._threads = ThreadPoolExecutor(1, "reader")
        self._reading: Future[None] = self._threads.submit(self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._threads.shutdown()
        self._producer.close()

    def run(self, moments: Iterable[float], counter: Counter) -> list[str]:
        """Send one event at each moment, wait for all their statuses, and return the ids of the events."""
        started = time.monotonic()
        ids: list[str] = []
        for moment in counted(moments, counter):
            time.sleep(max(0.0, started + moment - time.monotonic()))
            ids.append(self._send(len(ids)))
        self._producer.flush()
        counter.describe("waiting for the last statuses")
        self._await(ids)
        return ids

    def _store_source(self) -> Source:
        with Publisher(self._target) as publisher:
            return publisher.upload("bench", "picture.jpg", synthetic_image(SEED), 1)

    def _send(self, number: int) -> str:
        event = _event(self._source, number)
        sent = self._producer.send(
            self._target.topics.events, key=event.user_id.encode(), value=self._codec.encode(event)
        )
        sent.add_callback(lambda _: self.acknowledged_at.setdefault(event.event_id, time.monotonic()))
        return event.event_id

    def _await(self, ids: Sequence[str]) -> None:
        limit = time.monotonic() + OVERDUE_SECONDS
        while missing := [one for one in ids if one not in self.seen_at or one not in self.acknowledged_at]:
            if self._reading.done():
                self._reading.result()
            if time.monotonic() > limit:
                message = f"{len(missing)} of {len(ids)} statuses did not come within {OVERDUE_SECONDS:.0f} s"
                raise OperatorError(message)
            time.sleep(0.2)

    def _read(self) -> None:
        statuses = status_codec()
        for news in follow(self._target.kafka_bootstrap, [self._target.topics.status], from_beginning=True):
            now = time.monotonic()
            if self._stop.is_set():
                return
            if news is not None and news[1].value is not None:
                status = statuses.decode(news[1].value)
                self.work_s[status.event_id] = _work_s(status)
                self.seen_at.setdefault(status.event_id, now)


def _event(source: Source, number: int) -> ImageEvent:
    return ImageEvent(
        event_id=str(uuid.uuid4()),
        kind=EventKind.UPLOADED,
        user_id=f"user-{number % USERS}",
        image_id=str(uuid.uuid4()),
        version=1,
        source=source,
        occurred_at=datetime.now(UTC),
    )


def _work_s(status: ImageStatus) -> float:
    timings = status.timings
    return (timings.fetch_ms + timings.render_ms + timings.store_ms) / 1000


@contextlib.contextmanager
def _own_place(name: str) -> Iterator[dict[str, str]]:
    """Make topics and buckets that nothing else uses, yield the environment that names them, and delete them."""
    record = read_record(home_from(os.environ))
    if record is None:
        message = "there is no record of a stack; run `darkroom up`"
        raise OperatorError(message)
    names = (
        "EVENTS_TOPIC",
        "STATUS_TOPIC",
        "DEAD_LETTERS_TOPIC",
        "IMAGES_BUCKET",
        "DERIVATIVES_BUCKET",
        "FLINK_BUCKET",
    )
    own = {f"DARKROOM_{one}": f"{name}-{one.rpartition('_')[0].lower().replace('_', '-')}" for one in names}
    identity = {"DARKROOM_CONSUMER_GROUP": name, "DARKROOM_TRANSACTIONAL_ID_PREFIX": name}
    environment = {**os.environ, **own, **identity}
    target = resolve_target(environment)
    place = record.model_copy(update={"topics": target.topics, "buckets": target.buckets})
    try:
        make_topics(place)
        make_buckets(place)
        yield environment
    finally:
        _delete_topics(target)
        _delete_buckets(target)


def _delete_topics(target: Target) -> None:
    admin = KafkaAdminClient(bootstrap_servers=target.kafka_bootstrap.split(","))
    try:
        admin.delete_topics(sorted(set(target.topics.names()) & set(admin.list_topics())))
    finally:
        admin.close()


def _delete_buckets(target: Target) -> None:
    store = connect(target)
    for bucket in filter(store.bucket_exists, target.buckets.names()):
        for found in store.list_objects(bucket, recursive=True):
            store.remove_object(bucket, found.object_name or "")
        store.remove_bucket(bucket)


@contextlib.contextmanager
def _running_job(target: Target, environment: dict[str, str], interval: str) -> Iterator[str]:
    """Submit the job, yield its id, and cancel it."""
    rest = FlinkRest(target)
    if rest.running_jobs():
        message = "a job runs on this cluster and would share its slots; cancel it, then measure"
        raise OperatorError(message)
    directory = f"execution.checkpointing.dir=s3://{target.buckets.flink}/checkpoints"
    try:
        _darkroom("submit", "--checkpoint-interval", interval, "-D", directory, environment=environment)
        yield rest.running_jobs()[0].job_id
    finally:
        for job in rest.running_jobs():
            run([str(flink_home(target) / "bin" / "flink"), "cancel", job.job_id], run_environment(target))
        _wait_until_none_runs(rest)


def _wait_until_none_runs(rest: FlinkRest) -> None:
    limit = time.monotonic() + OVERDUE_SECONDS
    while jobs := rest.running_jobs():
        if time.monotonic() > limit:
            message = f"job {jobs[0].job_id} is still {jobs[0].state}, {OVERDUE_SECONDS:.0f} s after it was cancelled"
            raise OperatorError(message)
        time.sleep(0.2)


def _darkroom(*arguments: str, environment: dict[str, str]) -> None:
    remarks().print(f"$ darkroom {' '.join(arguments)}", style="dim", soft_wrap=True)
    done = subprocess.run(
        [sys.executable, "-m", "darkroom", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise OperatorError((done.stderr or done.stdout).strip().removeprefix("darkroom: "))


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


def main() -> None:
    """Run the measurement; an expected failure is one sentence and its exit status, Ctrl-C is status 130."""
    try:
        typer.run(latency)
    except OperatorError as error:
        remarks().print(f"latency: {error}", style="red", soft_wrap=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
