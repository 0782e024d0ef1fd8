"""Open transactions that a job left behind: they hide everything written after them from read_committed readers.

Aborting one loses its records, so this is for a start from nothing alone: a job that resumes commits what its
checkpoint holds, and aborts the rest itself.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import TransactionalIdNotFoundError

from darkroom.kafka import CONNECT_TIMEOUT_MS, kafka_errors
from darkroom.kafka_access import client_options

OPEN = ("Ongoing",)


@dataclass(frozen=True, slots=True)
class Lingering:
    """One open transaction; `since_ms` is epoch milliseconds."""

    transactional_id: str
    since_ms: int
    topics: frozenset[str]


def find_lingering(bootstrap: str, topics: Iterable[str]) -> list[Lingering]:
    """Return the open transactions that have records in any of the topics, whatever their id; the oldest first."""
    wanted = frozenset(topics)
    with _admin(bootstrap) as admin:
        listed = [one for of_broker in admin.list_transactions(state_filters=OPEN).values() for one in of_broker]
        found = (lingering for one in listed for lingering in _described(admin, one.transactional_id))
        return sorted((one for one in found if one.topics & wanted), key=lambda one: one.since_ms)


def abort(bootstrap: str, lingering: Iterable[Lingering]) -> None:
    """Abort transactions as a restarted producer does, by taking their ids over: whoever held one can write no more."""
    for one in lingering:
        with kafka_errors(bootstrap):
            producer = KafkaProducer(
                **client_options(bootstrap),
                bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
                transactional_id=one.transactional_id,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            try:
                producer.init_transactions()
            finally:
                producer.close(timeout=CONNECT_TIMEOUT_MS / 1000)


def _described(admin: KafkaAdminClient, transactional_id: str) -> Iterator[Lingering]:
    try:
        described = admin.describe_transactions([transactional_id])[transactional_id]
    except TransactionalIdNotFoundError:  # it ended meanwhile
        return
    topics = frozenset(partition.topic for partition in described.topic_partitions)
    yield Lingering(transactional_id, described.transaction_start_time_ms, topics)


@contextmanager
def _admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    with kafka_errors(bootstrap):
        admin = KafkaAdminClient(**client_options(bootstrap), request_timeout_ms=CONNECT_TIMEOUT_MS)
        try:
            yield admin
        finally:
            admin.close()
