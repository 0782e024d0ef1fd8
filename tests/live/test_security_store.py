"""Least privilege on a real MinIO: what the job's user may do, and everything else that it may not."""

import io
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from minio import Minio
from minio.credentials.providers import AssumeRoleProvider, AWSConfigProvider
from minio.deleteobjects import DeleteObject
from minio.error import MinioAdminException, S3Error
from minio.minioadmin import MinioAdmin

from darkroom.stack.grants import JOB_USER, withdraw_job
from darkroom.stack.record import read_record
from darkroom.storage import connect
from darkroom.target import job_environment
from tests.canary import Canaries
from tests.live_stack import Scenario, Stack

pytestmark = pytest.mark.timeout(300)

FOREIGN = "foreign-bucket"
DATA = b"some bytes"


@dataclass(frozen=True, slots=True)
class Job:
    """The store as the job's credentials see it."""

    store: Minio
    admin: MinioAdmin
    derivatives: str
    flink: str

    def put(self, bucket: str, key: str = "key") -> object:
        return self.store.put_object(bucket, key, io.BytesIO(DATA), len(DATA))

    def read(self, bucket: str, key: str = "key") -> bytes:
        response = self.store.get_object(bucket, key)
        try:
            return response.read()
        finally:
            response.release_conn()

    def listed(self, bucket: str) -> list[str | None]:
        return [item.object_name for item in self.store.list_objects(bucket, recursive=True)]


@pytest.fixture(scope="module")
def job(stack: Stack) -> Job:
    scenario = Scenario(stack)
    operator, buckets = connect(scenario.target), scenario.target.buckets
    operator.put_object(buckets.images, "key", io.BytesIO(DATA), len(DATA))
    if not operator.bucket_exists(FOREIGN):
        operator.make_bucket(FOREIGN)
    operator.put_object(FOREIGN, "key", io.BytesIO(DATA), len(DATA))
    endpoint = stack.target.s3_endpoint.removeprefix("http://")
    provider = AWSConfigProvider(job_environment(scenario.target)["AWS_SHARED_CREDENTIALS_FILE"], "default")
    admin = MinioAdmin(endpoint=endpoint, credentials=provider, region=stack.target.s3_region, secure=False)
    store = Minio(endpoint, credentials=provider, region=stack.target.s3_region, secure=False)
    return Job(store, admin, buckets.derivatives, buckets.flink)


def test_the_job_reads_sources(job: Job) -> None:
    assert job.read("images") == DATA
    assert "key" in job.listed("images")


def test_a_source_that_is_missing_is_told_from_one_that_is_forbidden(job: Job) -> None:
    with pytest.raises(S3Error) as error:
        job.read("images", "no-such-key")
    assert error.value.code == "NoSuchKey"


@pytest.mark.parametrize("place", ["derivatives", "flink"])
def test_the_job_keeps_its_own_buckets(job: Job, place: str) -> None:
    bucket = getattr(job, place)
    job.put(bucket)
    assert job.read(bucket) == DATA
    assert job.listed(bucket) == ["key"]
    assert list(job.store.remove_objects(bucket, [DeleteObject("key")])) == []
    assert job.listed(bucket) == []


def test_the_job_may_give_up_a_multipart_upload(job: Job) -> None:
    upload = job.store._create_multipart_upload(job.flink, "part", {})
    job.store._upload_part(job.flink, "part", DATA, None, upload, 1)
    assert len(job.store._list_multipart_uploads(job.flink, prefix="part").uploads) == 1
    job.store._abort_multipart_upload(job.flink, "part", upload)
    assert job.store._list_multipart_uploads(job.flink, prefix="part").uploads == []


DENIED_OBJECTS: dict[str, Callable[[Job], object]] = {
    "put a source": lambda job: job.put("images"),
    "copy a source over another": lambda job: job.store._create_multipart_upload("images", "key", {}),
    "delete a source": lambda job: job.store.remove_object("images", "key"),
    "read a foreign bucket": lambda job: job.read(FOREIGN),
    "list a foreign bucket": lambda job: job.listed(FOREIGN),
    "write to a foreign bucket": lambda job: job.put(FOREIGN),
    "make a bucket": lambda job: job.store.make_bucket("one-more-bucket"),
    "remove its own bucket": lambda job: job.store.remove_bucket(job.derivatives),
    "publish its own bucket": lambda job: job.store.set_bucket_policy(job.derivatives, "{}"),
    "read a bucket's policy": lambda job: job.store.get_bucket_policy("images"),
    "switch versions off": lambda job: job.store.get_bucket_versioning(job.derivatives),
}

