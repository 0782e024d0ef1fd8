"""Which events and dead letters a replay takes, read from the topics; nothing is published here.

Four passes, so that memory holds what is chosen and not what is there: statuses, statuses again for what came after,
dead letters, events.
"""

import hashlib
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from darkroom.console import Counter
from darkroom.ports import Topic, TopicRecord
from darkroom.replay_events import replay_id, replay_of, supersedes
from schemas.codec import Schema
from schemas.errors import UndecodableError
from schemas.reasons import Reason
from schemas.record_codecs import Record, RecordCodec, dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, Failure, ImageEvent, ImageStatus, Outcome

EventOf = tuple[str, str]  # user id, event id
ImageOf = tuple[str, str]  # user id, image id
Opener = Callable[[str], AbstractContextManager[Topic]]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for; an empty set of reasons, users or presets means all. Times are epoch milliseconds."""

    outcomes: frozenset[Outcome]
    undecodable: bool
    reasons: frozenset[Reason] = frozenset()
    users: frozenset[str] = frozenset()
    presets: frozenset[str] = frozenset()
    since_ms: int = 0
    until_ms: int | None = None

    def has_time(self, record: TopicRecord) -> bool:
        """Tell whether a record lies in the asked time."""
        return self.since_ms <= record.timestamp_ms and (self.until_ms is None or record.timestamp_ms < self.until_ms)

    def has_user(self, user_id: str) -> bool:
        """Tell whether a user is asked for."""
        return not self.users or user_id in self.users

    def fitting(self, status: ImageStatus) -> list[Failure]:
        """Return the failures for which a status is asked for, but for what its event's presets decide."""
        if status.outcome not in self.outcomes or not self.has_user(status.user_id):
            return []
        of_reason = (one for one in status.failures if not self.reasons or one.reason in self.reasons)
        return [one for one in of_reason if not self.presets or one.preset is None or one.preset in self.presets]

    def has_preset(self, failures: list[Failure], event: ImageEvent) -> bool:
        """Tell whether a preset is asked for that failed by itself, or that an event which failed as a whole names."""
        named = {one.preset for one in failures if one.preset} or set(event.presets or ())
        return not self.presets or bool(self.presets & named)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record to publish: its key, its value, and why."""

    key: bytes
    value: bytes
    outcome: str
    reason: Reason
    place: tuple[int, int]  # of the record that is replayed: replays keep the order of what they replay
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Plan:
    """What a replay would publish, in order, and how many it leaves out for which reason."""

    entries: list[Entry] = field(default_factory=list)
    skipped: Tally[str] = field(default_factory=Tally)


@dataclass(slots=True)
class _Wanted:
    status: ImageStatus
    failures: list[Failure]
    event: ImageEvent | None = None
    place: tuple[int, int] = (-1, -1)
    superseded: bool = False
    replayed: bool = False


@dataclass(slots=True)
class _Letter:
    """Equal dead letters of one undecodable record."""

    letter: DeadLetter
    event: ImageEvent
    is_chosen: bool = False
    letters: int = 0
    records: int = 0
    key: bytes | None = None
    place: tuple[int, int] = (-1, -1)


UNDECODABLE = "UNDECODABLE"
REPLAYED = "were replayed before"
SUPERSEDED = "are superseded since"
GONE = "are no longer in the events topic"
STILL = "still cannot be decoded"


class Choosing:
    """Makes a plan; `open_topic` opens the topic of a role (`events`, `status`, `dead_letters`) from its beginning."""

    def __init__(self, selection: Selection, open_topic: Opener, writers: list[Schema], counter: Counter) -> None:
        self._selection = selection
        self._open = open_topic
        self._counter = counter
        self._events = event_codec(writers)
        self._statuses = status_codec()
        self._letters = dead_letter_codec()
        self._wanted: dict[EventOf, _Wanted] = {}
        self._undecodable: dict[bytes, _Letter] = {}
        self._still: set[bytes] = set()

    def plan(self) -> Plan:
        """Read the topics and return the plan."""
        self._choose()
        self._note_what_came_after()
        self._read_letters()
        self._read_events()
        plan = Plan()
        for wanted in self._wanted.values():
            self._plan_event(plan, wanted)
        for letter in self._undecodable.values():
            self._plan_letter(plan, letter)
        plan.skipped[STILL] += len(self._still)
        plan.entries.sort(key=lambda entry: entry.place)
        return plan

    def _read(self, role: str, words: str) -> Iterator[tuple[TopicRecord, bytes]]:
        self._counter.describe(words)
        with self._open(role) as topic:
            for record in topic.read():
                self._counter.advance()
                if record.value is not None:
                    yield record, record.value

    def _choose(self) -> None:
        for record, value in self._read("status", "choosing statuses"):
            status = _decoded(self._statuses, value)
            if status and self._selection.has_time(record) and (failures := self._selection.fitting(status)):
                self._wanted[status.user_id, status.event_id] = _Wanted(status, failures)

    def _note_what_came_after(self) -> None:
        images: dict[ImageOf, list[_Wanted]] = {}
        for wanted in self._wanted.values():
            images.setdefault((wanted.status.user_id, wanted.status.image_id), []).append(wanted)
        for _, value in self._read("status", "looking for newer versions") if images else ():
            status = _decoded(self._statuses, value)
            if status is None:
                continue
            for wanted in images.get((status.user_id, status.image_id), ()):
                wanted.superseded |= supersedes(status, wanted.status.version, wanted.status.kind)

    def _read_letters(self) -> None:
        for record, value in self._read("dead_letters", "reading dead letters"):
            letter = _decoded(self._letters, value)
            if letter is None:
                continue
            event = _decoded(self._events, letter.payload)
            if letter.event_id is not None:
                self._take_event(event, (-1, -1))
            elif self._selection.undecodable and record.timestamp_ms >= self._selection.since_ms:
                self._take_letter(letter, event, is_asked_for=self._is_asked_for(letter, record))

    def _is_asked_for(self, letter: DeadLetter, record: TopicRecord) -> bool:
        selection = self._selection
        return selection.has_time(record) and (not selection.reasons or letter.reason in selection.reasons)

    def _take_letter(self, letter: DeadLetter, event: ImageEvent | None, *, is_asked_for: bool) -> None:
        digest = hashlib.sha256(letter.payload).digest()
        if event is None:
            self._still |= {digest} if is_asked_for else set()
        elif self._selection.has_user(event.user_id) and self._selection.has_preset([], event):
            known = self._undecodable.setdefault(digest, _Letter(letter, event))
            known.letters += 1
            known.is_chosen |= is_asked_for

    def _read_events(self) -> None:
        if not self._wanted and not self._undecodable:
            return
        replays = {(user, replay_id(event)): wanted for (user, event), wanted in self._wanted.items()}
        for record, value in self._read("events", "looking for the events"):
            place = record.partition, record.offset
            letter = self._undecodable.get(hashlib.sha256(value).digest()) if self._undecodable else None
            if letter is not None and record.timestamp_ms >= self._selection.since_ms:
                letter.records += 1
                letter.key, letter.place = record.key, place
            event = _decoded(self._events, value)
            self._take_event(event, place)
            if event is not None and (replayed := replays.get((event.user_id, event.event_id))):
                replayed.replayed = True

    def _take_event(self, event: ImageEvent | None, place: tuple[int, int]) -> None:
        wanted = self._wanted.get((event.user_id, event.event_id)) if event else None
        if wanted is not None and wanted.place == (-1, -1):
            wanted.event, wanted.place = event, place

    def _plan_event(self, plan: Plan, wanted: _Wanted) -> None:
        event = wanted.event
        if event is not None and not self._selection.has_preset(wanted.failures, event):
            return
        left_out = REPLAYED if wanted.replayed else SUPERSEDED if wanted.superseded else GONE if event is None else None
        if left_out or event is None:
            plan.skipped[left_out or GONE] += 1
            return
        value, key = self._events.encode(replay_of(event)), event.user_id.encode()
        reason, outcome = wanted.failures[0].reason, wanted.status.outcome.value
        plan.entries.append(Entry(key, value, outcome, reason, wanted.place))

    def _plan_letter(self, plan: Plan, letter: _Letter) -> None:
        if not letter.is_chosen:
            return
        if letter.records > letter.letters:  # one of them is not dead: it was replayed
            plan.skipped[REPLAYED] += 1
            return
        key = letter.event.user_id.encode() if letter.key is None else letter.key
        entry = Entry(key, letter.letter.payload, UNDECODABLE, letter.letter.reason, letter.place)
        plan.entries.append(entry)


def _decoded(codec: RecordCodec[Record], value: bytes) -> Record | None:
    try:
        return codec.decode(value)
    except UndecodableError:
        return None
