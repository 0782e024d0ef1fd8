"""The short form of the chaos run: ten faults of ten kinds under mixed load, with a fixed seed."""

from pathlib import Path

import pytest

from tests.chaos.experiment import Experiment, perform
from tests.chaos.kinds import chosen
from tests.chaos.record import Met
from tests.chaos.schedule import exactly
from tests.chaos.stage import Stage

SEED = 5
NAMES = (
    "rendering process killed",
    "Python worker killed",
    "TaskManager killed",
    "JobManager killed",
    "Kafka killed",
    "MinIO killed",
    "black hole before Kafka",
    "resets before MinIO",
    "MinIO answers SlowDown",
    "MinIO answers half a body",
)

pytestmark = pytest.mark.timeout(2400)


def test_ten_faults_of_ten_kinds_lose_and_double_nothing(tmp_path: Path) -> None:
    kinds = chosen(NAMES, ())
    assert set(kinds) == set(NAMES)
    plan = exactly(SEED, dict.fromkeys(kinds, 1), len(kinds))
    met: list[Met] = []
    judged = perform(Experiment(SEED, plan, kinds, limit_s=1500, rate_per_s=4), Stage(tmp_path), met, print)
    assert [fault.problem for fault in met] == [None] * len(NAMES)
    assert {fault.kind for fault in met} == set(NAMES)
    assert all(fault.recover_s is not None for fault in met)
    assert judged.findings == ()
    assert judged.figures["statuses"] > 100
    assert judged.figures["dead_letters"] > 0
