"""A flood of one user on the running job: held, rejected beyond the bound, and none of it lost in a crash."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from darkroom.publisher import Publisher
from darkroom.stack.processes import python_workers
from schemas.reasons import Reason
from schemas.records import ImageEvent, ImageStatus, Outcome, Source
from tests.live_stack import PHOTOS, Scenario, Stack, event, eventually

pytestmark = pytest.mark.timeout(900)

BURST, MAX_HELD, FLOOD = 3, 20, 40
SECONDS_PER_EVENT = 6  # the held ones last for two minutes, in which the job is killed, restarts and is stopped


@pytest.fixture
def scenario(stack: Stack) -> Iterator[Scenario]:
    running = Scenario(
        stack,
        DARKROOM_USER_EVENTS_PER_MINUTE=str(60 // SECONDS_PER_EVENT),
        DARKROOM_USER_BURST=str(BURST),
        DARKROOM_MAX_HELD_PER_USER=str(MAX_HELD),
    )
    yield running
    running.cancel()


def publish(publisher: Publisher, events: list[ImageEvent]) -> None:
    for one in events:
        publisher.event(one)
    publisher.flush()


def versions(source: Source, user: str, count: int) -> list[ImageEvent]:
    return [
        event("picture", source, user_id=user, version=version, presets=("thumb-256",))
        for version in range(1, count + 1)
    ]


def rejected(scenario: Scenario) -> list[ImageStatus]:
    return [status for status in scenario.statuses() if status.outcome is Outcome.REJECTED]


def wait_for_statuses(scenario: Scenario, wanted: int, user: str) -> None:
    def found() -> int:
        return sum(status.user_id == user for status in scenario.statuses())

    eventually(lambda: found() >= wanted, f"{wanted} statuses of {user}", found)


def wait_for_the_restart(scenario: Scenario) -> None:
    def counts() -> dict[str, int]:
        return scenario.rest.get(f"/jobs/{scenario.job().job_id}/checkpoints")["counts"]

    eventually(lambda: counts()["restored"], "the job is restored from a checkpoint", counts)
    completed = counts()["completed"]
    eventually(lambda: counts()["completed"] > completed, "a checkpoint completes after the restart", counts)


def test_a_flood_is_held_in_its_order_rejected_beyond_the_bound_and_survives_a_kill_and_a_savepoint(
    scenario: Scenario,
) -> None:
    with scenario.publisher() as publisher:
        source = publisher.upload("shared", "picture", (PHOTOS / "rocket.jpg").read_bytes(), 1)
        flood, quiet = versions(source, "anna", FLOOD), versions(source, "bert", BURST)
        publish(publisher, flood)
        scenario.submit()
        wait_for_statuses(scenario, FLOOD - MAX_HELD - 1, "anna")  # what went on at once and what was rejected
        publish(publisher, [*flood, *quiet])
        wait_for_statuses(scenario, len(quiet), "bert")
        assert len(scenario.statuses()) < FLOOD + len(quiet)

    for worker in python_workers(scenario.stack.home.path):  # both: of an idle one, Flink does not notice the end
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    wait_for_the_restart(scenario)
    savepoint = scenario.stop_with_savepoint()
    still_held = FLOOD + len(quiet) - len(scenario.statuses())
    assert still_held > 0
    scenario.submit("--savepoint", savepoint)

    figures = scenario.verify(wait_s=300)
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)
    statuses = {status.event_id: status for status in scenario.statuses()}
    assert len(statuses) == len(scenario.statuses()) == FLOOD + len(quiet)
    outcomes = [statuses[one.event_id].outcome for one in flood]
    accepted = outcomes.index(Outcome.REJECTED)
    assert BURST + MAX_HELD <= accepted <= BURST + MAX_HELD + 2  # what was released while the flood came in
    assert set(outcomes[:accepted]) == {Outcome.READY}  # one image: out of order, versions would be SUPERSEDED
    assert Counter(outcomes)[Outcome.REJECTED] >= FLOOD - BURST - MAX_HELD - 2
    assert {failure.reason for status in rejected(scenario) for failure in status.failures} == {
        Reason.USER_BACKLOG_FULL
    }
    assert {statuses[one.event_id].outcome for one in quiet} == {Outcome.READY}
