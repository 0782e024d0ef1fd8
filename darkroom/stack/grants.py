"""What the job's user may do on a MinIO: read the sources, keep derivatives and state, and nothing else.

All but its last statement is plain S3 policy language; another store takes that with its own tools.
"""

import configparser
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import urllib3
from minio.credentials.providers import AWSConfigProvider
from minio.error import MinioAdminException
from minio.minioadmin import MinioAdmin

from darkroom.stack.layout import Home
from darkroom.stack.private import write_private
from darkroom.stack.record import Buckets, StackRecord

JOB_USER = "darkroom-job"
REQUEST_TIMEOUT_SECONDS = 5.0
ALREADY_ATTACHED = "PolicyChangeAlreadyApplied"

READ_OBJECTS = ["s3:GetObject"]
READ_BUCKETS = ["s3:ListBucket"]  # without it a store answers for a missing key that access is denied
WRITE_OBJECTS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
]
# MinIO lets every user change its own secret and make further keys for itself unless that is denied by name
NO_ADMINISTRATION = {"Effect": "Deny", "Action": ["admin:*"]}
WRITE_BUCKETS = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation"]


def job_policy(buckets: Buckets) -> dict[str, Any]:
    """Return the policy document of the job's user."""
    sources, own = sorted(set(buckets.sources)), [buckets.derivatives, buckets.flink]
    return {
        "Version": "2012-10-17",
        "Statement": [
            _allow(READ_BUCKETS, sources),
            _allow(READ_OBJECTS, [f"{bucket}/*" for bucket in sources]),
            _allow(WRITE_BUCKETS, own),
            _allow(WRITE_OBJECTS, [f"{bucket}/*" for bucket in own]),
            NO_ADMINISTRATION,
        ],
    }


def prepare_job_credentials(home: Home) -> None:
    """Make the job's key and secret once."""
    if not home.job_credentials.exists():
        text = f"[default]\naws_access_key_id = {JOB_USER}\naws_secret_access_key = {secrets.token_urlsafe(30)}\n"
        write_private(home.job_credentials, text)


def grant_job(record: StackRecord) -> None:
    """Make the job's user and let it use the record's buckets, besides those it may use already."""
    keys = _job_keys(record)
    with _administrator(record) as admin:
        admin.user_add(keys["aws_access_key_id"], keys["aws_secret_access_key"])
        admin.policy_add(_policy_name(record), policy=job_policy(record.buckets))
        try:
            admin.attach_policy([_policy_name(record)], user=keys["aws_access_key_id"])
        except MinioAdminException as error:
            if ALREADY_ATTACHED not in str(error):
                raise


def withdraw_job(record: StackRecord) -> None:
    """Let the job's user no longer use the record's buckets: MinIO merges all of a user's policies at each request."""
    with _administrator(record) as admin:
        admin.detach_policy([_policy_name(record)], user=_job_keys(record)["aws_access_key_id"])
        admin.policy_remove(_policy_name(record))


def _job_keys(record: StackRecord) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(record.job_credentials_file)
    return parser["default"]


def _policy_name(record: StackRecord) -> str:
    return f"{JOB_USER}-{record.buckets.derivatives}"


@contextmanager
def _administrator(record: StackRecord) -> Iterator[MinioAdmin]:
    address = urlsplit(record.s3_endpoint)
    authority = str(record.s3_ca_file) if record.s3_ca_file else None
    with urllib3.PoolManager(timeout=REQUEST_TIMEOUT_SECONDS, retries=False, ca_certs=authority) as pool:
        yield MinioAdmin(
            endpoint=address.netloc,
            credentials=AWSConfigProvider(str(record.credentials_file), "default"),
            region=record.s3_region,
            secure=address.scheme == "https",
            http_client=pool,
        )


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    names = [f"arn:aws:s3:::{resource}" for resource in resources]
    return {"Effect": "Allow", "Action": actions, "Resource": names}
