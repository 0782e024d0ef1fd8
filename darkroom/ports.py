"""Topics and buckets as the operator's tool reads them. Knows no client of either."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """One committed record; ``value`` is None for a record without one."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Topic(Protocol):
    """A topic read forward: every read goes from where the last one ended to the end as it is at its start."""

    def read(self) -> Iterator[TopicRecord]:
        """Yield the committed records, those of one partition in order."""

    def pending(self) -> int:
        """Return how many records lie behind an open transaction, not readable yet; markers count."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object of a listing; size in bytes."""

    key: str
    size: int
    etag: str


class Objects(Protocol):
    """What verify and show need of a store."""

    def list(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        """Yield every object under a prefix, page by page."""

    def read(self, bucket: str, key: str) -> bytes | None:
        """Return an object's bytes; None when there is no such object."""

    def sha256(self, bucket: str, key: str) -> str | None:
        """Return the SHA-256 of an object's bytes as 64 hexadecimal digits; None when there is no such object."""
