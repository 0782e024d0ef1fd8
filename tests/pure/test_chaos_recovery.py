"""What counts as recovered and as drained, and that a fault without effect or recovery is told, never skipped."""

import time
from collections.abc import Mapping
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.chaos import recovery
from tests.chaos.evidence import NotSeenError, eventually
from tests.chaos.faults import Kind, World
from tests.chaos.record import Met
from tests.chaos.recovery import Stopwatch, measure
from tests.chaos.run import meet_faults
from tests.chaos.schedule import exactly
from tests.chaos.watching import Checkpoint, Watch


class Seen:
    """What a watch sees, one look after the other; the last for ever."""

    def __init__(self, checkpoints: list[Checkpoint | None], developed: list[int], arrivals: list[float]) -> None:
        self._checkpoints = checkpoints
        self._developed = developed
        self._arrivals = arrivals
        self.outcomes = 100

    def published(self) -> int:
        return 50

    def developed(self) -> int:
        return self._developed.pop(0) if len(self._developed) > 1 else self._developed[0]

    def checkpoint(self) -> Checkpoint | None:
        return self._checkpoints.pop(0) if len(self._checkpoints) > 1 else self._checkpoints[0]

    def outcome_after(self, moment: float) -> float | None:
        return next((arrival for arrival in self._arrivals if arrival >= moment), None)


def watch(checkpoints: list[Checkpoint | None], developed: list[int], arrivals: list[float]) -> Watch:
    return cast(Watch, Seen(checkpoints, developed, arrivals))


def after(triggered: float, restored: int = 1) -> list[Checkpoint]:
    """Return three checkpoints without a restart between them, the first complete after a second."""
    return [Checkpoint(number, triggered + number, triggered + number + 1, restored) for number in range(3)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "RECOVERED_WITHIN_S", 0.8)


def test_recovered_is_the_first_outcome_after_a_checkpoint_that_began_after_the_end() -> None:
    early = Checkpoint(0, 102.5, 103.5, 1)
    seen = watch([early, None, *after(105.0)], [50], [99.6, 104.0, 105.5, 107.0, 109.0])
    assert measure(seen, Stopwatch(injected=100.0, ended=103.0)).recover_s == 7.0


def test_what_breaks_again_at_once_had_not_recovered() -> None:
    first, second, _ = after(104.0)
    seen = watch([first, second, *after(120.0, restored=2)], [50], [105.5, 122.0])
    assert measure(seen, Stopwatch(injected=100.0, ended=103.0)).recover_s == 22.0


@pytest.mark.parametrize(
    "seen",
    [
        watch([Checkpoint(0, 102.9, 104.0, 1)], [50], [105.0]),
        watch([None], [50], [105.0]),
        watch([*after(104.0)], [50], [104.9]),  # nothing was committed since
        watch([*after(104.0)], [49], [106.0]),  # one record still waits
        watch([*after(104.0)[:2]], [50], [106.0]),  # nobody knows whether it lasts
    ],
)
def test_what_is_not_recovered_and_drained_is_never_measured(seen: Watch) -> None:
    with pytest.raises(NotSeenError, match="the job has recovered and caught up"):
        measure(seen, Stopwatch(injected=100.0, ended=103.0))


def test_drained_counts_from_the_end_of_the_fault() -> None:
    now = time.time()
    measured = measure(watch([*after(now)], [10, 49, 50], [now + 1]), Stopwatch(injected=now - 30, ended=now - 10))
    assert 10.0 <= measured.drain_s < 12.0


def test_a_wait_ends_with_what_was_seen_instead() -> None:
    with pytest.raises(NotSeenError, match="not within 0 s: a miracle; seen: rain"):
        eventually(lambda: None, "a miracle", 0.01, lambda: "rain", every_s=0.001)


def met_by(strike: Any, seen: Watch) -> list[Met]:
    kinds: Mapping[str, Kind] = {"one": Kind("one", 1, strike), "two": Kind("two", 1, strike)}
    world = cast(World, SimpleNamespace(watch=seen, moment=lambda *_: "now"))
    return list(meet_faults(world, kinds, exactly(1, {"one": 1, "two": 1}, 2), 60))


def healthy() -> Watch:
    later = time.time() + 60
    return watch([*after(later), *after(later)], [50], [later + 1])  # three for each of two faults


def test_faults_are_met_one_after_the_other() -> None:
    met = met_by(lambda *_: "broke", healthy())
    assert {fault.kind for fault in met} == {"one", "two"}
    assert all(fault.ok and fault.evidence == "broke" for fault in met)


def test_a_fault_whose_effect_is_not_seen_is_told_and_the_next_one_comes() -> None:
    def strike(*_: object) -> str:
        message = "not within 60 s: another kafka runs"
        raise NotSeenError(message)

    met = met_by(strike, healthy())
    assert [fault.problem for fault in met] == ["not within 60 s: another kafka runs"] * 2
    assert not any(fault.ok for fault in met)


def test_an_error_of_a_fault_is_told_with_its_traceback() -> None:
    def strike(_: World, __: Random, ___: Stopwatch) -> str:
        message = "darkroom submit: status 1"
        raise RuntimeError(message)

    first, _ = met_by(strike, healthy())
    assert first.problem is not None
    assert "RuntimeError: darkroom submit: status 1" in first.problem


def test_a_job_that_does_not_recover_meets_no_further_faults() -> None:
    (only,) = met_by(lambda *_: "broke", watch([None], [0], []))
    assert only.recover_s is None
    assert not only.ok
