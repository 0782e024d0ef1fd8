"""Which fault of a chaos run comes when: decided by the seed alone, and every kind comes."""

from collections import Counter
from itertools import islice

import pytest

from tests.chaos.kinds import FAMILIES, KINDS, chosen
from tests.chaos.schedule import endless, exactly

SHARES = {kind.name: kind.share for kind in KINDS}
SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_seed_gives_the_same_schedule(seed: int) -> None:
    assert list(islice(endless(seed, SHARES), 200)) == list(islice(endless(seed, SHARES), 200))
    assert list(exactly(seed, SHARES, 90)) == list(exactly(seed, SHARES, 90))


def test_other_seeds_give_other_schedules() -> None:
    orders = {tuple(planned.kind for planned in exactly(seed, SHARES, 70)) for seed in SEEDS}
    chances = {planned.seed for seed in SEEDS for planned in exactly(seed, SHARES, 70)}
    assert len(orders) == len(SEEDS)
    assert len(chances) == 70 * len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_seventy_faults_are_of_every_kind(seed: int) -> None:
    assert {planned.kind for planned in islice(endless(seed, SHARES), 70)} == set(SHARES)
    assert {planned.kind for planned in exactly(seed, SHARES, 70)} == set(SHARES)


def test_a_round_holds_each_kind_as_often_as_its_share() -> None:
    size = sum(SHARES.values())
    faults = list(islice(endless(3, SHARES), 2 * size))
    for round_ in (faults[:size], faults[size:]):
        assert Counter(planned.kind for planned in round_) == SHARES
    assert [planned.number for planned in faults] == list(range(1, 2 * size + 1))


def test_a_number_of_faults_is_apportioned_by_share() -> None:
    shares = {"often": 6, "sometimes": 3, "seldom": 1}
    kinds = Counter(planned.kind for planned in exactly(1, shares, 100))
    assert kinds == {"often": 60, "sometimes": 30, "seldom": 10}


def test_fewer_faults_than_kinds_are_all_different() -> None:
    kinds = [planned.kind for planned in exactly(5, SHARES, 10)]
    assert len(set(kinds)) == 10


def test_kinds_are_chosen_and_left_out_by_parts_of_their_names() -> None:
    assert set(chosen(["disk-full"], [])) == {kind.name for kind in FAMILIES["disk-full"]}
    assert not {kind.name for kind in FAMILIES["clock"]} & set(chosen([], ["clock"]))
    assert set(chosen(["kafka killed"], [])) == {"Kafka killed"}
    assert set(chosen([], [])) == set(SHARES)


def test_names_of_kinds_are_unique() -> None:
    assert len(SHARES) == len(KINDS)
