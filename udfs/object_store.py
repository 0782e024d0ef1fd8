"""The port to object storage. Knows keys and bytes; knows nothing of events or images."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class OpenedSource(Protocol):
    """A source whose size and entity tag are known and whose bytes have not been read.

    The tag differs between two contents of one key; a store without tags has None.
    """

    size: int
    etag: str | None

    def read(self) -> bytes:
        """Return all bytes, of one version; StoreUnavailableError when fewer or more arrive than announced."""

    def close(self) -> None:
        """Give the connection back without reading."""


class ObjectStore(Protocol):
    """What develop needs of a store. Guarantee: an object is there, whole, when ``put`` returns."""

    def open_source(self, bucket: str, key: str, etag: str | None) -> OpenedSource:
        """Open an original; SourceError when the event is to blame, else StoreUnavailableError."""

    def put(self, bucket: str, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Store an object under its key, replacing what was there; StoreUnavailableError."""

    def list_keys(self, bucket: str, prefix: str) -> list[str]:
        """Return every key that begins with the prefix; StoreUnavailableError."""

    def remove(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove objects; a key that is not there is no error. StoreUnavailableError."""
