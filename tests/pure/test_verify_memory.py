"""A verification's memory does not grow with the number of events."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from verify_world import FakeObjects, FakeTopic, event_bytes, status_bytes

from darkroom.ports import TopicRecord
from darkroom.verify import Kind, Options, Streams, verify_streams
from darkroom.verify.figures import figures
from darkroom.verify.findings import find, stream_findings
from darkroom.verify.ledger import EventRow, Ledger, Place
from schemas.records import Outcome

KEPT_EVENTS = 200_000
TRACED_EVENTS = 40_000  # tracing is slow; holding on to these alone would break the limit
READ_EVENTS = 10_000
BATCH = 2_000
LOST_EVERY = 1_000
KEPT_LIMIT_BYTES = 4 * 1024 * 1024
READ_LIMIT_BYTES = 8 * 1024 * 1024  # holding them all would take twice as much


@contextmanager
def peak_below(limit_bytes: int) -> Iterator[None]:
    tracemalloc.start(1)
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit_bytes, f"{peak:,} bytes at the peak"


class Told(NamedTuple):
    """What the ledger keeps of a status: made much faster than a record."""

    user_id: str
    event_id: str
    image_id: str = "cat"
    outcome: Outcome = Outcome.REJECTED


def test_a_ledger_of_two_hundred_thousand_events_is_not_in_memory() -> None:
    with Ledger() as ledger:
        fill(ledger, 0, KEPT_EVENTS - TRACED_EVENTS)
        with peak_below(KEPT_LIMIT_BYTES):
            fill(ledger, KEPT_EVENTS - TRACED_EVENTS, KEPT_EVENTS)
            find(ledger, whole_history=True)
            lost = KEPT_EVENTS // LOST_EVERY
            found = figures(ledger, 0)
            assert (found.events, found.lost) == (KEPT_EVENTS, lost)
            assert sum(1 for _ in stream_findings(ledger, Kind.LOST)) == lost


def fill(ledger: Ledger, start: int, end: int) -> None:
    for first in range(start, end, BATCH):
        numbers = range(first, first + BATCH)
        ledger.add_events([EventRow(f"user {n}", f"event {n}", "cat", Place(0, n)) for n in numbers])
        ledger.add_statuses([(Told(f"user {n}", f"event {n}"), Place(0, n)) for n in numbers if n % LOST_EVERY])


class MadeUpTopic(FakeTopic):
    """Makes its records while they are read: one record with only its ids changed."""

    def __init__(self, pattern: bytes) -> None:
        super().__init__()
        values = (pattern.replace(b"########", b"%08d" % number) for number in range(READ_EVENTS))
        self._values = enumerate(values)

    def read(self) -> Iterator[TopicRecord]:
        yield from (TopicRecord(0, number, 0, None, value) for number, value in islice(self._values, READ_EVENTS))


def test_records_are_not_held_while_they_are_read() -> None:
    events = MadeUpTopic(event_bytes("########", "########"))
    statuses = MadeUpTopic(status_bytes("########", "########", outcome=Outcome.REJECTED))
    with (
        peak_below(READ_LIMIT_BYTES),
        verify_streams(Streams(events, statuses, FakeTopic()), FakeObjects(), Options()) as report,
    ):
        assert report.figures.events == report.figures.statuses == READ_EVENTS
        assert report.ok
