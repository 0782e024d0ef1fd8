"""What mends the findings of a verification: replays of events, records published again, objects removed.

Pure but for the events topic, which it reads for the events to replay. What was published can not be taken back:
duplicates and orphaned records stay.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from darkroom.ports import Topic, TopicRecord
from darkroom.replay_events import REPAIR_HEADER, replay_id, replay_of
from darkroom.replay_selection import Entry
from darkroom.verify.findings import Finding, Kind
from darkroom.verify.report import Report
from schemas.codec import Schema
from schemas.errors import UndecodableError
from schemas.keys import parse_derivative_key
from schemas.reasons import Reason
from schemas.record_codecs import event_codec

EventOf = tuple[str, str]  # user id, event id

DAY_MS = 24 * 60 * 60 * 1000
OLDEST_MS = 30 * DAY_MS  # for so long admit knows what superseded an event; an older one could undo a deletion
LOST_RECORDS = "SELECT digest FROM undecodable LEFT JOIN letters USING (digest) WHERE judged > coalesce(n, 0)"


@dataclass(frozen=True, slots=True)
class Unmendable:
    """A finding that nothing is done about, and why."""

    finding: Finding
    why: str


@dataclass(slots=True)
class Repairs:
    """What would mend a verification's findings."""

    entries: list[Entry] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)  # keys in the derivatives' bucket
    unmendable: list[Unmendable] = field(default_factory=list)


class Planning:
    """Plans the repairs of one report at the time `now_ms`; what is younger than `in_flight_ms` is left alone."""

    def __init__(
        self, report: Report, writers: list[Schema], now_ms: int, in_flight_ms: int, oldest_ms: int = OLDEST_MS
    ) -> None:
        self._report = report
        self._events = event_codec(writers)
        self._now_ms = now_ms
        self._in_flight_ms = in_flight_ms
        self._oldest_ms = min(oldest_ms, OLDEST_MS)
        self._wanted: dict[EventOf, list[Finding]] = {}
        self._digests: set[bytes] = set()
        self._repairs = Repairs()

    def plan(self, events: Topic) -> Repairs:
        """Return the repairs; the events topic is read once, from its beginning."""
        for finding in self._report.findings():
            self._take(finding)
        self._digests = {digest for (digest,) in self._report.rows(LOST_RECORDS)}
        if self._wanted or self._digests:
            for record in events.read():
                self._look_at(record)
        for findings in self._wanted.values():
            self._give_up(findings, "its event is no longer in the topic")
        self._repairs.entries.sort(key=lambda entry: entry.place)
        return self._repairs

    def _take(self, finding: Finding) -> None:
        match finding.kind, finding.subject:
            case (Kind.LOST, "event" | "dead letter" | "object") | (Kind.CORRUPT, "object"):
                event = finding.user_id or "", self._last_replay(finding.user_id or "", finding.event_id or "")
                self._want(event, finding)
            case (Kind.LOST, "record"):
                pass  # told apart by their bytes
            case (Kind.ORPHANED, "object") if finding.key and _is_ours(finding.key):
                self._repairs.removals.append(finding.key)
            case (Kind.ORPHANED, "object"):
                self._give_up([finding], "Darkroom made no such key; remove it by hand if it is yours")
            case _:
                self._give_up([finding], "what was published cannot be taken back")

    def _last_replay(self, user_id: str, event_id: str) -> str:
        """Return the newest of the replays that there are of an event: that is the one to replay."""
        while any(
            self._report.rows("SELECT 1 FROM events WHERE user = ? AND event = ?", (user_id, replay_id(event_id)))
        ):
            event_id = replay_id(event_id)
        return event_id

    def _want(self, event: EventOf, finding: Finding) -> None:
        is_replay = event[1] != finding.event_id
        outcomes = {row[0] for row in self._report.rows("SELECT outcome FROM statuses WHERE user=? AND event=?", event)}
        if is_replay and not outcomes:
            self._give_up([finding], "its replay is on its way")
        elif is_replay and "SUPERSEDED" in outcomes:
            self._give_up([finding], "its replay was SUPERSEDED: publish the image again, with a higher version")
        else:
            self._wanted.setdefault(event, []).append(finding)

    def _look_at(self, record: TopicRecord) -> None:
        if record.value is None:
            return
        try:
            event = self._events.decode(record.value)
        except UndecodableError as error:
            self._publish_again(record, record.value, error.reason)
            return
        findings = self._wanted.pop((event.user_id, event.event_id), None)
        if findings is None:
            return
        if why := self._not_now(record.timestamp_ms, findings):
            self._give_up(findings, why)
            return
        value, key = self._events.encode(replay_of(event)), event.user_id.encode()
        place = record.partition, record.offset
        self._repairs.entries.append(Entry(key, value, _in_words(findings), Reason.UNSPECIFIED, place))

    def _publish_again(self, record: TopicRecord, value: bytes, reason: Reason) -> None:
        digest = hashlib.sha256(value).digest()
        if digest not in self._digests or record.timestamp_ms > self._now_ms - self._in_flight_ms:
            return
        self._digests.discard(digest)  # once a run, however many are lost: the next verification tells
        place, headers = (record.partition, record.offset), ((REPAIR_HEADER, b"1"),)
        self._repairs.entries.append(Entry(record.key or b"", value, "lost record", reason, place, headers))

    def _not_now(self, timestamp_ms: int, findings: list[Finding]) -> str | None:
        """Return why an event of that time is not replayed; an announced object is the newest whatever its age."""
        age_ms = self._now_ms - timestamp_ms
        if all(finding.subject == "object" for finding in findings):
            return None
        if age_ms < self._in_flight_ms:
            return "it may still be on its way"
        return "it is older than what the job remembers of images" if age_ms > self._oldest_ms else None

    def _give_up(self, findings: Iterable[Finding], why: str) -> None:
        self._repairs.unmendable += [Unmendable(finding, why) for finding in findings]


def _is_ours(key: str) -> bool:
    try:
        parse_derivative_key(key)
    except ValueError:
        return False
    return True


def _in_words(findings: list[Finding]) -> str:
    return f"{findings[0].kind.value} {findings[0].subject}"
