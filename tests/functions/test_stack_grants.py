"""What the job's user is granted, and which credentials go to whom."""

import json
from pathlib import Path

import pytest

from darkroom.stack.grants import job_policy
from darkroom.stack.layout import Cache, Home
from darkroom.stack.plan import Options, plan_stack
from darkroom.stack.record import Buckets
from darkroom.stack.trust import trust_settings
from darkroom.target import job_environment, resolve_target, target_of

EXTERNAL = {"DARKROOM_S3_ENDPOINT": "https://s3:1", "AWS_SHARED_CREDENTIALS_FILE": "/operator"}


def granted(buckets: Buckets) -> set[tuple[str, str]]:
    return {
        (action, resource.removeprefix("arn:aws:s3:::"))
        for statement in job_policy(buckets)["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_of_a_source_bucket_the_job_reads_only() -> None:
    found = {action for action, resource in granted(Buckets()) if resource.split("/")[0] == "images"}
    assert found == {"s3:GetObject", "s3:ListBucket"}


def test_nothing_is_granted_by_a_wildcard_of_actions_or_buckets() -> None:
    assert not [pair for pair in granted(Buckets()) if "*" in pair[0] or pair[1].startswith("*")]
    assert {resource.split("/")[0] for _, resource in granted(Buckets())} == {"images", "derivatives", "flink"}


def test_every_bucket_that_events_may_name_is_readable() -> None:
    found = granted(Buckets(sources=("images", "archive")))
    assert ("s3:GetObject", "archive/*") in found
    assert ("s3:PutObject", "archive/*") not in found


def test_administration_is_denied_by_name() -> None:
    assert {"Effect": "Deny", "Action": ["admin:*"]} in job_policy(Buckets())["Statement"]


def test_the_local_job_has_credentials_of_its_own(tmp_path: Path) -> None:
    target = target_of(plan_stack(Home(tmp_path), Cache(tmp_path), Options(), {}))
    assert job_environment(target)["AWS_SHARED_CREDENTIALS_FILE"] == str(tmp_path / "job-credentials")
    assert target.credentials_file == tmp_path / "credentials"


@pytest.mark.parametrize(
    ("environment", "expected"), [({}, "/operator"), ({"DARKROOM_JOB_CREDENTIALS_FILE": "/job"}, "/job")]
)
def test_on_another_store_the_job_s_credentials_are_named_or_the_operator_s(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    target = resolve_target({"DARKROOM_HOME": str(tmp_path), **EXTERNAL, **environment})
    assert job_environment(target)["AWS_SHARED_CREDENTIALS_FILE"] == expected
    assert target.credentials_file == Path("/operator")


def test_the_bucket_of_the_images_is_the_one_that_events_may_name(tmp_path: Path) -> None:
    def sources(**environment: str) -> str:
        target = resolve_target({"DARKROOM_HOME": str(tmp_path), **environment})
        return job_environment(target)["DARKROOM_SOURCE_BUCKETS"]

    assert sources() == "images"
    assert sources(DARKROOM_IMAGES_BUCKET="mine") == "mine"
    assert sources(DARKROOM_IMAGES_BUCKET="mine", DARKROOM_SOURCE_BUCKETS="mine,archive") == "mine,archive"


def test_flink_trusts_the_store_s_authorities_only_when_there_are_any(tmp_path: Path) -> None:
    home = Home(tmp_path)
    plain = plan_stack(home, Cache(tmp_path), Options(), {})
    secured = plan_stack(home, Cache(tmp_path), Options(), {**EXTERNAL, "DARKROOM_S3_CA_FILE": "/ca.pem"})
    assert trust_settings(plain, home) == {}
    assert trust_settings(secured, home)["env.java.opts.taskmanager"] == (
        f"-Djavax.net.ssl.trustStore={tmp_path}/run/authorities.jks"
    )


def test_the_policy_of_the_page_is_the_one_that_is_granted() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text("utf-8")
    assert json.loads(page.split("```json\n")[1].split("```")[0]) == job_policy(Buckets())
