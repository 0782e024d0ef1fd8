"""The order in which everything is read, so that what is found is wrong even while the job goes on working.

Events come before statuses: an event that was there has had its chance. The events that came meanwhile are read last:
a status always finds its event, and an image that may have changed while its objects were listed is not judged.
"""

import time
from dataclasses import dataclass

from darkroom.console import Counter, Silent, plural
from darkroom.ports import Objects, Topic
from darkroom.verify import findings, reading
from darkroom.verify.figures import figures
from darkroom.verify.ledger import Ledger
from darkroom.verify.report import Report
from schemas.codec import Schema

POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Streams:
    """The topics of one job; `earlier_statuses` are those just before the window, when there is a window."""

    events: Topic
    statuses: Topic
    dead_letters: Topic
    earlier_statuses: Topic | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How to verify; `writers` are the schemas of events besides Darkroom's own."""

    derivatives_bucket: str = "derivatives"
    whole_history: bool = True
    read_bytes: bool = True
    wait_seconds: float = 0.0
    poll_seconds: float = POLL_SECONDS
    writers: tuple[Schema, ...] = ()


def verify_streams(
    streams: Streams, objects: Objects, options: Options | None = None, counter: Counter | None = None
) -> Report:
    """Reconcile events, statuses, dead letters and objects; the caller closes the report."""
    ledger = Ledger()
    try:
        return _Verification(ledger, streams, objects, options or Options(), counter or Silent()).run()
    except BaseException:
        ledger.close()
        raise


class _Verification:
    def __init__(self, ledger: Ledger, streams: Streams, objects: Objects, options: Options, counter: Counter) -> None:
        self._ledger = ledger
        self._streams = streams
        self._objects = objects
        self._options = options
        self._writers = list(options.writers)
        self._counter = counter

    def run(self) -> Report:
        self._counter.describe("reading events")
        reading.read_events(self._ledger, self._streams.events, self._writers, self._counter)
        self._read_outcomes()
        self._read_earlier()
        self._wait()
        self._compare_objects()
        self._counter.describe("reading what came meanwhile")
        reading.read_events(self._ledger, self._streams.events, self._writers, self._counter, late=True)
        open_images = f"SELECT user, image FROM events e WHERE {findings.UNSETTLED}"
        self._ledger.add_unsettled((user, image) for user, image in self._ledger.rows(open_images))
        self._counter.describe("reconciling")
        findings.find(self._ledger, whole_history=self._options.whole_history)
        pending = self._streams.statuses.pending() + self._streams.dead_letters.pending()
        return Report(self._ledger, figures(self._ledger, pending))

    def _read_outcomes(self) -> None:
        self._counter.describe("reading statuses")
        reading.read_statuses(self._ledger, self._streams.statuses, self._counter)
        self._counter.describe("reading dead letters")
        reading.read_dead_letters(self._ledger, self._streams.dead_letters, self._writers, self._counter)

    def _read_earlier(self) -> None:
        if self._streams.earlier_statuses is None or not findings.count_open(self._ledger):
            return
        self._counter.describe("reading earlier statuses")
        reading.read_statuses(self._ledger, self._streams.earlier_statuses, self._counter, early=True)

    def _wait(self) -> None:
        end = time.monotonic() + self._options.wait_seconds
        while self._options.wait_seconds and (still_open := findings.count_open(self._ledger)):
            left = end - time.monotonic()
            if left <= 0:
                return
            self._counter.describe(f"waiting for {plural(still_open, 'outcome')}, {left:.0f} s left")
            time.sleep(min(left, self._options.poll_seconds))
            self._read_outcomes()

    def _compare_objects(self) -> None:
        self._counter.describe("listing objects")
        bucket, whole = self._options.derivatives_bucket, self._options.whole_history
        reading.read_objects(self._ledger, self._objects, bucket, self._counter, whole_bucket=whole)
        if self._options.read_bytes:
            self._counter.describe("comparing objects")
            reading.compare_bytes(self._ledger, self._objects, self._counter)
