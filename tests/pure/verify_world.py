"""A world in order: events, their outcomes and their objects; a test breaks one thing in it and verifies."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from darkroom.ports import StoredObject, TopicRecord
from darkroom.verify import Options, Report, Streams, verify_streams
from schemas.keys import derivative_key
from schemas.reasons import Reason
from schemas.record_codecs import dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, Derivative, EventKind, ImageEvent, ImageStatus, Outcome, Source, Stage

BUCKET = "derivatives"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


class FakeTopic:
    """A topic of one partition; `arrivals` holds what each further read finds."""

    def __init__(self) -> None:
        self.records: list[TopicRecord] = []
        self.arrivals: list[list[tuple[bytes | None, int]]] = []
        self.uncommitted = 0
        self._read = 0

    def append(self, value: bytes | None, timestamp_ms: int = NOW_MS) -> None:
        self.records.append(TopicRecord(0, len(self.records), timestamp_ms, None, value))

    def drop(self, index: int) -> None:
        del self.records[index]

    def read(self) -> Iterator[TopicRecord]:
        if self._read and self.arrivals:
            for value, timestamp_ms in self.arrivals.pop(0):
                self.append(value, timestamp_ms)
        first, self._read = self._read, len(self.records)
        yield from self.records[first : self._read]

    def pending(self) -> int:
        return self.uncommitted


class FakeObjects:
    """Buckets of bytes."""

    def __init__(self) -> None:
        self.data: dict[tuple[str, str], bytes] = {}
        self.reads = 0

    def list(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        for (one, key), data in sorted(self.data.items()):
            if one == bucket and key.startswith(prefix):
                yield StoredObject(key, len(data), "etag")

    def read(self, bucket: str, key: str) -> bytes | None:
        return self.data.get((bucket, key))

    def sha256(self, bucket: str, key: str) -> str | None:
        self.reads += 1
        data = self.data.get((bucket, key))
        return None if data is None else hashlib.sha256(data).hexdigest()


@dataclass
class World:
    """Everything that verify reads."""

    events: FakeTopic = field(default_factory=FakeTopic)
    statuses: FakeTopic = field(default_factory=FakeTopic)
    letters: FakeTopic = field(default_factory=FakeTopic)
    earlier: FakeTopic | None = None
    objects: FakeObjects = field(default_factory=FakeObjects)

    def event(self, event_id: str, image: str = "cat", version: int = 1, kind: EventKind = EventKind.UPLOADED) -> bytes:
        value = event_bytes(event_id, image, version, kind)
        self.events.append(value)
        return value

    def store(self, image: str, version: int, preset: str, recipe: str = "r1") -> Derivative:
        key = derivative_key("ann", image, version, preset, recipe, "webp")
        data = f"{key} in pixels".encode()
        self.objects.data[BUCKET, key] = data
        return Derivative(
            preset=preset,
            preset_version=1,
            bucket=BUCKET,
            key=key,
            width=8,
            height=8,
            format="webp",
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def upload(
        self, event_id: str, image: str = "cat", version: int = 1, presets: tuple[str, ...] = ("s", "m")
    ) -> None:
        self.event(event_id, image, version)
        self.statuses.append(status_bytes(event_id, image, version, [self.store(image, version, p) for p in presets]))

    def fail(self, event_id: str, image: str = "dog") -> None:
        payload = self.event(event_id, image)
        self.statuses.append(status_bytes(event_id, image, outcome=Outcome.FAILED))
        self.letters.append(letter_bytes(payload, event_id))

    def garbage(self, value: bytes) -> None:
        self.events.append(value)
        self.letters.append(letter_bytes(value))

    def remove(self, image: str, version: int) -> None:
        for bucket, key in [k for k in self.objects.data if k[1].startswith(f"ann/{image}/{version}/")]:
            del self.objects.data[bucket, key]

    def verify(self, **options: object) -> Report:
        streams = Streams(self.events, self.statuses, self.letters, self.earlier)
        return verify_streams(streams, self.objects, Options(**{"poll_seconds": 0.0, **options}))


def world_in_order() -> World:
    """Return a world with one of everything, in which nothing is wrong."""
    world = World()
    world.upload("e1", presets=("s", "m", "l"))
    world.upload("e2", version=2)
    world.remove("cat", 1)
    world.upload("e3", image="bird")
    world.event("e4", "bird", 2, EventKind.DELETED)
    world.statuses.append(status_bytes("e4", "bird", 2, outcome=Outcome.DELETED, kind=EventKind.DELETED))
    world.remove("bird", 1)
    world.event("e5", "cat", 1)
    world.statuses.append(status_bytes("e5", "cat", 1, outcome=Outcome.SUPERSEDED))
    world.event("e5", "cat", 1)
    world.fail("e6")
    world.garbage(b"no event")
    world.garbage(b"no event")
    world.garbage(b"\xc3\x01neither is this")
    world.events.append(None)
    return world


def event_bytes(event_id: str, image: str = "cat", version: int = 1, kind: EventKind = EventKind.UPLOADED) -> bytes:
    return event_codec().encode(
        ImageEvent(
            event_id=event_id,
            kind=kind,
            user_id="ann",
            image_id=image,
            version=version,
            source=None if kind is EventKind.DELETED else Source(bucket="images", key="k"),
            occurred_at=NOW,
        )
    )


def status_bytes(
    event_id: str,
    image: str = "cat",
    version: int = 1,
    derivatives: list[Derivative] | None = None,
    outcome: Outcome = Outcome.READY,
    kind: EventKind = EventKind.UPLOADED,
) -> bytes:
    return status_codec().encode(
        ImageStatus(
            event_id=event_id,
            kind=kind,
            user_id="ann",
            image_id=image,
            version=version,
            outcome=outcome,
            derivatives=tuple(derivatives or ()),
            job_version="test",
        )
    )


def letter_bytes(payload: bytes, event_id: str | None = None, digest: str | None = None) -> bytes:
    return dead_letter_codec().encode(
        DeadLetter(
            stage=Stage.DECODE if event_id is None else Stage.RENDER,
            reason=Reason.NOT_AVRO if event_id is None else Reason.INTERNAL_ERROR,
            message="",
            event_id=event_id,
            payload=payload,
            payload_bytes=len(payload),
            payload_sha256=digest or hashlib.sha256(payload).hexdigest(),
            job_version="test",
        )
    )
