"""The S3 side of the port to object storage, and the one table that translates its errors."""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.providers import AWSConfigProvider, ChainedProvider, EnvAWSProvider, EnvMinioProvider
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from minio.helpers import MIN_PART_SIZE, check_bucket_name

from udfs.errors import (
    SourceBucketMissingError,
    SourceChangedError,
    SourceError,
    SourceForbiddenError,
    SourceMissingError,
    StoreUnavailableError,
)
from udfs.object_store import ObjectStore, OpenedSource

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 10  # without a single byte; a large source may take longer

SOURCE_ERRORS: dict[str, type[SourceError]] = {
    "AccessDenied": SourceForbiddenError,
    "InvalidBucketName": SourceBucketMissingError,
    "InvalidObjectState": SourceForbiddenError,  # archived: it has to be restored first
    "KeyTooLongError": SourceMissingError,
    "MethodNotAllowed": SourceMissingError,  # the newest version of the key is a delete marker
    "NoSuchBucket": SourceBucketMissingError,
    "NoSuchKey": SourceMissingError,
    "PreconditionFailed": SourceChangedError,
    "XMinioInvalidObjectName": SourceMissingError,
}
"""S3 error codes for which the event is to blame; every other code is the store's."""


@dataclass(frozen=True, slots=True)
class S3Address:
    """Where an S3 endpoint is; credentials come from the environment of the process that opens it."""

    endpoint: str
    region: str
    connections: int
    ca_file: str | None = None  # PEM; None: the certificate authorities that the machine trusts

    def __call__(self) -> ObjectStore:
        """Open a store; credentials from AWS_SHARED_CREDENTIALS_FILE, AWS_* or MINIO_* variables."""
        url = urlsplit(self.endpoint)
        found = ChainedProvider([AWSConfigProvider(), EnvAWSProvider(), EnvMinioProvider()]).retrieve()
        client = Minio(
            url.netloc,
            found.access_key,
            found.secret_key,
            found.session_token,
            secure=url.scheme == "https",
            region=self.region,
            http_client=urllib3.PoolManager(
                maxsize=self.connections,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
                retries=False,  # retried in one place only, by develop
                ca_certs=self.ca_file,
            ),
        )
        return S3Store(client, self.endpoint)


class S3Store:
    """An S3 endpoint as an ObjectStore; safe to use from several threads."""

    def __init__(self, client: Minio, endpoint: str) -> None:
        self._client = client
        self._endpoint = endpoint

    def open_source(self, bucket: str, key: str, etag: str | None) -> OpenedSource:
        self._check_bucket(bucket)
        headers: dict[str, str | list[str] | tuple[str]] = {"If-Match": f'"{etag}"'} if etag else {}
        try:
            with self._translated(f"GET {bucket}"):
                response = self._client.get_object(bucket, key, request_headers=headers)
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, S3Error) and error.__cause__.code in SOURCE_ERRORS:
                message = f"source {bucket}/{key}: {error.__cause__.message}"
                raise SOURCE_ERRORS[error.__cause__.code](message) from error
            raise
        except ValueError as error:  # the client refuses a key before it asks the store
            message = f"source {bucket}/{key}: {error}"
            raise SourceMissingError(message) from error
        if "Content-Length" not in response.headers:
            response.close()
            message = f"GET {bucket} at {self._endpoint}: the answer does not say how long the source is"
            raise StoreUnavailableError(message)
        return S3Source(response, f"GET {bucket} at {self._endpoint}")

    def put(self, bucket: str, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with self._translated(f"PUT {bucket}"):
            self._client.put_object(
                bucket,
                key,
                io.BytesIO(data),
                len(data),
                content_type=headers["Content-Type"],
                metadata={**headers, "x-amz-checksum-sha256": checksum},
                part_size=max(len(data), MIN_PART_SIZE),  # one request: the object appears whole or not at all
            )

    def list_keys(self, bucket: str, prefix: str) -> list[str]:
        with self._translated(f"LIST {bucket}"):
            found = self._client.list_objects(bucket, prefix=prefix, recursive=True)
            return [item.object_name for item in found if item.object_name]

    def remove(self, bucket: str, keys: Sequence[str]) -> None:
        with self._translated(f"DELETE {bucket}"):
            for error in self._client.remove_objects(bucket, (DeleteObject(key) for key in keys)):
                message = f"DELETE {bucket} at {self._endpoint}: {error.code}"
                raise StoreUnavailableError(message)

    def _check_bucket(self, bucket: str) -> None:
        try:
            check_bucket_name(bucket)
        except ValueError as error:
            message = f"source bucket {bucket!r}: {error}"
            raise SourceBucketMissingError(message) from error

    @contextmanager
    def _translated(self, request: str) -> Iterator[None]:
        try:
            yield
        except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
            message = f"{request} at {self._endpoint}: {_in_words(error)}"
            raise StoreUnavailableError(message) from error


class S3Source:
    """An open GET request; the connection goes back to its pool when it is read or closed."""

    def __init__(self, response: urllib3.BaseHTTPResponse, request: str) -> None:
        self._response = response
        self._request = request
        self.size = int(response.headers["Content-Length"])
        self.etag = response.headers.get("ETag", "").strip('"') or None

    def read(self) -> bytes:
        try:
            data = self._response.read(decode_content=False)  # never inflate what the budget did not count
        except (urllib3.exceptions.HTTPError, OSError) as error:
            message = f"{self._request}: {_in_words(error)}"
            raise StoreUnavailableError(message) from error
        finally:
            self._response.release_conn()
        if len(data) != self.size:
            message = f"{self._request}: {len(data)} bytes arrived of {self.size}"
            raise StoreUnavailableError(message)
        return data

    def close(self) -> None:
        self._response.close()


def _in_words(error: Exception) -> str:
    if isinstance(error, S3Error):
        return f"{error.code} ({error.message})"
    return f"{type(error).__name__}: {error}"
