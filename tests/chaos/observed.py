"""What was read of the topics, reduced to what the oracle asks of it. Reads nothing itself."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from darkroom.ports import TopicRecord
from schemas.errors import UndecodableError
from schemas.reasons import Reason
from schemas.record_codecs import dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, Derivative, EventKind, ImageEvent, ImageStatus, Outcome
from tests.chaos.journal import digest

EventName = tuple[str, str]  # user and event id


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """One record of the events topic; without an event if it is none."""

    sha256: str
    event: ImageEvent | None


@dataclass(frozen=True, slots=True)
class SeenStatus:
    """One status, with the partition it lies in."""

    partition: int
    keyed_by: bytes | None
    event_id: str
    kind: EventKind
    user: str
    image: str
    version: int
    outcome: Outcome
    reason: Reason | None
    derivatives: tuple[Derivative, ...]
    source_sha256: str | None


@dataclass(frozen=True, slots=True)
class SeenLetter:
    """One dead letter."""

    sha256: str
    reason: Reason
    event_id: str | None


@dataclass(slots=True)
class Observed:
    """Everything read so far; the records of one partition in their order."""

    records: list[SeenRecord] = field(default_factory=list)
    statuses: list[SeenStatus] = field(default_factory=list)
    letters: list[SeenLetter] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    open_events: set[EventName] = field(default_factory=set)
    settled_events: set[EventName] = field(default_factory=set)
    open_letters: Counter[str] = field(default_factory=Counter)

    def add_records(self, found: Iterable[TopicRecord]) -> None:
        """Add what the events topic holds."""
        codec = event_codec()
        for record in found:
            value = record.value or b""
            try:
                event = codec.decode(value)
            except UndecodableError:
                seen = SeenRecord(digest(value), None)
                self.open_letters[seen.sha256] += 1
            else:
                seen = SeenRecord(digest(value), event)
                if (name := (event.user_id, event.event_id)) not in self.settled_events:
                    self.open_events.add(name)
            self.records.append(seen)

    def add_statuses(self, found: Iterable[TopicRecord]) -> None:
        """Add what the status topic holds."""
        codec = status_codec()
        for record in found:
            try:
                status = _status(codec.decode(record.value or b""), record)
            except UndecodableError as error:
                self.unreadable.append(f"status at {record.partition}/{record.offset}: {error}")
                continue
            self.statuses.append(status)
            self.open_events.discard((status.user, status.event_id))
            self.settled_events.add((status.user, status.event_id))

    def add_letters(self, found: Iterable[TopicRecord]) -> None:
        """Add what the topic of dead letters holds."""
        codec = dead_letter_codec()
        for record in found:
            try:
                letter = codec.decode(record.value or b"")
            except UndecodableError as error:
                self.unreadable.append(f"dead letter at {record.partition}/{record.offset}: {error}")
                continue
            self.letters.append(_letter(letter))
            if letter.event_id is None:
                self.open_letters[letter.payload_sha256] -= 1

    @property
    def missing_letters(self) -> int:
        """How many undecodable records have no dead letter yet."""
        return sum(count for count in self.open_letters.values() if count > 0)


def _status(status: ImageStatus, record: TopicRecord) -> SeenStatus:
    return SeenStatus(
        partition=record.partition,
        keyed_by=record.key,
        event_id=status.event_id,
        kind=status.kind,
        user=status.user_id,
        image=status.image_id,
        version=status.version,
        outcome=status.outcome,
        reason=status.failures[0].reason if status.failures else None,
        derivatives=status.derivatives,
        source_sha256=status.source.sha256 if status.source else None,
    )


def _letter(letter: DeadLetter) -> SeenLetter:
    whole = len(letter.payload) == letter.payload_bytes
    return SeenLetter(digest(letter.payload) if whole else letter.payload_sha256, letter.reason, letter.event_id)
