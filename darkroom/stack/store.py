"""The MinIO part, and what any S3 store has to have: credentials that work and three buckets."""

import configparser
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.providers import AWSConfigProvider
from minio.error import MinioException, S3Error

from darkroom.stack.grants import grant_job, prepare_job_credentials
from darkroom.stack.layout import Home
from darkroom.stack.private import write_private
from darkroom.stack.program import Program
from darkroom.stack.record import StackRecord

ROOT_USER = "darkroom"
REQUEST_TIMEOUT_SECONDS = 5.0
BAD_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied"})


def prepare_store(home: Home) -> None:
    """Make the credentials once, and the two files that MinIO reads them from at every start."""
    (home.data / "minio").mkdir(parents=True, exist_ok=True)
    if not home.credentials.exists():
        text = f"[default]\naws_access_key_id = {ROOT_USER}\naws_secret_access_key = {secrets.token_urlsafe(30)}\n"
        write_private(home.credentials, text)
    prepare_job_credentials(home)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(home.credentials)
    write_private(_root_user_file(home), parser["default"]["aws_access_key_id"])
    write_private(_root_password_file(home), parser["default"]["aws_secret_access_key"])


def store_program(record: StackRecord, home: Home, minio: Path) -> Program:
    """Return how MinIO runs."""
    command = ("server", "--address", urlsplit(record.s3_endpoint).netloc, "--console-address")
    return Program(
        part="minio",
        command=(str(minio), *command, urlsplit(record.s3_console_url or "").netloc, str(home.data / "minio")),
        priority=10,
        environment={
            "MINIO_ROOT_USER_FILE": str(_root_user_file(home)),
            "MINIO_ROOT_PASSWORD_FILE": str(_root_password_file(home)),
            "MINIO_REGION": record.s3_region,
            "MINIO_UPDATE": "off",  # asks the network for a newer release otherwise
        },
    )


def store_problem(record: StackRecord) -> str | None:
    """Return why the store cannot be used now, or None."""
    try:
        with _client(record) as client:
            client.bucket_exists(bucket_name=record.buckets.flink)
    except S3Error as error:
        if error.code in BAD_CREDENTIALS:
            return f"refuses the credentials in {record.credentials_file} ({error.code})"
        return f"answers {error.code}"
    except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        return f"does not answer ({type(error).__name__})"
    return None


def make_buckets(record: StackRecord) -> None:
    """Create the buckets that do not exist yet; on a store of our own, let the job's user use them."""
    with _client(record) as client:
        for bucket in record.buckets.names():
            if not client.bucket_exists(bucket_name=bucket):
                client.make_bucket(bucket_name=bucket, location=record.s3_region)
    if record.runs("minio"):
        grant_job(record)


def _root_user_file(home: Home) -> Path:
    return home.run / "minio-root-user"


def _root_password_file(home: Home) -> Path:
    return home.run / "minio-root-password"


@contextmanager
def _client(record: StackRecord) -> Iterator[Minio]:
    address = urlsplit(record.s3_endpoint)
    authority = str(record.s3_ca_file) if record.s3_ca_file else None
    with urllib3.PoolManager(timeout=REQUEST_TIMEOUT_SECONDS, retries=False, ca_certs=authority) as pool:
        yield Minio(
            endpoint=address.netloc,
            secure=address.scheme == "https",
            region=record.s3_region,
            credentials=AWSConfigProvider(str(record.credentials_file), "default"),
            http_client=pool,
        )
