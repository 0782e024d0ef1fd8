"""The job on the live stack: events go to Kafka, derivatives to the store, and a status counts when it is committed."""

import contextlib
import time
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

from equivalence import Made
from kafka import KafkaProducer
from minio import Minio
from stored import middle_rate, take_stored

from darkroom.errors import OperatorError
from darkroom.kafka import connect_producer, follow
from darkroom.ports import TopicRecord
from darkroom.storage import connect
from darkroom.target import Target
from peer.peer import Developed
from schemas.record_codecs import event_codec, status_codec
from schemas.records import EventKind, ImageEvent, ImageStatus, Outcome, Source
from udfs.imaging.preset import Preset

LIMIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Job:
    """The running job; one user per event, so that nothing is held back by the order of a user's images."""

    target: Target
    producer: KafkaProducer
    news: Iterator[tuple[str, TopicRecord] | None]
    store: Minio
    name: str = "the job"

    def develop(self, keys: Sequence[str], presets: Sequence[Preset]) -> Developed:
        """Send a backlog of events and wait for all statuses; what counts is the middle of it, as in `make bench`."""
        waited = sum(1 for _ in self._answers(self._send(keys, presets)))
        return Developed(waited, middle_rate(take_stored(self.target, waited, len(presets))))

    def made(self, keys: Sequence[str], presets: Sequence[Preset]) -> Made:
        """Have every derivative made, and read what the statuses say is stored."""
        sent = self._send(keys, presets)
        statuses = {sent[status.event_id]: status for _, status in self._answers(sent)}
        made = {(key, preset.name): self._read(statuses[key], preset) for key, preset in product(keys, presets)}
        take_stored(self.target, len(keys), len(presets))
        return made

    def _send(self, keys: Sequence[str], presets: Sequence[Preset]) -> dict[str, str]:
        """Send an event for each key and return the keys by the events' ids."""
        codec, sent = event_codec(), {}
        for key in keys:
            event = ImageEvent(
                event_id=str(uuid.uuid4()),
                kind=EventKind.UPLOADED,
                user_id=str(uuid.uuid4()),
                image_id=key,
                version=1,
                source=Source(bucket=self.target.buckets.images, key=key),
                presets=tuple(preset.name for preset in presets),
                occurred_at=datetime.now(UTC),
            )
            sent[event.event_id] = key
            self.producer.send(self.target.topics.events, key=event.user_id.encode(), value=codec.encode(event))
        self.producer.flush()
        return sent

    def _answers(self, sent: dict[str, str]) -> Iterator[tuple[float, ImageStatus]]:
        """Yield the committed status of each event and when it was seen, by the monotonic clock."""
        codec, missing, limit = status_codec(), set(sent), time.monotonic() + LIMIT_SECONDS
        while missing:
            news = next(self.news)
            if time.monotonic() > limit:
                message = f"{len(missing)} of {len(sent)} statuses did not come within {LIMIT_SECONDS:.0f} s"
                raise OperatorError(message)
            if news is None or news[1].value is None:
                continue
            status = codec.decode(news[1].value)
            if status.event_id in missing:
                _check(status)
                missing.remove(status.event_id)
                yield time.monotonic(), status

    def _read(self, status: ImageStatus, preset: Preset) -> bytes:
        made = next(one for one in status.derivatives if one.preset == preset.name)
        answer = self.store.get_object(made.bucket, made.key)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()


@contextlib.contextmanager
def following(target: Target) -> Iterator[Job]:
    """Yield the job that runs on the target's topics."""
    producer = connect_producer(target.kafka_bootstrap)
    news = follow(target.kafka_bootstrap, [target.topics.status], from_beginning=True)
    try:
        yield Job(target, producer, news, connect(target))
    finally:
        if isinstance(news, Generator):  # its consumer's thread would outlive an error
            news.close()
        producer.close()


def _check(status: ImageStatus) -> None:
    if status.outcome is not Outcome.READY:
        message = f"an event ended as {status.outcome}: {status.failures}"
        raise OperatorError(message)
