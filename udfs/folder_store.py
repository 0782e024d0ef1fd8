"""Folders as buckets: for a try without a store, and for tests."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from udfs.errors import SourceBucketMissingError, SourceForbiddenError, SourceMissingError, StoreUnavailableError
from udfs.object_store import ObjectStore, OpenedSource

PART_SUFFIX = ".part"  # of a file that is not whole yet


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """The folder of each bucket."""

    buckets: Mapping[str, Path]

    def __call__(self) -> ObjectStore:
        """Open the folders as a store."""
        return FolderStore(self.buckets)


class FolderStore:
    """Folders as an ObjectStore; the entity tags of events are not looked at, and headers are not kept.

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
            return FolderSource(self._path(bucket, key).open("rb"))
        except PermissionError as error:
            message = f"{where}: the file may not be read"
            raise SourceForbiddenError(message) from error
        except (OSError, ValueError) as error:  # no file has such a name, or the name is a folder's
            message = f"{where}: there is no such file"
            raise SourceMissingError(message) from error

    def put(self, bucket: str, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        with self._translated(f"PUT {bucket}"):
            path = self._path(bucket, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + PART_SUFFIX)
            try:
                part.write_bytes(data)
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)

    def list_keys(self, bucket: str, prefix: str) -> list[str]:
        with self._translated(f"LIST {bucket}"):
            root = self._buckets[bucket]
            folder = root / prefix.rpartition("/")[0]
            found = (path.relative_to(root).as_posix() for path in folder.rglob("*") if path.is_file())
            return sorted(key for key in found if key.startswith(prefix) and not key.endswith(PART_SUFFIX))

    def remove(self, bucket: str, keys: Sequence[str]) -> None:
        with self._translated(f"DELETE {bucket}"):
            for key in keys:
                self._path(bucket, key).unlink(missing_ok=True)

    @contextmanager
    def _translated(self, request: str) -> Iterator[None]:
        try:
            yield
        except (OSError, KeyError) as error:
            message = f"{request}: {type(error).__name__}: {error}"
            raise StoreUnavailableError(message) from error

    def _path(self, bucket: str, key: str) -> Path:
        root = self._buckets[bucket].resolve()
        path = (root / key).resolve()
        if not path.is_relative_to(root):
            message = f"{key!r} leads out of the bucket"
            raise ValueError(message)
        return path


class FolderSource:
    """An open file; it is closed when it is read or closed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.etag: str | None = _tag(file)

    def read(self) -> bytes:
        with self._file as file:
            try:
                data, tag = file.read(), _tag(file)
            except OSError as error:
                raise StoreUnavailableError(str(error)) from error
        if len(data) != self.size:
            message = f"{file.name}: {len(data)} bytes arrived of {self.size}"
            raise StoreUnavailableError(message)
        if tag != self.etag:
            message = f"{file.name} was written to while it was read"
            raise StoreUnavailableError(message)
        return data

    def close(self) -> None:
        self._file.close()


def _tag(file: BinaryIO) -> str:
    found = os.fstat(file.fileno())
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"
