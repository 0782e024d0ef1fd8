"""A load of new images on the running job, and when each of its events was acknowledged and answered.

Both moments come from the monotonic clock of this one process: when the producer learned that the event is
acknowledged by all in-sync replicas, and when `poll` of a `read_committed` consumer returned its status.
"""

import math
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import count, takewhile
from threading import Event
from typing import Any, Self

from darkroom.errors import OperatorError
from darkroom.kafka import connect_producer, follow
from darkroom.publisher import Publisher
from darkroom.synthetic import synthetic_image
from darkroom.target import Target
from schemas.record_codecs import event_codec, status_codec
from schemas.records import EventKind, ImageEvent, ImageStatus, Source

SEED = 20_000
USERS = 1000


class Load:
    """Sends events and collects when their statuses arrive; leaving the context ends the reading.

    Several threads may send. Every event is a new image with the default presets, its source the next of those given
    or, without any, the same made-up JPEG of 2040x1404.
    """

    def __init__(self, target: Target, sources: Sequence[Source] = ()) -> None:
        self._target = target
        self._sources = sources
        self._stop = Event()
        self._codec = event_codec()
        self._background: list[Future[Any]] = []
        self.acknowledged_at: dict[str, float] = {}
        self.seen_at: dict[str, float] = {}
        self.work_s: dict[str, float] = {}
        self.ids: list[str] = []
        self.seen_twice = 0

    def __enter__(self) -> Self:
        if not self._sources:
            with Publisher(self._target) as publisher:
                self._sources = [publisher.upload("bench", "picture.jpg", synthetic_image(SEED), 1)]
        self._producer = connect_producer(self._target.kafka_bootstrap)
        self._threads = ThreadPoolExecutor(1, "reader")
        self._background = [self._threads.submit(self._read)]
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._threads.shutdown()
        self._producer.close()

    @property
    def unanswered(self) -> int:
        """How many events have no committed status yet."""
        return len(self.ids) - len(self.seen_at)

    def send_at(self, moments: Iterable[float], user_of: Callable[[int], str]) -> list[str]:
        """Send one event at each moment, in seconds from now, by the user of its number; return the events' ids."""
        started = time.monotonic()
        ids: list[str] = []
        for moment in moments:
            time.sleep(max(0.0, started + moment - time.monotonic()))
            ids.append(self._send(user_of(len(ids))))
        self._producer.flush()
        return ids

    def wait_for(self, ids: Sequence[str], limit_s: float) -> None:
        """Wait until every event is answered.

        Raises:
            OperatorError: some were not within the limit.
        """
        limit = time.monotonic() + limit_s
        while missing := [one for one in ids if one not in self.seen_at or one not in self.acknowledged_at]:
            self.check()
            if time.monotonic() > limit:
                message = f"{len(missing)} of {len(ids)} statuses did not come within {limit_s:.0f} s"
                raise OperatorError(message)
            time.sleep(0.2)

    def latencies(self, ids: Iterable[str]) -> list[float]:
        """Return the seconds from acknowledgement to status of events that are answered."""
        return [self.seen_at[one] - self.acknowledged_at[one] for one in ids]

    def check(self) -> None:
        """Raise what ended the reading of statuses or an endless load, if anything has."""
        for one in self._background:
            if one.done():
                one.result()

    @contextmanager
    def endless(self, moments: Iterable[float]) -> Iterator[None]:
        """Send one event at each of endless moments, in seconds from now, until the context is left."""
        done = Event()
        with ThreadPoolExecutor(1, "endless") as threads:
            sending = threads.submit(self.send_at, takewhile(lambda _: not done.is_set(), moments), user_of)
            self._background.append(sending)
            try:
                yield
            finally:
                done.set()
                self._background.remove(sending)
                sending.result()

    def steady(self, rate: float) -> AbstractContextManager[None]:
        """Send events at an even pace until the context is left."""
        return self.endless(number / rate for number in count())

    def _send(self, user: str) -> str:
        event = _event(self._sources[len(self.ids) % len(self._sources)], user)
        sent = self._producer.send(self._target.topics.events, key=user.encode(), value=self._codec.encode(event))
        sent.add_callback(lambda _: self.acknowledged_at.setdefault(event.event_id, time.monotonic()))
        self.ids.append(event.event_id)
        return event.event_id

    def _read(self) -> None:
        statuses = status_codec()
        for news in follow(self._target.kafka_bootstrap, [self._target.topics.status], from_beginning=True):
            now = time.monotonic()
            if self._stop.is_set():
                return
            if news is not None and news[1].value is not None:
                status = statuses.decode(news[1].value)
                self.work_s[status.event_id] = _work_s(status)
                self.seen_twice += status.event_id in self.seen_at
                self.seen_at.setdefault(status.event_id, now)


def user_of(number: int) -> str:
    """Return the user of an event by its number; they are so many that none is held back."""
    return f"user-{number % USERS}"


def random_moments(rate: float) -> Iterator[float]:
    """Yield seconds after the start without end: a random one in each 1/rate seconds, the same in every run.

    So events meet a checkpoint interval at all its phases; at an even pace they would meet it at the same few.
    """
    choose = random.Random(SEED)
    return ((number + choose.random()) / rate for number in count())


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all values do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def p50_p99_max(seconds: Sequence[float]) -> str:
    """Tell the percentiles of durations, and of how many."""
    if not seconds:
        return "none"
    told = ", ".join(f"{percentile(seconds, percent):.2f}" for percent in (50, 99, 100))
    return f"{told} s of {len(seconds)}"


def _event(source: Source, user: str) -> ImageEvent:
    return ImageEvent(
        event_id=str(uuid.uuid4()),
        kind=EventKind.UPLOADED,
        user_id=user,
        image_id=str(uuid.uuid4()),
        version=1,
        source=source,
        occurred_at=datetime.now(UTC),
    )


def _work_s(status: ImageStatus) -> float:
    timings = status.timings
    return (timings.fetch_ms + timings.render_ms + timings.store_ms) / 1000
