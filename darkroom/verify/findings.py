"""The closed list of what can be wrong, each as one query on the ledger, and the figures of one verification."""

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


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one verification; `events` are distinct events and undecodable records together."""

    events: int
    distinct_events: int
    undecodable_records: int
    statuses: int
    dead_letters: int
    dead_letters_of_failed: int
    duplicates_ignored: int
    empty_records: int
    objects: int
    in_flight: int
    images_unsettled: int
    uncommitted_records: int
    lost: int
    duplicated: int
    orphaned: int
    corrupt: int
    outcomes: dict[str, int]


NO_STATUS = "NOT EXISTS (SELECT 1 FROM statuses s WHERE s.user = e.user AND s.event = e.event)"
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
        f" WHERE NOT late AND {NO_STATUS}",
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
        " WHERE outcome = 'FAILED' AND NOT early"
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
        "SELECT n - judged - late, NULL, NULL, NULL, NULL,"
        " n || ' dead letters for ' || (judged + late) || ' equal records ' || lower(hex(digest))"
        " FROM letters JOIN undecodable USING (digest) WHERE n > judged + late",
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


def figures(ledger: Ledger, uncommitted_records: int) -> Figures:
    """Return the figures, after :func:`find`."""
    number = ledger.number
    of_earlier = number(f"SELECT count(*) FROM events e WHERE {OF_EARLIER}")
    in_flight = number(f"SELECT count(*) FROM events e WHERE late AND {NO_STATUS}")
    distinct = number("SELECT count(*) FROM events") - of_earlier - in_flight
    undecodable = number(
        "SELECT sum(judged + min(late, max(0, coalesce(n, 0) - judged)))"
        " FROM undecodable LEFT JOIN letters USING (digest)"
    )
    wrong = {Kind(kind): n for kind, n in ledger.rows("SELECT kind, sum(n) FROM findings GROUP BY kind")}
    outcomes = "SELECT outcome, count(*) FROM statuses WHERE NOT early GROUP BY outcome ORDER BY outcome"
    return Figures(
        events=distinct + undecodable,
        distinct_events=distinct,
        undecodable_records=undecodable,
        statuses=number("SELECT count(*) FROM statuses WHERE NOT early"),
        dead_letters=number("SELECT sum(n) FROM letters"),
        dead_letters_of_failed=number("SELECT count(*) FROM given_up"),
        duplicates_ignored=ledger.duplicates + of_earlier,
        empty_records=ledger.empty_records,
        objects=number("SELECT count(*) FROM stored"),
        in_flight=in_flight + number("SELECT sum(judged + late) FROM undecodable") - undecodable,
        images_unsettled=number("SELECT count(*) FROM unsettled"),
        uncommitted_records=uncommitted_records,
        lost=wrong.get(Kind.LOST, 0),
        duplicated=wrong.get(Kind.DUPLICATED, 0),
        orphaned=wrong.get(Kind.ORPHANED, 0),
        corrupt=wrong.get(Kind.CORRUPT, 0),
        outcomes=dict(ledger.rows(outcomes)),
    )
