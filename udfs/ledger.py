"""What admit remembers of one user, as pure functions: no Flink, no clock.

Times are epoch milliseconds. Every entry has an end of life, and the number of entries is bounded.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from schemas.codec import Codec, Schema, load_schema
from schemas.records import EventKind, ImageEvent

Value = TypeVar("Value")

CLEANUP_INTERVAL_MS = 60 * 60 * 1000
ID_BYTES = 16


class Verdict(Enum):
    """What admit decides about one event."""

    ADMITTED = auto()
    DUPLICATE = auto()
    NEWER_VERSION_KNOWN = auto()
    IMAGE_DELETED = auto()


@dataclass(frozen=True, slots=True)
class Memory:
    """How long and how much to remember of one user."""

    event_ms: int
    image_ms: int
    max_events: int
    max_images: int


@dataclass(slots=True)
class ImageMark:
    """The newest version of one image, and whether it is a deletion."""

    version: int
    deleted: bool
    forgotten_at: int


@dataclass(slots=True)
class Ledger:
    """Seen event ids and newest versions of one user; ids as hashes, oldest first."""

    seen_events: dict[bytes, int]
    images: dict[bytes, ImageMark]
    cleanup_at: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return not self.seen_events and not self.images

    def admit(self, event: ImageEvent, now: int, memory: Memory) -> Verdict:
        """Decide about one event and remember it; an event already seen changes nothing."""
        event_hash = _hash(event.event_id)
        if self.seen_events.get(event_hash, 0) > now:
            return Verdict.DUPLICATE
        _remember(self.seen_events, event_hash, now + memory.event_ms, memory.max_events)
        image_hash = _hash(event.image_id)
        mark = self.images.get(image_hash)
        if mark is not None and mark.forgotten_at <= now:
            mark = None
        verdict = _judge(event, mark)
        if verdict is Verdict.ADMITTED:
            mark = ImageMark(event.version, event.kind is EventKind.DELETED, 0)
        if mark is not None:
            mark.forgotten_at = now + memory.image_ms
            _remember(self.images, image_hash, mark, memory.max_images)
        return verdict

    def forget(self, now: int) -> None:
        """Drop every entry whose end of life has come."""
        self.seen_events = {key: end for key, end in self.seen_events.items() if end > now}
        self.images = {key: mark for key, mark in self.images.items() if mark.forgotten_at > now}

    def next_cleanup(self, now: int) -> int:
        """Return when the next entry ends, at least an hour from now; 0 when nothing is remembered."""
        ends = [*self.seen_events.values(), *(mark.forgotten_at for mark in self.images.values())]
        return max(min(ends), now + CLEANUP_INTERVAL_MS) if ends else 0


class LedgerCodec:
    """Ledgers as versioned bytes: Avro with the writer schema's fingerprint in front, as on the wire.

    ``writers`` are the schemas of other versions of the job, whose state is to be read.
    """

    def __init__(self, writers: list[Schema] | None = None) -> None:
        self._codec = Codec(load_schema("user-ledger"), writers)

    def encode(self, ledger: Ledger) -> bytes:
        """Return the ledger as bytes."""
        marks = ledger.images.values()
        return self._codec.encode(
            {
                "event_ids": b"".join(ledger.seen_events),
                "event_ends": _pack(ledger.seen_events.values()),
                "image_ids": b"".join(ledger.images),
                "image_versions": _pack(mark.version for mark in marks),
                "image_deletions": bytes(mark.deleted for mark in marks),
                "image_ends": _pack(mark.forgotten_at for mark in marks),
                "cleanup_at": ledger.cleanup_at,
            }
        )

    def decode(self, data: bytes | None) -> Ledger:
        """Return the ledger that the bytes encode, or an empty one for None."""
        if data is None:
            return Ledger({}, {})
        record = self._codec.decode(data)
        versions, ends = _unpack(record["image_versions"]), _unpack(record["image_ends"])
        marks = map(ImageMark, versions, map(bool, record["image_deletions"]), ends)
        return Ledger(
            seen_events=dict(zip(_ids(record["event_ids"]), _unpack(record["event_ends"]), strict=True)),
            images=dict(zip(_ids(record["image_ids"]), marks, strict=True)),
            cleanup_at=record["cleanup_at"],
        )


def _judge(event: ImageEvent, mark: ImageMark | None) -> Verdict:
    if mark is None or event.version > mark.version:
        return Verdict.ADMITTED
    if event.version == mark.version and _repeats(event.kind, mark.deleted):
        return Verdict.ADMITTED
    return Verdict.IMAGE_DELETED if mark.deleted else Verdict.NEWER_VERSION_KNOWN


def _repeats(kind: EventKind, deleted: bool) -> bool:
    if deleted:
        return kind is EventKind.DELETED
    return kind is not EventKind.UPLOADED


def _remember(entries: dict[bytes, Value], key: bytes, value: Value, limit: int) -> None:
    entries.pop(key, None)
    entries[key] = value
    while len(entries) > limit:
        del entries[next(iter(entries))]


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8"), digest_size=ID_BYTES).digest()


def _ids(packed: bytes) -> list[bytes]:
    return [packed[start : start + ID_BYTES] for start in range(0, len(packed), ID_BYTES)]


def _pack(numbers: Iterable[int]) -> bytes:
    values = tuple(numbers)
    return struct.pack(f"<{len(values)}q", *values)


def _unpack(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}q", packed)
