"""Storage or Kafka away for a while: no event is blamed, no outage is hidden, nothing is lost."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from darkroom.stack.supervision import program_states
from schemas.records import Outcome, Source
from tests.live_stack import PHOTOS, Scenario, Stack, event, eventually

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def impatient(stack: Stack) -> Iterator[Scenario]:
    scenario = Scenario(stack, DARKROOM_STORAGE_PATIENCE_S="3")
    yield scenario
    scenario.cancel()


def upload(scenario: Scenario) -> Source:
    with scenario.publisher() as publisher:
        return publisher.upload("shared", "source", (PHOTOS / "rocket.jpg").read_bytes(), 1)


def publish(scenario: Scenario, source: Source, numbers: range) -> None:
    with scenario.publisher() as publisher:
        for number in numbers:
            publisher.event(event(f"image-{number}", source, user_id=f"user-{number % 5}"))


@contextmanager
def stopped(scenario: Scenario, part: str) -> Iterator[None]:
    pid = program_states(scenario.stack.home)[part].pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def task_failures(scenario: Scenario) -> str:
    """Return what the TaskManager logged: the JobManager itself waits for the store, and may not answer."""
    logs = scenario.stack.home.logs.rglob("*task*.log")
    lines = (line for log in logs for line in log.read_text("utf-8", "replace").splitlines())
    return "\n".join(line for line in lines if "OutageError" in line)


def test_an_unreachable_store_restarts_the_job_and_blames_no_event(impatient: Scenario) -> None:
    scenario = impatient
    scenario.submit()
    source = upload(scenario)
    publish(scenario, source, range(60))
    eventually(lambda: len(scenario.statuses()) > 5, "statuses appear", lambda: len(scenario.statuses()))
    earlier = task_failures(scenario)

    with stopped(scenario, "minio"):
        publish(scenario, source, range(60, 120))
        eventually(
            lambda: task_failures(scenario) != earlier,
            "the job fails with OutageError",
            lambda: task_failures(scenario),
        )

    figures = scenario.verify(wait_s=240)
    assert {status.outcome for status in scenario.statuses()} == {Outcome.READY}
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)
    assert figures["statuses"] == 120


def test_a_killed_broker_comes_back_and_nothing_is_lost(scenario: Scenario) -> None:
    scenario.submit()
    source = upload(scenario)
    publish(scenario, source, range(60))
    eventually(lambda: len(scenario.statuses()) > 5, "statuses appear", lambda: len(scenario.statuses()))

    pid = program_states(scenario.stack.home)["kafka"].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    def is_back() -> bool:
        state = program_states(scenario.stack.home)["kafka"]
        return state.pid not in (None, pid) and state.name == "RUNNING"

    eventually(is_back, "the broker runs again", lambda: program_states(scenario.stack.home))
    scenario.darkroom("up")
    publish(scenario, source, range(60, 120))
    figures = scenario.verify(wait_s=240)
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)
    assert figures["statuses"] == 120
