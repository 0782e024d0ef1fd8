"""What was read, in a temporary SQLite database: a million events need disk, not memory. Knows no Kafka and no S3."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from darkroom.replay_events import replay_id
from darkroom.verify.fold import CHANGING, Announced, fold
from darkroom.verify.tables import TABLES
from schemas.keys import image_prefix
from schemas.records import ImageStatus

CACHE_KIB = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies in its topic."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """A decodable event."""

    user_id: str
    event_id: str
    image_id: str
    place: Place


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A record that is no event, or the dead letter of one."""

    digest: bytes
    place: Place
    again: bool = False  # published by a repair, in the place of one whose dead letter was lost


class Ledger:
    """Collects one verification's records and objects, and answers SQL about them."""

    def __init__(self) -> None:
        # an empty name is a private file, removed as soon as it is opened: nothing is left behind by any death
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{CACHE_KIB};")
        self._db.executescript(TABLES)
        self._db.create_function("replay_id", 1, replay_id, deterministic=True)
        self._db.execute("BEGIN")
        self.event_records = 0
        self.empty_records = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk space back."""
        self._db.close()

    def add_events(self, rows: list[EventRow], *, late: bool = False) -> None:
        """Add records that are events."""
        self._db.executemany(
            "INSERT INTO events VALUES (?1,?2,?3,?4,?5,?6, NOT ?4, ?4) ON CONFLICT (user, event) DO UPDATE SET"
            " judged = judged + excluded.judged, later = later + excluded.later",
            ((r.user_id, r.event_id, r.image_id, late, r.place.partition, r.place.offset) for r in rows),
        )
        self.event_records += len(rows)

    def add_undecodable(self, rows: list[DigestRow], *, late: bool = False) -> None:
        """Add records that are no events."""
        self._db.executemany(
            "INSERT INTO undecodable VALUES (?,?,?,?,?,?) ON CONFLICT (digest) DO UPDATE SET"
            " judged = judged + excluded.judged, late = late + excluded.late, again = again + excluded.again",
            (
                (r.digest, not late and not r.again, late and not r.again, r.place.partition, r.place.offset, r.again)
                for r in rows
            ),
        )

    def add_recovered(self, rows: list[EventRow]) -> None:
        """Add dead letters of records that were no events for the job then, and are some now."""
        self._db.executemany(
            "INSERT INTO recovered VALUES (?,?,1,?,?) ON CONFLICT (user, event) DO UPDATE SET n = n + 1",
            ((r.user_id, r.event_id, r.place.partition, r.place.offset) for r in rows),
        )

    def add_letters(self, rows: list[DigestRow]) -> None:
        """Add dead letters of records that are no events."""
        self._db.executemany(
            "INSERT INTO letters VALUES (?,1,?,?) ON CONFLICT (digest) DO UPDATE SET n = n + 1",
            ((r.digest, r.place.partition, r.place.offset) for r in rows),
        )

    def add_given_up(self, rows: list[EventRow]) -> None:
        """Add dead letters that name a FAILED event."""
        self._db.executemany(
            "INSERT INTO given_up VALUES (?,?,?,?,?)",
            ((r.user_id, r.event_id, r.image_id, r.place.partition, r.place.offset) for r in rows),
        )

    def add_unreadable(self, topic: str, place: Place, why: str) -> None:
        """Add a status or dead letter that cannot be decoded."""
        self._db.execute("INSERT INTO unreadable VALUES (?,?,?,?)", (topic, place.partition, place.offset, why))

    def add_statuses(self, rows: list[tuple[ImageStatus, Place]], *, early: bool = False) -> None:
        """Add statuses, those of one image in their order; an event's first status decides what must be stored."""
        told: set[tuple[str, str]] = set()
        for status, _ in rows:
            event = (status.user_id, status.event_id)
            if not early and status.outcome in CHANGING and event not in told and not self._has_status(event):
                self._fold(status)
            told.add(event)
        self._db.executemany(
            "INSERT INTO statuses VALUES (?,?,?,?,?,?,?)",
            (
                (s.user_id, s.event_id, s.image_id, s.outcome.value, early, place.partition, place.offset)
                for s, place in rows
            ),
        )

    def _has_status(self, event: tuple[str, str]) -> bool:
        known = "SELECT 1 FROM statuses WHERE user = ? AND event = ? AND early = 0 LIMIT 1"
        return self._db.execute(known, event).fetchone() is not None

    def _fold(self, status: ImageStatus) -> None:
        prefix = image_prefix(status.user_id, status.image_id)
        remembered = self._db.execute(
            "SELECT preset, version, bucket, key, size, sha256, event FROM announced WHERE prefix = ?", (prefix,)
        ).fetchall()
        after = fold({row[0]: Announced(*row) for row in remembered}, status)
        if remembered:
            self._db.execute("DELETE FROM announced WHERE prefix = ?", (prefix,))
        self._db.executemany(
            "INSERT INTO announced VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                (prefix, a.preset, a.version, a.bucket, a.key, a.size, a.sha256, a.event_id, *_image(status))
                for a in after.values()
            ),
        )

    def add_stored(self, bucket: str, rows: Iterable[tuple[str, int]]) -> None:
        """Add listed objects: key and size in bytes."""
        self._db.executemany(
            "INSERT OR REPLACE INTO stored VALUES (?,?,?,?)",
            ((bucket, key, _prefix_of(key), size) for key, size in rows),
        )

    def add_altered(self, bucket: str, key: str, sha256: str | None) -> None:
        """Add an object whose bytes have another digest than announced."""
        self._db.execute("INSERT OR REPLACE INTO altered VALUES (?,?,?)", (bucket, key, sha256))

    def add_unsettled(self, images: Iterable[tuple[str, str]]) -> None:
        """Add images, each a user id and an image id, whose objects may change at any moment."""
        self._db.executemany(
            "INSERT OR IGNORE INTO unsettled VALUES (?)", ((image_prefix(user, image),) for user, image in images)
        )

    def execute(self, statement: str) -> None:
        """Run one statement, such as a rule that fills the findings."""
        self._db.execute(statement)

    def rows(self, query: str, parameters: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Stream the answer to a query."""
        yield from self._db.execute(query, parameters)

    def number(self, query: str) -> int:
        """Return the one number that a query asks for."""
        return int(self._db.execute(query).fetchone()[0] or 0)


def _image(status: ImageStatus) -> tuple[str, str]:
    return status.user_id, status.image_id


def _prefix_of(key: str) -> str:
    """Return the image's prefix of an object key, or the whole key when it has none."""
    parts = key.split("/", 2)
    return f"{parts[0]}/{parts[1]}/" if len(parts) == 3 else key
