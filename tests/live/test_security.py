"""The whole system over TLS, SCRAM and ACLs on real parts; and what is said when a secret or a right is wrong."""

import base64
import io
import os
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from darkroom.kafka_refusals import refusal_of
from darkroom.publisher import Publisher
from darkroom.stack.processes import python_workers
from darkroom.storage import connect
from darkroom.target import resolve_target
from tests.canary import Canaries
from tests.canary_places import stored_objects, web_answers
from tests.live_stack import eventually
from tests.secured import Secured, secured_parts

pytestmark = pytest.mark.timeout(1500)

NOTHING_WRONG = "0 lost, 0 duplicated, 0 orphaned, 0 corrupt"
PHOTOS = Path(__file__).parents[1] / "photos"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_parts(tmp_path_factory.mktemp("secured")) as running:
        yield running


def as_job(secured: Secured) -> dict[str, str]:
    return {"DARKROOM_KAFKA_USER": "job", "DARKROOM_KAFKA_PASSWORD_FILE": str(secured.password_file("job"))}


def cancel(secured: Secured) -> None:
    for job in secured.rest.running_jobs():
        secured.flink("cancel", job.job_id)
    eventually(lambda: not secured.rest.running_jobs(), "no job runs", lambda: secured.rest.running_jobs())


def wait_until_told(
    secured: Secured, *words: str, environment: Mapping[str, str] | None = None, **changes: str
) -> None:
    """Verify until it tells what is wrong, which it does as soon as the broker is quick enough to say so."""
    told: list[str] = []

    def is_told() -> bool:
        told.append(secured.darkroom("verify", status=1, environment=environment, **changes))
        return all(one in told[-1] for one in words)

    eventually(is_told, f"{words} are told", lambda: told)


def test_every_event_has_its_status_over_tls_with_least_rights(secured: Secured) -> None:
    secured.darkroom("submit", "--checkpoint-interval", "1s")
    secured.darkroom("publish", str(PHOTOS / "rocket.jpg"), "--user", "anna")

    assert NOTHING_WRONG in secured.darkroom("verify", "--wait", "120")


WRONG = {
    "password": ("DARKROOM_KAFKA_PASSWORD_FILE", "passwords/wrong", "the user or its password is refused"),
    "authority": ("DARKROOM_KAFKA_CA_FILE", "stranger.pem", "no authority that is trusted here has signed it"),
    "authority of the store": ("DARKROOM_S3_CA_FILE", "stranger.pem", "is signed by none that is trusted here"),
}


