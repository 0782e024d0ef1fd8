"""The contract of every store on a real MinIO, and a user that may not read."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from minio import MinioAdmin
from minio.credentials.providers import AWSConfigProvider

from darkroom.storage import connect
from tests.live_stack import Stack
from tests.store_contract import EtagContract, StoreContract
from udfs.errors import SourceForbiddenError, StoreUnavailableError
from udfs.object_store import ObjectStore
from udfs.s3_store import S3Address

pytestmark = pytest.mark.timeout(300)

BUCKET = "store-contract"
FORBIDDEN = "store-forbidden"
USER, PASSWORD = "restricted", "restricted-password"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{BUCKET}/*"]}],
}


@pytest.fixture
def store(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(stack.target.credentials_file))
    return S3Address(stack.target.s3_endpoint, stack.target.s3_region, connections=4)()


@pytest.fixture
def bucket(stack: Stack) -> Iterator[str]:
    client = connect(stack.target)
    client.make_bucket(BUCKET)
    yield BUCKET
    for found in list(client.list_objects(BUCKET, recursive=True)):
        client.remove_object(BUCKET, found.object_name or "")
    client.remove_bucket(BUCKET)


class TestMinio(StoreContract, EtagContract):
    pass


@pytest.fixture
def restricted(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    admin = MinioAdmin(
        endpoint=urlsplit(stack.target.s3_endpoint).netloc,
        credentials=AWSConfigProvider(str(stack.target.credentials_file)),
        secure=False,
    )
    admin.user_add(USER, PASSWORD)
    admin.policy_add("restricted", policy=POLICY)
    admin.policy_set("restricted", user=USER)
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[default]\naws_access_key_id = {USER}\naws_secret_access_key = {PASSWORD}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    return S3Address(stack.target.s3_endpoint, stack.target.s3_region, connections=4)()


def test_a_source_the_job_may_not_read_is_forbidden_and_a_refused_put_blames_no_event(
    stack: Stack, bucket: str, restricted: ObjectStore
) -> None:
    connect(stack.target).make_bucket(FORBIDDEN)
    with pytest.raises(SourceForbiddenError):
        restricted.open_source(FORBIDDEN, "anything", None)
    with pytest.raises(StoreUnavailableError):
        restricted.put(bucket, "key", b"data", {"Content-Type": "text/plain"})


def test_credentials_that_the_store_does_not_know_blame_no_event(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = nobody\naws_secret_access_key = wrong-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    stranger = S3Address(stack.target.s3_endpoint, stack.target.s3_region, connections=4)()
    with pytest.raises(StoreUnavailableError):
        stranger.open_source("images", "anything", None)
