"""The promise under kill -9: one committed status per event, every announced derivative there.

The moment of each kill is chosen by what has been seen, never by a clock.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from darkroom.stack.inspection import taskmanager_pid
from darkroom.stack.processes import python_workers
from tests.live_stack import NEVER, PHOTOS, Scenario, Stack, event, eventually

EVENTS = 2000
USERS = 20
SOURCES = 50
LOAD_WITHIN_S = 900

pytestmark = pytest.mark.timeout(LOAD_WITHIN_S + 300)


@pytest.fixture
def exactly_once(stack: Stack) -> Iterator[Scenario]:
    scenario = Scenario(stack)
    yield scenario
    scenario.cancel()


@pytest.fixture
def at_least_once(stack: Stack) -> Iterator[Scenario]:
    scenario = Scenario(stack, DARKROOM_DELIVERY="at-least-once")
    yield scenario
    scenario.cancel()


def publish(scenario: Scenario, numbers: range) -> None:
    photo = (PHOTOS / "rocket.jpg").read_bytes()
    with scenario.publisher() as publisher:
        sources = [publisher.upload("shared", f"source-{number}", photo, 1) for number in range(SOURCES)]
        for number in numbers:
            publisher.event(event(f"image-{number}", sources[number % SOURCES], user_id=f"user-{number % USERS}"))


def committed(scenario: Scenario) -> int:
    return len(scenario.statuses())


def wait_for_statuses(scenario: Scenario, wanted: int) -> None:
    eventually(
        lambda: committed(scenario) >= wanted,
        f"{wanted} statuses are committed",
        lambda: committed(scenario),
        limit_s=LOAD_WITHIN_S,
        every_s=1,
    )


def wait_for_workers(scenario: Scenario) -> list[int]:
    home = scenario.stack.home.path
    eventually(lambda: python_workers(home), "a Python worker runs", lambda: python_workers(home))
    return python_workers(home)


def test_two_thousand_events_survive_a_killed_worker_and_a_killed_taskmanager(exactly_once: Scenario) -> None:
    scenario = exactly_once
    scenario.submit()
    publish(scenario, range(EVENTS))

    wait_for_statuses(scenario, EVENTS // 10)
    os.kill(wait_for_workers(scenario)[0], signal.SIGKILL)

    wait_for_statuses(scenario, EVENTS // 2)
    old_workers = wait_for_workers(scenario)
    taskmanager = taskmanager_pid(scenario.stack.home)
    assert taskmanager is not None
    os.kill(taskmanager, signal.SIGKILL)

    figures = scenario.verify(wait_s=LOAD_WITHIN_S)
    per_event = Counter(status.event_id for status in scenario.statuses())
    print(f"\n{figures}")
    assert len(per_event) == EVENTS
    assert set(per_event.values()) == {1}
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)
    assert figures["objects"] == EVENTS * 5
    assert not set(old_workers) & set(python_workers(scenario.stack.home.path))


def test_the_same_oracle_goes_red_when_the_sinks_are_at_least_once(at_least_once: Scenario) -> None:
    scenario = at_least_once
    scenario.submit(interval=NEVER)
    publish(scenario, range(100))

    wait_for_statuses(scenario, 50)
    os.kill(wait_for_workers(scenario)[0], signal.SIGKILL)
    publish(scenario, range(100, 200))  # of an idle worker, Flink does not notice the end

    def all_told_and_some_twice() -> bool:
        told = [status.event_id for status in scenario.statuses()]
        return len(set(told)) == 200 and len(told) >= 250

    eventually(
        all_told_and_some_twice,
        "every event has a status, and those from before the kill a second one",
        lambda: committed(scenario),
        limit_s=LOAD_WITHIN_S,
        every_s=1,
    )
    figures = scenario.verify(status=1)
    print(f"\n{figures}")
    assert figures["duplicated"] >= 50