@pytest.mark.parametrize(("variable", "file", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_to_the_operator_with_its_variable(
    secured: Secured, variable: str, file: str, words: str
) -> None:
    wait_until_told(secured, words, variable, **{variable: str(secured.folder / file)})


def test_a_client_without_tls_is_told_so(secured: Secured) -> None:
    plain = {name: value for name, value in secured.environment.items() if not re.match("DARKROOM_KAFKA_[^B]", name)}

    wait_until_told(secured, "correct DARKROOM_KAFKA_SECURITY", environment=plain)


def test_a_missing_right_is_told_to_the_operator(secured: Secured) -> None:
    told = secured.darkroom("publish", str(PHOTOS / "clock_motion.png"), status=1, **as_job(secured))

    assert "TopicAuthorizationFailedError; the user may not do this; grant it with the ACLs" in told


def test_the_job_s_user_may_not_read_what_it_writes(secured: Secured) -> None:
    wait_until_told(secured, "the user may not do this", **as_job(secured))


def test_a_wrong_password_of_the_job_stops_the_submission_with_the_reason(secured: Secured) -> None:
    cancel(secured)
    wrong = {"DARKROOM_JOB_KAFKA_PASSWORD_FILE": str(secured.password_file("wrong"))}

    told = secured.darkroom("submit", status=1, **wrong)

    assert "the user or its password is refused; correct DARKROOM_KAFKA_USER" in told
    cancel(secured)


RIGHTS = {
    "read events": ("--operation", "Read", "--topic", "image-events"),
    "transactions": (
        *("--operation", "Write", "--transactional-id", "darkroom-"),
        *("--resource-pattern-type", "prefixed"),
    ),
}


@pytest.mark.parametrize("right", RIGHTS.values(), ids=RIGHTS)
def test_a_missing_right_of_the_job_stops_the_submission_with_the_reason(
    secured: Secured, right: tuple[str, ...]
) -> None:
    secured.acls("--remove", "--force", "--allow-principal", "User:job", *right)
    try:
        told = secured.darkroom("submit", status=1)
        assert "the user may not do this; grant it with the ACLs of docs/security.md" in told
    finally:
        secured.acls("--add", "--allow-principal", "User:job", *right)
        cancel(secured)


def test_a_missing_right_to_write_restarts_the_job_until_it_is_granted_and_nothing_is_lost(secured: Secured) -> None:
    right = ("--allow-principal", "User:job", "--operation", "Write", "--topic", "image-status")
    cancel(secured)
    secured.acls("--remove", "--force", *right)
    try:
        secured.darkroom("submit", "--checkpoint-interval", "1s")
        secured.darkroom("publish", str(PHOTOS / "clock_motion.png"), "--user", "anna")
        (job,) = secured.rest.running_jobs()
        eventually(lambda: refusal_of(secured.rest, job), "the refusal in the job's exceptions", lambda: job, 120)
    finally:
        secured.acls("--add", *right)
    assert NOTHING_WRONG in secured.darkroom("verify", "--wait", "180")
    cancel(secured)


def test_the_job_goes_on_where_it_was_when_everything_is_right_again(secured: Secured) -> None:
    secured.darkroom("publish", str(PHOTOS / "flower.jpg"), "--user", "anna")
    assert "resumed from s3://" in secured.darkroom("submit", "--checkpoint-interval", "1s")

    assert NOTHING_WRONG in secured.darkroom("verify", "--wait", "120")


def canaries(secured: Secured) -> Canaries:
    passwords = {f"Kafka password of {user}": secret for user, secret in secured.passwords.items()}
    store = {f"S3 secret of {user}": secret for user, secret in secured.s3_secrets.items()}
    return Canaries({**passwords, **store, "variable of the shell": secured.foreign_secret})


def found_anywhere(secured: Secured) -> dict[str, set[str]]:
    """Return where secrets are seen: all files of the parts but those that hold them, processes, objects, the web."""
    sought = canaries(secured)
    holders = {str(path) for path in secured.secret_files}
    in_files = {path: names for path, names in sought.in_folder(secured.folder).items() if path not in holders}
    target = resolve_target(secured.environment)
    seen = {f"s3://{name}": sought.in_bytes(data) for name, data in stored_objects(target)}
    seen |= {f"web {path}": sought.in_bytes(data) for path, data in web_answers(target.flink_url)}
    in_processes = sought.in_processes(list(psutil.process_iter()))
    return {**in_files, **in_processes, **{place: names for place, names in seen.items() if names}}


def test_no_secret_is_anywhere_but_in_its_file(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    for worker in python_workers(secured.home.path):
        os.kill(worker, signal.SIGKILL)
    secured.darkroom("publish", str(PHOTOS / "brick.png"), "--user", "anna")
    assert NOTHING_WRONG in secured.darkroom("verify", "--wait", "180")
    (job,) = secured.rest.running_jobs()
    savepoint = secured.flink("stop", "--savepointPath", "s3://flink/savepoints", job.job_id)
    assert "Savepoint completed" in savepoint
    secured.darkroom("submit", "--checkpoint-interval", "1s", AWS_SECRET_ACCESS_KEY=secured.foreign_secret)
    secured.darkroom("verify", "--wait", "60")

    assert found_anywhere(secured) == {}

    cancel(secured)
    plant(secured, monkeypatch)
    places = {re.sub(r"\d+$", "", place.removeprefix(str(secured.folder))) for place in found_anywhere(secured)}
    assert {"/home/logs/flink/planted.log", "s3://flink/planted", "web /jobmanager/logs/planted.log"} <= places
    assert any(re.search(r"/kafka/image-events-\d+/\d+\.log$", place) for place in places)


def plant(secured: Secured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a secret where the search has to find it: in a log, an object and a record, twice encoded."""
    secret = secured.passwords["job"].encode()
    (secured.home.logs / "flink" / "planted.log").write_bytes(b"user:" + secret + b"\n")
    target = resolve_target(secured.environment)
    encoded = base64.b64encode(b"user:" + secret)
    connect(target).put_object("flink", "planted", io.BytesIO(encoded), len(encoded))
    for name, value in secured.environment.items():
        if name.startswith("DARKROOM_KAFKA"):
            monkeypatch.setenv(name, value)
    with Publisher(target) as publisher:
        publisher.raw(b"anna", encoded)
