"""What admit remembers of one user, as pure functions: no Flink, no clock.

Times are epoch milliseconds. Every entry has an end of life, and the number of entries is bounded.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from schemas.codec import Codec, Schema, load_schema
from schemas.records import EventKind, ImageEvent
from udfs.packed_table import ID_BYTES, NUMBER_BYTES, PackedTable, packed, unpacked

CLEANUP_INTERVAL_MS = 60 * 60 * 1000
EVENT_WIDTHS = (NUMBER_BYTES,)  # its end
IMAGE_WIDTHS = (NUMBER_BYTES, 1, NUMBER_BYTES)  # version, deletion, end


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


@dataclass(frozen=True, slots=True)
class ImageMark:
    """The newest version of one image, and whether it is a deletion."""

    version: int
    deleted: bool
    forgotten_at: int


@dataclass(slots=True, init=False)
class Ledger:
    """Seen event ids and newest versions of one user; ids as hashes, oldest first."""

    seen_events: PackedTable
    images: PackedTable
    cleanup_at: int

    def __init__(self, seen_events: Mapping[bytes, int], images: Mapping[bytes, ImageMark], cleanup_at: int = 0):
        self.seen_events = PackedTable(EVENT_WIDTHS, b"", (b"",))
        self.images = PackedTable(IMAGE_WIDTHS, b"", (b"", b"", b""))
        self.cleanup_at = cleanup_at
        for key, end in seen_events.items():
            self.seen_events.put(None, key, (packed(end),), len(seen_events))
        for key, mark in images.items():
            self.images.put(None, key, _cells(mark), len(images))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return not self.seen_events and not self.images

    def admit(self, event: ImageEvent, now: int, memory: Memory) -> Verdict:
        """Decide about one event and remember it; an event already seen changes nothing."""
        return self.judge(event, now, memory) if self.note(event.event_id, now, memory) else Verdict.DUPLICATE

    def note(self, event_id: str, now: int, memory: Memory) -> bool:
        """Remember an event id; return False, and change nothing, if it is remembered already."""
        key = _hash(event_id)
        row = self.seen_events.find(key)
        if row is not None and unpacked(self.seen_events.cells(row)[0]) > now:
            return False
        self.seen_events.put(row, key, (packed(now + memory.event_ms),), memory.max_events)
        return True

    def judge(self, event: ImageEvent, now: int, memory: Memory) -> Verdict:
        """Decide by the newest version of the event's image whether it takes effect, and if so remember its version."""
        key = _hash(event.image_id)
        row = self.images.find(key)
        mark = None if row is None else _mark(self.images.cells(row))
        if mark is not None and mark.forgotten_at <= now:
            mark = None
        verdict = _judge(event, mark)
        if mark is None or verdict is Verdict.ADMITTED:
            mark = ImageMark(event.version, event.kind is EventKind.DELETED, 0)
        touched = ImageMark(mark.version, mark.deleted, now + memory.image_ms)
        self.images.put(row, key, _cells(touched), memory.max_images)
        return verdict

    def forget(self, now: int) -> None:
        """Drop every entry whose end of life has come."""
        self.seen_events.keep_ending_after(now)
        self.images.keep_ending_after(now)

    def next_cleanup(self, now: int) -> int:
        """Return when the next entry ends, at least an hour from now; 0 when nothing is remembered."""
        ends = (*self.seen_events.ends(), *self.images.ends())
        return max(min(ends), now + CLEANUP_INTERVAL_MS) if ends else 0


class LedgerCodec:
    """Ledgers as versioned bytes: Avro with the writer schema's fingerprint in front, as on the wire.

    ``writers`` are the schemas of other versions of the job, whose state is to be read.
    """

    def __init__(self, writers: list[Schema] | None = None) -> None:
        self._codec = Codec(load_schema("user-ledger"), writers)

    def encode(self, ledger: Ledger) -> bytes:
        """Return the ledger as bytes."""
        (event_ends,) = ledger.seen_events.columns
        versions, deletions, image_ends = ledger.images.columns
        return self._codec.encode(
            {
                "event_ids": ledger.seen_events.ids,
                "event_ends": event_ends,
                "image_ids": ledger.images.ids,
                "image_versions": versions,
                "image_deletions": deletions,
                "image_ends": image_ends,
                "cleanup_at": ledger.cleanup_at,
            }
        )

    def decode(self, data: bytes | None) -> Ledger:
        """Return the ledger that the bytes encode, or an empty one for None."""
        if data is None:
            return Ledger({}, {})
        record = self._codec.decode(data)
        ledger = Ledger({}, {}, record["cleanup_at"])
        ledger.seen_events = PackedTable(EVENT_WIDTHS, record["event_ids"], (record["event_ends"],))
        image_columns = (record["image_versions"], record["image_deletions"], record["image_ends"])
        ledger.images = PackedTable(IMAGE_WIDTHS, record["image_ids"], image_columns)
        return ledger


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


def _cells(mark: ImageMark) -> tuple[bytes, bytes, bytes]:
    return packed(mark.version), bytes((mark.deleted,)), packed(mark.forgotten_at)


def _mark(cells: tuple[bytes, ...]) -> ImageMark:
    version, deletion, end = cells
    return ImageMark(unpacked(version), deletion != b"\0", unpacked(end))


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8"), digest_size=ID_BYTES).digest()
