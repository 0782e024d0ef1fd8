"""Reads the three topics of one job, committed-only."""

from contextlib import ExitStack
from typing import Self

from darkroom.kafka import KafkaTopic
from darkroom.target import Target
from tests.chaos.observed import Observed


class Observation:
    """The three topics of one job, read on and on; of no use any more when a read has failed."""

    def __init__(self, target: Target) -> None:
        self.observed = Observed()
        topics = target.topics
        with ExitStack() as opened:
            names = (topics.events, topics.status, topics.dead_letters)
            self._topics = [opened.enter_context(KafkaTopic(target.kafka_bootstrap, name)) for name in names]
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def read(self) -> Observed:
        """Read everything that came since the last time, events first: each has had its chance to have a status."""
        events, statuses, letters = (topic.read() for topic in self._topics)
        self.observed.add_records(events)
        self.observed.add_statuses(statuses)
        self.observed.add_letters(letters)
        return self.observed
