"""Folders as buckets: for a try without a store, and for tests."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from udfs.errors import SourceBucketMissingError, SourceForbiddenError, SourceMissingError, StoreUnavailableError
from udfs.object_store import ObjectStore, OpenedSource


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """The folder of each bucket."""

    buckets: Mapping[str, Path]

    def __call__(self) -> ObjectStore:
        """Open the folders as a store."""
        return FolderStore(self.buckets)


class FolderStore:
    """Folders as an ObjectStore; entity tags and headers are not kept.

    Guarantee: a file is there, whole, when ``put`` returns; it appears by a rename.
    """

    def __init__(self, buckets: Mapping[str, Path]) -> None:
        self._buckets = buckets

    def open_source(self, bucket: str, key: str, etag: str | None) -> OpenedSource:
        where = f"source {bucket}/{key}"
        if bucket not in self._buckets:
            message = f"{where}: there is no bucket {bucket}"
            raise SourceBucketMissingError(message)
        try:
            path = self._path(bucket, key)
            return FolderSource(path, path.stat().st_size)
        except (FileNotFoundError, NotADirectoryError, ValueError) as error:
            message = f"{where}: there is no such file"
            raise SourceMissingError(message) from error
        except PermissionError as error:
            message = f"{where}: the file may not be read"
            raise SourceForbiddenError(message) from error

    def put(self, bucket: str, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        path = self._path(bucket, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_bytes(data)
            os.replace(part, path)
        except OSError as error:
            raise StoreUnavailableError(str(error)) from error

    def list_keys(self, bucket: str, prefix: str) -> list[str]:
        root = self._buckets[bucket]
        found = (path.relative_to(root).as_posix() for path in (root / prefix).rglob("*") if path.is_file())
        return sorted(found)

    def remove(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys:
            self._path(bucket, key).unlink(missing_ok=True)

    def _path(self, bucket: str, key: str) -> Path:
        root = self._buckets[bucket].resolve()
        path = (root / key).resolve()
        if not path.is_relative_to(root):
            message = f"{key!r} leads out of the bucket"
            raise ValueError(message)
        return path


class FolderSource:
    """A file whose size is known and whose bytes have not been read."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self.size = size

    def read(self) -> bytes:
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise StoreUnavailableError(str(error)) from error

    def close(self) -> None:
        return
