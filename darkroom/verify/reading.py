"""From the topics and the buckets into the ledger, in batches."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar

from darkroom.console import Counter
from darkroom.parallel import parallel_map
from darkroom.ports import Objects, Topic, TopicRecord
from darkroom.replay_events import REPAIR_HEADER
from darkroom.verify.ledger import DigestRow, EventRow, Ledger, Place
from schemas.codec import Schema
from schemas.errors import UndecodableError
from schemas.record_codecs import RecordCodec, dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, ImageEvent, ImageStatus

BATCH_RECORDS = 2_000
READING_THREADS = 8

Item = TypeVar("Item")


def read_events(ledger: Ledger, topic: Topic, writers: list[Schema], counter: Counter, *, late: bool = False) -> None:
    """Read events on; `late` ones were published after the verification began and may still be open."""
    codec = event_codec(writers)
    for batch in _batches(topic.read()):
        events: list[EventRow] = []
        undecodable: list[DigestRow] = []
        for record in batch:
            if record.value is None:
                ledger.empty_records += 1
            elif (event := _decoded(codec, record.value)) is None:
                undecodable.append(
                    DigestRow(hashlib.sha256(record.value).digest(), _place(record), again=_is_repair(record))
                )
            else:
                events.append(EventRow(event.user_id, event.event_id, event.image_id, _place(record)))
        ledger.add_events(events, late=late)
        ledger.add_undecodable(undecodable, late=late)
        counter.advance(len(batch))


def read_statuses(ledger: Ledger, topic: Topic, counter: Counter, *, early: bool = False) -> None:
    """Read statuses on; `early` ones are older than the window and only tell duplicates of older events."""
    codec = status_codec()
    for batch in _batches(topic.read()):
        statuses: list[tuple[ImageStatus, Place]] = []
        for record in batch:
            try:
                statuses.append((codec.decode(record.value or b""), _place(record)))
            except UndecodableError as error:
                ledger.add_unreadable("status", _place(record), str(error))
        ledger.add_statuses(statuses, early=early)
        counter.advance(len(batch))


def read_dead_letters(ledger: Ledger, topic: Topic, writers: list[Schema], counter: Counter) -> None:
    """Read dead letters on; one that names an event is matched by the event in its payload."""
    letters, events = dead_letter_codec(), event_codec(writers)
    for batch in _batches(topic.read()):
        for record in batch:
            try:
                _add_letter(ledger, letters.decode(record.value or b""), events, _place(record))
            except UndecodableError as error:
                ledger.add_unreadable("dead letter", _place(record), str(error))
        counter.advance(len(batch))


def _add_letter(ledger: Ledger, letter: DeadLetter, events: RecordCodec[ImageEvent], place: Place) -> None:
    digest = _digest(letter)
    if digest.hex() != letter.payload_sha256:
        ledger.add_unreadable("dead letter", place, "its payload does not have the SHA-256 it names")
    event = _decoded(events, letter.payload)
    if letter.event_id is None:
        _add_undecodable_then(ledger, event, DigestRow(digest, place))
        return
    if event is None or event.event_id != letter.event_id:
        ledger.add_unreadable("dead letter", place, "its payload is not the event it names")
        return
    ledger.add_given_up([EventRow(event.user_id, event.event_id, event.image_id, place)])


def _add_undecodable_then(ledger: Ledger, event: ImageEvent | None, row: DigestRow) -> None:
    if event is None:
        ledger.add_letters([row])
    else:
        ledger.add_recovered([EventRow(event.user_id, event.event_id, event.image_id, row.place)])


def _is_repair(record: TopicRecord) -> bool:
    return any(name == REPAIR_HEADER for name, _ in record.headers)


def _digest(letter: DeadLetter) -> bytes:
    if len(letter.payload) == letter.payload_bytes:
        return hashlib.sha256(letter.payload).digest()
    with suppress(ValueError):  # of a record that was cut, only the letter knows
        return bytes.fromhex(letter.payload_sha256)
    return b""


def read_objects(ledger: Ledger, objects: Objects, bucket: str, counter: Counter, *, whole_bucket: bool) -> None:
    """List the derivatives' bucket; or, in a window of time, only the images whose statuses announce objects."""
    if whole_bucket:
        for batch in _batches(objects.list(bucket)):
            ledger.add_stored(bucket, ((stored.key, stored.size) for stored in batch))
            counter.advance(len(batch))
    elsewhere = "WHERE bucket <> ?" if whole_bucket else "WHERE ?1 = ?1"
    places = ledger.rows(f"SELECT DISTINCT bucket, prefix FROM announced {elsewhere}", (bucket,))
    for named, found in parallel_map(lambda place: (place[0], list(objects.list(*place))), places, READING_THREADS):
        ledger.add_stored(named, ((stored.key, stored.size) for stored in found))
        counter.advance(len(found))


def compare_bytes(ledger: Ledger, objects: Objects, counter: Counter) -> None:
    """Read every announced object of the announced size, and note those with another SHA-256."""
    query = "SELECT bucket, key, a.sha256 FROM announced a JOIN stored o USING (bucket, key) WHERE a.size = o.size"
    for bucket, key, announced, found in parallel_map(_digest_with(objects), ledger.rows(query), READING_THREADS):
        if found != announced:
            ledger.add_altered(bucket, key, found)
        counter.advance()


def _digest_with(objects: Objects) -> Callable[[tuple[str, ...]], tuple[str, str, str, str | None]]:
    def digest(row: tuple[str, ...]) -> tuple[str, str, str, str | None]:
        bucket, key, announced = row
        return bucket, key, announced, objects.sha256(bucket, key)

    return digest


def _decoded(codec: RecordCodec[ImageEvent], value: bytes) -> ImageEvent | None:
    try:
        return codec.decode(value)
    except UndecodableError:
        return None


def _place(record: TopicRecord) -> Place:
    return Place(record.partition, record.offset)


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, BATCH_RECORDS)):
        yield batch
