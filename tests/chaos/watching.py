"""What the run sees while it goes on: committed outcomes, checkpoints and lag; changes nothing.

Outcomes arrive at a reader of its own that asks the broker past every proxy. An answer that does not come is None.
"""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.target import Target

GROUP = "darkroom-derivatives"
REMEMBERED = 10_000  # arrivals; a recovery looks a few minutes back
ASK_MS = 2_000
POLL_MS = 50
OVERDUE_S = 3.0  # three intervals without a checkpoint


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A completed checkpoint: its number, its times in seconds since the epoch, and how often its job was restored."""

    number: int
    triggered: float
    completed: float
    restored: int


class Watch(threading.Thread):
    """Counts the outcomes as they are committed, and asks for checkpoints and offsets."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="watch", daemon=True)
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # an unreachable broker is what is tested
        self._target = target
        self._rest = FlinkRest(target)
        self._ending = threading.Event()
        self._arrivals: deque[float] = deque(maxlen=REMEMBERED)
        self._checkpoint_at = time.time()
        self._asker: KafkaConsumer | None = None
        self.outcomes = 0

    def run(self) -> None:
        """Read outcomes until ended; a reader that fails is replaced, and goes on where the last one was."""
        positions: dict[TopicPartition, int] = {}
        while not self._ending.is_set():
            try:
                self._follow(positions)
            except (KafkaError, OSError, AssertionError):
                self._ending.wait(0.5)

    def end(self) -> None:
        """Stop reading."""
        self._ending.set()
        self.join(20)
        self._forget_asker()

    def outcome_after(self, moment: float) -> float | None:
        """Return when the first outcome arrived at or after a moment, in seconds since the epoch."""
        return next((arrival for arrival in list(self._arrivals) if arrival >= moment), None)

    def checkpoint(self) -> Checkpoint | None:
        """Return the newest completed checkpoint of the running job."""
        try:
            (job, *_) = self._rest.running_jobs()
            told = self._rest.get(f"/jobs/{job.job_id}/checkpoints")
        except (OperatorError, ValueError):
            return None
        newest = told["latest"]["completed"]
        if not newest:
            return None
        completed = newest["latest_ack_timestamp"] / 1000
        self._checkpoint_at = max(self._checkpoint_at, completed)
        return Checkpoint(newest["id"], newest["trigger_timestamp"] / 1000, completed, told["counts"]["restored"])

    def overdue(self) -> bool:
        """Tell whether no checkpoint has completed for three intervals."""
        self.checkpoint()
        return time.time() - self._checkpoint_at > OVERDUE_S

    def published(self) -> int | None:
        """Return how many records the events topic holds."""
        ends = self._ask(lambda reader, partitions: reader.end_offsets(partitions, timeout_ms=ASK_MS))
        return None if ends is None else sum(ends.values())

    def developed(self) -> int | None:
        """Return how many of them lie before the offsets of the newest checkpoint."""
        told = self._ask(lambda reader, partitions: [reader.committed(p, timeout_ms=ASK_MS) for p in partitions])
        return None if told is None else sum(offset or 0 for offset in told)

    def _ask(self, question: Any) -> Any:
        try:
            self._asker = self._asker or self._reader(GROUP)
            found = self._asker.partitions_for_topic(self._target.topics.events) or ()
            return question(self._asker, [TopicPartition(self._target.topics.events, p) for p in sorted(found)])
        except (KafkaError, OSError, AssertionError):
            self._forget_asker()
            return None

    def _forget_asker(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            asker.close(autocommit=False)

    def _reader(self, group: str | None) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self._target.kafka_bootstrap,
            bootstrap_timeout_ms=ASK_MS,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            reconnect_backoff_max_ms=500,
            metrics_enabled=False,
        )

    def _follow(self, positions: dict[TopicPartition, int]) -> None:
        reader = self._reader(None)
        try:
            topics = (self._target.topics.status, self._target.topics.dead_letters)
            partitions = [TopicPartition(t, p) for t in topics for p in sorted(reader.partitions_for_topic(t) or ())]
            reader.assign(partitions)
            for partition in partitions:
                reader.seek(partition, positions.get(partition, 0))
            while not self._ending.is_set():
                batches = reader.poll(timeout_ms=POLL_MS)
                now = time.time()
                for partition, records in batches.items():
                    positions[partition] = records[-1].offset + 1
                    self._arrivals.extend([now] * len(records))
                    self.outcomes += len(records)
        finally:
            reader.close(autocommit=False)