DENIED_ADMINISTRATION: dict[str, Callable[[Job], object]] = {
    "list users": lambda job: job.admin.user_list(),
    "list policies": lambda job: job.admin.policy_list(),
    "attach a policy to itself": lambda job: job.admin.attach_policy(["consoleAdmin"], user=JOB_USER),
    "rewrite its policy": lambda job: job.admin.policy_add(f"{JOB_USER}-derivatives", policy={}),
    "change its own secret": lambda job: job.admin.user_add(JOB_USER, "another-secret"),
    "make a key for itself": lambda job: job.admin.add_service_account(access_key="mine", secret_key="another-secret"),
    "ask about the server": lambda job: job.admin.info(),
    "stop the server": lambda job: job.admin.service_stop(),
}


@pytest.mark.parametrize("attempt", DENIED_OBJECTS.values(), ids=DENIED_OBJECTS)
def test_access_to_anything_else_is_denied(job: Job, attempt: Callable[[Job], object]) -> None:
    with pytest.raises(S3Error) as error:
        attempt(job)
    assert error.value.code == "AccessDenied"


@pytest.mark.parametrize("attempt", DENIED_ADMINISTRATION.values(), ids=DENIED_ADMINISTRATION)
def test_administration_is_denied(job: Job, attempt: Callable[[Job], object]) -> None:
    with pytest.raises(MinioAdminException, match="AccessDenied"):
        attempt(job)


def test_no_further_key_is_lent_to_the_job(job: Job, stack: Stack) -> None:
    found = AWSConfigProvider(str(stack.home.job_credentials), "default").retrieve()
    borrowed = AssumeRoleProvider(
        sts_endpoint=stack.target.s3_endpoint, access_key=found.access_key, secret_key=found.secret_key
    )
    with pytest.raises(ValueError, match="403"):
        borrowed.retrieve()


def test_the_job_sees_no_foreign_bucket(job: Job) -> None:
    assert FOREIGN not in {bucket.name for bucket in job.store.list_buckets()}


def test_both_credentials_are_for_their_owner_only_and_differ(stack: Stack) -> None:
    files = (stack.home.credentials, stack.home.job_credentials)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len({AWSConfigProvider(str(file), "default").retrieve().secret_key for file in files}) == 2


def test_what_minio_itself_writes_down_of_its_users_is_for_their_owner_only(job: Job, stack: Stack) -> None:
    secret = AWSConfigProvider(str(stack.home.job_credentials), "default").retrieve().secret_key
    holders = [Path(path) for path in Canaries({"secret": secret}).in_folder(stack.home.data / "minio")]
    assert holders
    assert all(".minio.sys" in path.parts for path in holders)
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in holders} == {0}


def test_up_again_leaves_the_job_s_user_as_it_is(job: Job, stack: Stack) -> None:
    before = stack.home.job_credentials.read_bytes()
    command = [sys.executable, "-m", "darkroom", "up"]
    subprocess.run(command, env=dict(stack.environment), check=True, capture_output=True, timeout=200)
    assert stack.home.job_credentials.read_bytes() == before
    assert job.read("images") == DATA


def test_what_was_granted_can_be_withdrawn(stack: Stack) -> None:
    scenario = Scenario(stack)
    record = read_record(stack.home)
    assert record is not None
    place = record.model_copy(update={"buckets": scenario.target.buckets})
    provider = AWSConfigProvider(str(stack.home.job_credentials), "default")
    store = Minio(stack.target.s3_endpoint.removeprefix("http://"), credentials=provider, secure=False)
    assert list(store.list_objects(place.buckets.derivatives)) == []

    withdraw_job(place)

    with pytest.raises(S3Error, match="AccessDenied"):
        list(store.list_objects(place.buckets.derivatives))
