"""Judges a run: reads the topics, the buckets and the journal, and says what of the promise is broken.

The events topic is the truth about what was published; the journal about what the published things were.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from darkroom.errors import OperatorError
from darkroom.ports import Objects
from darkroom.storage import S3Objects
from darkroom.target import Target
from schemas.reasons import Reason
from tests.chaos.journal import Journal
from tests.chaos.judging import Judging
from tests.chaos.model import PRESETS_FILE, Knowledge, Model, Presets
from tests.chaos.observation import Observation
from tests.chaos.observed import Observed
from tests.chaos.shelves import judge_objects
from tests.chaos.verdict import Verdict

POLL_S = 1.0
NAMED_EXAMPLES = 5

__all__ = ["Settlement", "Verdict", "judge", "judge_observed", "wait_until_settled"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """Whether every event has its outcome, and what lacks."""

    records: int
    unread_records: int  # acknowledged by Kafka and not readable
    open_events: int
    open_letters: int
    examples: tuple[str, ...]
    waited_s: float
    trouble: str | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing lacks."""
        return self.trouble is None and not (self.unread_records or self.open_events or self.open_letters)

    def __str__(self) -> str:
        parts = (
            f"{self.records} records, {self.unread_records} more not readable",
            f"{self.open_events} events without a status",
            f"{self.open_letters} dead letters missing",
        )
        named = (f"such as {', '.join(self.examples)}",) if self.examples else ()
        return ", ".join((*parts, *named, *((self.trouble,) if self.trouble else ())))


def judge(
    target: Target,
    journal: Journal,
    *,
    allowed: frozenset[Reason] = frozenset(),
    presets_file: Path = PRESETS_FILE,
) -> Verdict:
    """Judge what there is now; the load has to be stopped and the job settled.

    `allowed` are reasons that are no error wherever they appear, such as DECODER_CRASH in a run that kills a
    rendering process twice.
    """
    with Observation(target) as observation:
        observed = observation.read()
    buckets = (target.buckets.images, target.buckets.derivatives)
    return judge_observed(observed, Knowledge.of(journal.read()), S3Objects(target), buckets, allowed, presets_file)


def judge_observed(
    observed: Observed,
    known: Knowledge,
    objects: Objects,
    buckets: tuple[str, str],
    allowed: frozenset[Reason] = frozenset(),
    presets_file: Path = PRESETS_FILE,
) -> Verdict:
    """Judge what was observed; `buckets` are those of the sources and of the derivatives."""
    presets = Presets.read(presets_file)
    images, derivatives = buckets
    judging = Judging(Model(presets, known, images), known, presets, allowed)
    judging.judge(observed)
    judge_objects(judging.verdict, judging.settled, judging.unsettled, objects, derivatives)
    return judging.verdict


def wait_until_settled(
    target: Target,
    journal: Journal,
    limit_s: float,
    progress: Callable[[Settlement], None] | None = None,
    poll_s: float = POLL_S,
) -> Settlement:
    """Wait until every record has its outcome, through outages of Kafka; the load has to be stopped before."""
    started = time.monotonic()
    acknowledged = sum(Knowledge.of(journal.read()).acknowledged.values())
    while True:
        now = _follow(target, acknowledged, started, limit_s, progress, poll_s)
        if now.trouble is None or now.waited_s >= limit_s:
            return now
        time.sleep(poll_s)


def _follow(
    target: Target,
    acknowledged: int,
    started: float,
    limit_s: float,
    progress: Callable[[Settlement], None] | None,
    poll_s: float,
) -> Settlement:
    """Read on until settled, out of time, or Kafka does not answer."""
    now = Settlement(0, acknowledged, 0, 0, (), time.monotonic() - started)
    try:
        with Observation(target) as observation:
            while True:
                now = _settlement(observation.read(), acknowledged, time.monotonic() - started)
                if progress is not None:
                    progress(now)
                if now.settled or now.waited_s >= limit_s:
                    return now
                time.sleep(poll_s)
    except OperatorError as error:
        return replace(now, waited_s=time.monotonic() - started, trouble=str(error))


def _settlement(observed: Observed, acknowledged: int, waited_s: float) -> Settlement:
    records, lacking = len(observed.records), observed.open_events
    examples = tuple(f"{user}: {event}" for user, event in sorted(lacking)[:NAMED_EXAMPLES])
    unread = max(0, acknowledged - records)
    return Settlement(records, unread, len(lacking), observed.missing_letters, examples, waited_s)
