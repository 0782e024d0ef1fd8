"""Connections to Kafka: a producer that loses nothing, and topics read committed-only from one end to the other.

KafkaTopic         at least what is committed when a read begins; each record once; in the order of its partition
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, RetriableError

from darkroom.errors import OperatorError
from darkroom.kafka_access import client_options
from darkroom.kafka_refusals import Listener, refusal_in
from darkroom.ports import TopicRecord

CONNECT_TIMEOUT_MS = 10_000
STALL_SECONDS = 60.0
POLL_MS = 500
POLL_RECORDS = 2_000
FETCH_BYTES_PER_PARTITION = 4 * 1024 * 1024
LINGER_MS = 5
RECONNECT_BACKOFF_MAX_MS = 1_000  # the client's 30 s would outlast a broker's restart


class KafkaTopic:
    """One topic on real Kafka, from its beginning or from the first record at or after a time.

    Records older than `since_ms` are left out even where they lie between newer ones; those of `until_ms` or later
    are left out as well.
    """

    def __init__(self, bootstrap: str, topic: str, *, since_ms: int | None = None, until_ms: int | None = None) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._since_ms = since_ms
        self._until_ms = until_ms
        self._next: dict[TopicPartition, int] = {}
        self._consumer = connect_consumer(bootstrap)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(autocommit=False)

    def read(self) -> Iterator[TopicRecord]:
        """Yield what is committed now and was not read before; ends at the last stable offsets."""
        with kafka_errors(self._bootstrap):
            partitions = partitions_of(self._consumer, self._bootstrap, self._topic)
            ends = self._consumer.end_offsets(partitions)
            starts = self._starts(partitions)
            self._next = {partition: max(starts[partition], ends[partition]) for partition in partitions}
            for record in self._between(starts, ends):
                if self._is_wanted(record):
                    yield record

    def pending(self) -> int:
        """Return the distance between the last stable offset and the end of the log, over all partitions."""
        with kafka_errors(self._bootstrap):
            consumer = connect_consumer(self._bootstrap, isolation_level="read_uncommitted")
            try:
                partitions = partitions_of(consumer, self._bootstrap, self._topic)
                written = consumer.end_offsets(partitions)
            finally:
                consumer.close(autocommit=False)
            stable = self._consumer.end_offsets(partitions)
        return sum(max(0, written[partition] - stable[partition]) for partition in partitions)

    def _starts(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        beginnings: dict[TopicPartition, int] = self._consumer.beginning_offsets(partitions)
        if self._since_ms is not None:
            found = self._consumer.offsets_for_times(dict.fromkeys(partitions, self._since_ms))
            ends = self._consumer.end_offsets(partitions)
            beginnings = {p: found[p].offset if found.get(p) else ends[p] for p in partitions}
        return {p: self._next.get(p, beginnings[p]) for p in partitions}

    def _is_wanted(self, record: TopicRecord) -> bool:
        if self._since_ms is not None and record.timestamp_ms < self._since_ms:
            return False
        return self._until_ms is None or record.timestamp_ms < self._until_ms

    def _between(
        self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Iterator[TopicRecord]:
        open_ = {partition for partition in starts if starts[partition] < ends[partition]}
        if not open_:
            return
        self._consumer.assign(list(open_))
        self._consumer.resume(*open_)  # an earlier read left them paused
        for partition in open_:
            self._consumer.seek(partition, starts[partition])
        stall = _Stall(lambda: f"Kafka at {self._bootstrap} stopped answering while {self._topic} was read; try again")
        while open_:
            for partition, records in self._consumer.poll(timeout_ms=POLL_MS, max_records=POLL_RECORDS).items():
                yield from (_record(record) for record in records if record.offset < ends[partition])
            # the position, not the last record: transaction markers and aborted records are never returned
            positions = {partition: self._consumer.position(partition) or 0 for partition in open_}
            stall.check(tuple(sorted(positions.items())))
            finished = {partition for partition in open_ if positions[partition] >= ends[partition]}
            if finished:
                self._consumer.pause(*finished)
                open_ -= finished


class _Stall:
    """Raises when what it is shown has not changed for a long time."""

    def __init__(self, message: Callable[[], str]) -> None:
        self._message = message
        self._seen: object = None
        self._since = time.monotonic()

    def check(self, progress: object) -> None:
        if progress != self._seen:
            self._seen, self._since = progress, time.monotonic()
        elif time.monotonic() - self._since > STALL_SECONDS:
            raise OperatorError(self._message())


def _record(record: Any) -> TopicRecord:
    headers = tuple(record.headers or ())
    return TopicRecord(record.partition, record.offset, record.timestamp, record.key, record.value, headers)


def follow(bootstrap: str, topics: list[str], *, from_beginning: bool) -> Iterator[tuple[str, TopicRecord] | None]:
    """Yield committed records of several topics as they come, with their topic; None when nothing came for a while."""
    with kafka_errors(bootstrap):
        consumer = connect_consumer(bootstrap)
        try:
            partitions = [p for topic in topics for p in partitions_of(consumer, bootstrap, topic)]
            offsets = consumer.beginning_offsets if from_beginning else consumer.end_offsets
            starts = offsets(partitions)
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, starts[partition])
            while True:
                batches = consumer.poll(timeout_ms=POLL_MS)
                for partition, records in batches.items():
                    yield from ((partition.topic, _record(record)) for record in records)
                if not batches:
                    yield None
        finally:
            consumer.close(autocommit=False)


def partitions_of(consumer: KafkaConsumer, bootstrap: str, topic: str) -> list[TopicPartition]:
    """Return the partitions of a topic; OperatorError when there is no such topic."""
    found = consumer.partitions_for_topic(topic)
    if not found:
        message = f"Kafka at {bootstrap} has no topic {topic}; create it, or start the stack with `darkroom up`"
        raise OperatorError(message)
    return [TopicPartition(topic, partition) for partition in sorted(found)]


def connect_consumer(bootstrap: str, isolation_level: str = "read_committed") -> KafkaConsumer:
    """Return a consumer without a group, which reads where it is told to and commits nothing."""
    with kafka_errors(bootstrap):
        return KafkaConsumer(
            **client_options(bootstrap),
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation_level,
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=FETCH_BYTES_PER_PARTITION,
            metrics_enabled=False,
        )


def connect_producer(bootstrap: str) -> KafkaProducer:
    """Return an idempotent producer that counts a record as sent when every in-sync replica has it."""
    with kafka_errors(bootstrap):
        return KafkaProducer(
            **client_options(bootstrap),
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            linger_ms=LINGER_MS,
            reconnect_backoff_max_ms=RECONNECT_BACKOFF_MAX_MS,
            metrics_enabled=False,
        )


@contextmanager
def kafka_errors(bootstrap: str) -> Iterator[None]:
    """Turn what the client raises into one sentence with its remedy."""
    listener = Listener()
    logger = logging.getLogger("kafka")
    logger.addHandler(logging.NullHandler())  # else its warnings reach the terminal unasked
    logger.addHandler(listener)
    try:
        yield
    except RetriableError as error:  # the client has retried as long as it may
        if listener.refusal:
            message = f"Kafka at {bootstrap} lets nobody in: {listener.refusal}"
            raise OperatorError(message) from error
        message = (
            f"Kafka at {bootstrap} does not answer ({type(error).__name__}); "
            "start the stack with `darkroom up` or set DARKROOM_KAFKA_BOOTSTRAP"
        )
        raise OperatorError(message) from error
    except KafkaError as error:
        message = f"Kafka at {bootstrap} refuses: {refusal_in(type(error).__name__) or error}"
        raise OperatorError(message) from error
    finally:
        logger.removeHandler(listener)
