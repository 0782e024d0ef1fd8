"""The closed list of what can be wrong, each as one query on the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from darkroom.verify.ledger import Ledger


class Kind(StrEnum):
    """In which way something is wrong."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    ORPHANED = "orphaned"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to be wrong; the query yields n, user, image, event, key and detail."""

    kind: Kind
    subject: str
    query: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong; `count` is how many times over."""

    kind: Kind
    subject: str
    count: int
    user_id: str | None
    image_id: str | None
    event_id: str | None
    key: str | None
    detail: str


NO_STATUS = "NOT EXISTS (SELECT 1 FROM statuses s WHERE s.user = e.user AND s.event = e.event)"
NO_REPLAY = (  # of the event, nor of its replay, whose own status may have been lost as well
    "NOT EXISTS (SELECT 1 FROM statuses t WHERE t.user = {0}.user"
    " AND t.event IN (replay_id({0}.event), replay_id(replay_id({0}.event))))"
)
LETTERS = "(SELECT coalesce(sum(n), 0) FROM recovered r WHERE r.user = e.user AND r.event = e.event)"
REPLACED = f"{NO_STATUS} AND NOT {NO_REPLAY.format('e')}"  # its status was lost, and a replay has one in its place
BURIED = f"{NO_STATUS} AND judged > 0 AND judged <= {LETTERS}"  # decodable since; each of its records has a dead letter
UNSETTLED = f"{NO_STATUS} AND {NO_REPLAY.format('e')} AND (judged = 0 OR judged > {LETTERS})"
NO_EVENT = "NOT EXISTS (SELECT 1 FROM events e WHERE e.user = s.user AND e.event = s.event)"
OF_EARLIER = (
    "EXISTS (SELECT 1 FROM statuses s WHERE s.user = e.user AND s.event = e.event)"
    " AND NOT EXISTS (SELECT 1 FROM statuses s WHERE s.user = e.user AND s.event = e.event AND NOT s.early)"
)
SETTLED = "NOT EXISTS (SELECT 1 FROM unsettled x WHERE x.prefix = {}.prefix)"
AT = "' (partition ' || {0}.part || ', offset ' || {0}.off || ')'"

OPEN: tuple[Rule, ...] = (
    Rule(
        Kind.LOST,
        "event",
        f"SELECT 1, user, image, event, NULL, 'no status' || {AT.format('e')} FROM events e"
        f" WHERE NOT late AND {UNSETTLED}",
    ),
    Rule(
        Kind.LOST,
        "record",
        "SELECT judged - coalesce(n, 0), NULL, NULL, NULL, NULL,"
        f" 'no dead letter for undecodable record ' || lower(hex(u.digest)) || {AT.format('u')}"
        " FROM undecodable u LEFT JOIN letters l USING (digest) WHERE judged > coalesce(n, 0)",
    ),
    Rule(
        Kind.LOST,
        "dead letter",
        f"SELECT 1, user, image, event, NULL, 'status FAILED without a dead letter' || {AT.format('s')} FROM statuses s"
        f" WHERE outcome = 'FAILED' AND NOT early AND {NO_REPLAY.format('s')}"
        " AND NOT EXISTS (SELECT 1 FROM given_up g WHERE g.user = s.user AND g.event = s.event) GROUP BY user, event",
    ),
)
DUPLICATED: tuple[Rule, ...] = (
    Rule(
        Kind.DUPLICATED,
        "status",
        "SELECT count(*) - 1, user, max(image), event, NULL,"
        f" count(*) || ' statuses: ' || group_concat(outcome || {AT.format('s')}, ', ')"
        " FROM statuses s GROUP BY user, event HAVING count(*) > 1 AND min(early) = 0",
    ),
    Rule(
        Kind.DUPLICATED,
        "dead letter",
        "SELECT n - judged - late - again, NULL, NULL, NULL, NULL,"
        " n || ' dead letters for ' || (judged + late + again) || ' equal records ' || lower(hex(digest))"
        " FROM letters JOIN undecodable USING (digest) WHERE n > judged + late + again",
    ),
    Rule(
        Kind.DUPLICATED,
        "dead letter",
        "SELECT n - judged - later, r.user, image, r.event, NULL,"
        " n || ' dead letters for ' || (judged + later) || ' equal records'"
        " FROM recovered r JOIN events e USING (user, event) WHERE n > judged + later",
    ),
    Rule(
        Kind.DUPLICATED,
        "dead letter",
        "SELECT count(*) - 1, user, max(image), event, NULL, count(*) || ' dead letters for one FAILED event'"
        " FROM given_up GROUP BY user, event HAVING count(*) > 1",
    ),
)
ORPHANED: tuple[Rule, ...] = (
    Rule(
        Kind.ORPHANED,
        "status",
        f"SELECT 1, user, image, event, NULL, outcome || ' without its event' || {AT.format('s')} FROM statuses s"
        f" WHERE NOT early AND {NO_EVENT}",
    ),
    Rule(
        Kind.ORPHANED,
        "dead letter",
        "SELECT n, NULL, NULL, NULL, NULL,"
        f" 'no record has these bytes: ' || lower(hex(l.digest)) || {AT.format('l')} FROM letters l"
        " WHERE NOT EXISTS (SELECT 1 FROM undecodable u WHERE u.digest = l.digest)",
    ),
    Rule(
        Kind.ORPHANED,
        "dead letter",
        f"SELECT n, user, NULL, event, NULL, 'no record is this event' || {AT.format('r')} FROM recovered r"
        " WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.user = r.user AND e.event = r.event)",
    ),
    Rule(
        Kind.ORPHANED,
        "dead letter",
        f"SELECT 1, user, image, event, NULL, 'names an event without a status FAILED' || {AT.format('g')}"
        " FROM given_up g WHERE NOT EXISTS"
        " (SELECT 1 FROM statuses s WHERE s.user = g.user AND s.event = g.event AND s.outcome = 'FAILED')",
    ),
)
UNACCOUNTED = Rule(
    Kind.ORPHANED,
    "object",
    "SELECT 1, NULL, NULL, NULL, o.key, 'no status accounts for it (' || o.size || ' bytes in ' || o.bucket || ')'"
    f" FROM stored o WHERE {SETTLED.format('o')}"
    " AND NOT EXISTS (SELECT 1 FROM announced a WHERE a.prefix = o.prefix AND a.key = o.key AND a.bucket = o.bucket)",
)
OBJECTS: tuple[Rule, ...] = (
    Rule(
        Kind.LOST,
        "object",
        "SELECT 1, a.user, a.image, a.event, a.key, 'announced and not stored in ' || a.bucket FROM announced a"
        f" LEFT JOIN stored o USING (bucket, key) WHERE o.key IS NULL AND {SETTLED.format('a')}",
    ),
    Rule(
        Kind.CORRUPT,
        "object",
        "SELECT 1, a.user, a.image, a.event, a.key, 'announced ' || a.size || ' bytes, stored ' || o.size"
        f" FROM announced a JOIN stored o USING (bucket, key) WHERE a.size <> o.size AND {SETTLED.format('a')}",
    ),
    Rule(
        Kind.CORRUPT,
        "object",
        "SELECT 1, a.user, a.image, a.event, a.key, CASE WHEN b.sha256 IS NULL THEN 'listed, and gone when it was read'"
        " ELSE 'announced SHA-256 ' || a.sha256 || ', stored ' || b.sha256 END"
        f" FROM announced a JOIN altered b USING (bucket, key) WHERE {SETTLED.format('a')}",
    ),
)
UNREADABLE = Rule(
    Kind.CORRUPT,
    "record",
    f"SELECT 1, NULL, NULL, NULL, NULL, topic || {AT.format('r')} || ': ' || why FROM unreadable r",
)


def count_open(ledger: Ledger) -> int:
    """Return how many events and records still lack their outcome."""
    return sum(ledger.number(f"SELECT sum(n) FROM ({_named(rule)})") for rule in OPEN)


def find(ledger: Ledger, *, whole_history: bool) -> None:
    """Fill the ledger's findings; objects that no status accounts for need the whole history."""
    unaccounted = (UNACCOUNTED,) if whole_history else ()
    for rule in (*OPEN, *DUPLICATED, *ORPHANED, *unaccounted, *OBJECTS, UNREADABLE):
        ledger.execute(
            f"INSERT INTO findings SELECT '{rule.kind}', '{rule.subject}', n, user, image, event, key, detail"
            f" FROM ({_named(rule)})"
        )


def _named(rule: Rule) -> str:
    return f"WITH found (n, user, image, event, key, detail) AS ({rule.query}) SELECT * FROM found"


def stream_findings(ledger: Ledger, kind: Kind | None = None, limit: int = -1) -> Iterator[Finding]:
    """Yield the findings, of one kind or of all, at most `limit` of them."""
    chosen = "WHERE kind = ?" if kind else ""
    query = f"SELECT * FROM findings {chosen} ORDER BY rowid LIMIT {limit}"
    for first, *rest in ledger.rows(query, (kind.value,) if kind else ()):
        yield Finding(Kind(first), *rest)
