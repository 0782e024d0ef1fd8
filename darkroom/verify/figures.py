"""The figures of one verification."""

from dataclasses import dataclass

from darkroom.verify.findings import BURIED, NO_REPLAY, OF_EARLIER, REPLACED, UNSETTLED, Kind
from darkroom.verify.ledger import Ledger


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
    replaced_by_replays: int
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


def figures(ledger: Ledger, uncommitted_records: int) -> Figures:
    """Return the figures, after :func:`find`."""
    number = ledger.number
    of_earlier = number(f"SELECT count(*) FROM events e WHERE {OF_EARLIER}")
    in_flight = number(f"SELECT count(*) FROM events e WHERE late AND {UNSETTLED}")
    replaced = number(f"SELECT count(*) FROM events e WHERE {REPLACED}")
    buried = number(f"SELECT count(*) FROM events e WHERE {BURIED} AND {NO_REPLAY.format('e')}")
    known = number("SELECT count(*) FROM events")
    distinct = known - of_earlier - in_flight - replaced - buried
    recovered = number("SELECT sum(min(n, judged + later)) FROM recovered JOIN events USING (user, event)")
    undecodable = number(
        "SELECT sum(judged + min(late + again, max(0, coalesce(n, 0) - judged)))"
        " FROM undecodable LEFT JOIN letters USING (digest)"
    )
    wrong = {Kind(kind): n for kind, n in ledger.rows("SELECT kind, sum(n) FROM findings GROUP BY kind")}
    outcomes = "SELECT outcome, count(*) FROM statuses WHERE NOT early GROUP BY outcome ORDER BY outcome"
    return Figures(
        events=distinct + undecodable + recovered,
        distinct_events=distinct,
        undecodable_records=undecodable + recovered,
        statuses=number("SELECT count(*) FROM statuses WHERE NOT early"),
        dead_letters=number("SELECT sum(n) FROM letters") + number("SELECT sum(n) FROM recovered"),
        dead_letters_of_failed=number("SELECT count(*) FROM given_up"),
        duplicates_ignored=ledger.event_records - known - recovered + buried + of_earlier,
        replaced_by_replays=replaced,
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
