"""The object store as the operator's tool sees it: a client, streamed listings, and errors in words."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.providers import AWSConfigProvider, ChainedProvider, EnvAWSProvider, Provider
from minio.error import MinioException, S3Error

from darkroom.errors import OperatorError, UsageError
from darkroom.ports import StoredObject
from darkroom.target import Target, external_credentials

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
RETRIES = 3
CONNECTIONS = 16
CHUNK_BYTES = 1024 * 1024

MISSING = ("NoSuchKey", "NoSuchObject")
DENIED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")


class S3Objects:
    """Objects in a real S3 store; may be used by several threads."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._client = connect(target)

    def list(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        """Yield every object under a prefix, in the order of keys."""
        with storage_errors(self._target, bucket):
            for found in self._client.list_objects(bucket, prefix=prefix, recursive=True):
                yield StoredObject(found.object_name or "", found.size or 0, (found.etag or "").strip('"'))

    def read(self, bucket: str, key: str) -> bytes | None:
        """Return an object's bytes."""
        chunks = self._chunks(bucket, key)
        return None if chunks is None else b"".join(chunks)

    def sha256(self, bucket: str, key: str) -> str | None:
        """Read an object, a megabyte at a time, and return its digest."""
        chunks = self._chunks(bucket, key)
        if chunks is None:
            return None
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
        return digest.hexdigest()

    def _chunks(self, bucket: str, key: str) -> Iterator[bytes] | None:
        with storage_errors(self._target, bucket):
            try:
                response = self._client.get_object(bucket, key)
            except S3Error as error:
                if error.code in MISSING:
                    return None
                raise
        return self._streamed(bucket, response)

    def _streamed(self, bucket: str, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        with storage_errors(self._target, bucket):
            try:
                yield from response.stream(CHUNK_BYTES)
            finally:
                response.close()
                response.release_conn()


def connect(target: Target) -> Minio:
    """Return a client; nothing is asked of the store yet."""
    url = urlsplit(target.s3_endpoint)
    return Minio(
        url.netloc,
        secure=url.scheme == "https",
        region=target.s3_region,
        credentials=ChainedProvider(_providers(target)),
        http_client=urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=urllib3.Retry(total=RETRIES, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
            maxsize=CONNECTIONS,
            ca_certs=str(target.s3_ca_file) if target.s3_ca_file else None,
        ),
    )


def _providers(target: Target) -> list[Provider]:
    file = str(target.credentials_file)
    if target.credentials_file == external_credentials(os.environ):
        return [EnvAWSProvider(), AWSConfigProvider(file)]
    # the local stack's own file first: keys in the environment may be meant for another store
    return [AWSConfigProvider(file, profile="default"), EnvAWSProvider()]


@contextmanager
def storage_errors(target: Target, bucket: str) -> Iterator[None]:
    """Turn what the client raises into one sentence with its remedy; no credential is ever in it."""
    try:
        yield
    except S3Error as error:
        raise _refusal(target, bucket, error) from error
    except (urllib3.exceptions.HTTPError, MinioException) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            message = (
                f"the certificate of the object store at {target.s3_endpoint} is signed by none that is trusted here; "
                "name the authority's certificate in DARKROOM_S3_CA_FILE"
            )
            raise OperatorError(message) from error
        message = (
            f"the object store at {target.s3_endpoint} does not answer ({type(error).__name__}); "
            "start the stack with `darkroom up` or set DARKROOM_S3_ENDPOINT"
        )
        raise OperatorError(message) from error
    except ValueError as error:
        if "fail to fetch credentials" not in str(error):
            raise
        message = (
            f"no credentials for the object store at {target.s3_endpoint}; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or name a credentials file in AWS_SHARED_CREDENTIALS_FILE"
        )
        raise UsageError(message) from error


def _refusal(target: Target, bucket: str, error: S3Error) -> OperatorError:
    if error.code == "NoSuchBucket":
        return OperatorError(f"{target.s3_endpoint} has no bucket {bucket}; create it, or run `darkroom up`")
    if error.code in DENIED:
        words = f"{target.s3_endpoint} refuses these credentials for the bucket {bucket} ({error.code})"
        return OperatorError(f"{words}; correct AWS_ACCESS_KEY_ID or the credentials file")
    return OperatorError(f"{target.s3_endpoint} answered {error.code} for the bucket {bucket}")
