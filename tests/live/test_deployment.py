"""The life of a deployment: start, stop with a savepoint, upgrade, rescale, crash, resume, and start from nothing."""

import re

import pytest

from schemas.records import Outcome
from tests.live_stack import PHOTOS, Scenario, event, eventually

pytestmark = pytest.mark.timeout(1800)  # the first to start the stack: a cold cache is filled here

PHOTO = (PHOTOS / "rocket.jpg").read_bytes()


def publish(scenario: Scenario, name: str, count: int) -> set[str]:
    with scenario.publisher() as publisher:
        source = publisher.upload("shared", name, PHOTO, 1)
        events = [event(f"{name}-{number}", source, user_id=f"user-{number % 7}") for number in range(count)]
        for published in events:
            publisher.event(published)
    return {published.event_id for published in events}


def wait_for_some(scenario: Scenario, more_than: int) -> None:
    eventually(
        lambda: len(scenario.statuses()) > more_than,
        f"more than {more_than} statuses",
        lambda: len(scenario.statuses()),
        limit_s=240,
    )


def parallelism(scenario: Scenario) -> int:
    vertices = scenario.rest.get(f"/jobs/{scenario.job().job_id}")["vertices"]
    return int(max(vertex["parallelism"] for vertex in vertices))


def test_state_survives_stop_upgrade_rescale_and_cancellation_under_load(scenario: Scenario) -> None:
    scenario.submit("--parallelism", "2")
    first = publish(scenario, "first", 150)
    wait_for_some(scenario, 20)
    savepoint = scenario.stop_with_savepoint()
    assert savepoint.startswith("s3://")

    told = scenario.submit("--savepoint", savepoint, "--parallelism", "1")
    assert savepoint in told
    assert parallelism(scenario) == 1
    wait_for_some(scenario, 60)
    completed = scenario.completed_checkpoints
    eventually(completed, "a checkpoint newer than the savepoint", completed)
    scenario.cancel()

    told = scenario.submit("--parallelism", "2")
    assert re.search(r"resumed from s3://\S+/chk-\d+", told)
    assert parallelism(scenario) == 2
    second = publish(scenario, "second", 20)

    figures = scenario.verify(wait_s=300)
    statuses = scenario.statuses()
    assert sorted(status.event_id for status in statuses) == sorted(first | second)
    assert {status.outcome for status in statuses} == {Outcome.READY}
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)


def test_a_second_job_is_refused_and_nothing_is_forgotten_unless_told(scenario: Scenario) -> None:
    scenario.submit()
    publish(scenario, "only", 3)
    scenario.verify()
    assert "is RUNNING already" in scenario.submit(status=1)
    scenario.cancel()

    elsewhere = f"execution.checkpointing.dir=s3://{scenario.target.buckets.flink}/elsewhere"
    told = scenario.darkroom("submit", "-D", elsewhere, "--from-nothing", "--checkpoint-interval", "1s")
    assert "3 events will be read again" in told
    eventually(lambda: len(scenario.statuses()) == 6, "every event has a second status", scenario.statuses)
    assert scenario.verify(wait_s=0, status=1)["duplicated"] == 3


def test_a_transaction_timeout_that_the_brokers_refuse_stops_the_submission(scenario: Scenario) -> None:
    scenario.environment["DARKROOM_TRANSACTION_TIMEOUT_S"] = str(7 * 24 * 3600)
    assert "raise their transaction.max.timeout.ms" in scenario.submit(status=2)
    assert not scenario.rest.running_jobs()


def test_settings_that_could_lose_a_status_stop_the_submission(scenario: Scenario) -> None:
    scenario.environment["DARKROOM_TRANSACTION_TIMEOUT_S"] = "100"
    scenario.environment["DARKROOM_STORAGE_PATIENCE_S"] = "500"
    told = scenario.submit(status=1)
    assert "DARKROOM_TRANSACTION_TIMEOUT_S is 100" in told
    assert "DARKROOM_STORAGE_PATIENCE_S is 500" in told
    assert not scenario.rest.running_jobs()
