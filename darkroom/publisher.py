"""Puts sources into the images bucket and events onto the events topic, in that order.

Publisher   at least once; each event once unless the process dies between sending and acknowledgement
"""

import io
import mimetypes
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar

from kafka.errors import KafkaError
from minio import Minio

from darkroom.console import plural
from darkroom.errors import OperatorError
from darkroom.kafka import connect_producer, kafka_errors
from darkroom.kafka_refusals import refusal_in
from darkroom.storage import S3Objects, connect, storage_errors
from darkroom.target import Target
from schemas.keys import image_prefix
from schemas.record_codecs import event_codec
from schemas.records import ImageEvent, Source

LAST_WORDS_SECONDS = 5.0

Item = TypeVar("Item")


class Publisher:
    """Uploads sources and publishes events; leaving the context waits until every event is acknowledged.

    Its methods may be called by several threads. A delivery that failed raises OperatorError
    from the next ``event``, ``raw`` or ``flush``.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._bucket = target.buckets.images
        self._topic = target.topics.events
        self._codec = event_codec()
        self._store: Minio = connect(target)
        self._listing = S3Objects(target)
        self._producer = connect_producer(target.kafka_bootstrap)
        self._failures: list[BaseException] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            with suppress(KafkaError):  # what could not be delivered has been told
                self._producer.close(timeout=LAST_WORDS_SECONDS)

    def upload(self, user_id: str, image_id: str, data: bytes, version: int | None = None) -> Source:
        """Store an original and return where it lies, with its entity tag.

        `version` is the epoch in milliseconds unless given; it is the last part of the key.
        """
        key = source_key(user_id, image_id, now_ms() if version is None else version)
        kind = mimetypes.guess_type(image_id, strict=False)[0] or "application/octet-stream"
        with storage_errors(self._target, self._bucket):
            result = self._store.put_object(self._bucket, key, io.BytesIO(data), len(data), content_type=kind)
        return Source(bucket=self._bucket, key=key, etag=(result.etag or "").strip('"') or None)

    def sources(self, user_id: str, image_id: str) -> dict[int, Source]:
        """Return every stored original of an image by its version."""
        found = self._listing.list(self._bucket, image_prefix(user_id, image_id))
        pairs = ((_version_of(stored.key), stored) for stored in found)
        return {v: Source(bucket=self._bucket, key=s.key, etag=s.etag or None) for v, s in pairs if v is not None}

    def event(self, event: ImageEvent) -> None:
        """Publish one event under its user's key."""
        self.raw(event.user_id.encode(), self._codec.encode(event))

    def raw(self, key: bytes | None, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Publish any bytes, also such as are no event."""
        self._raise_failure()
        with kafka_errors(self._target.kafka_bootstrap):
            self._producer.send(self._topic, key=key, value=value, headers=list(headers)).add_errback(
                self._failures.append
            )

    def flush(self) -> None:
        """Wait until every event sent so far is acknowledged by all in-sync replicas."""
        with kafka_errors(self._target.kafka_bootstrap):
            self._producer.flush()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failures:
            first, count = self._failures[0], plural(len(self._failures), "event")
            where = f"{self._topic} on Kafka at {self._target.kafka_bootstrap}"
            remedy = refusal_in(type(first).__name__) or "publish again"
            message = f"{count} did not reach {where}: {type(first).__name__}; {remedy}"
            raise OperatorError(message) from first


def source_key(user_id: str, image_id: str, version: int) -> str:
    """Return ``user/image/version`` with untrusted parts encoded."""
    return f"{image_prefix(user_id, image_id)}{version}"


def next_version(known: dict[int, Any], now: int | None = None) -> int:
    """Return a version above every known one: the epoch in milliseconds, or one more than the newest."""
    return max([now_ms() if now is None else now, *(version + 1 for version in known)])


def now_ms() -> int:
    """Return the epoch in milliseconds."""
    return time.time_ns() // 1_000_000


def paced(items: Iterable[Item], rate: float | None) -> Iterator[Item]:
    """Pass the items on, at most `rate` of them a second and evenly; without a rate, at once."""
    started = time.monotonic()
    for count, item in enumerate(items):
        if rate:
            time.sleep(max(0.0, started + count / rate - time.monotonic()))
        yield item


def _version_of(key: str) -> int | None:
    last = key.rsplit("/", 1)[-1]
    return int(last) if last.isascii() and last.isdigit() else None
