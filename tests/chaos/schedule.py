"""Which fault comes when: seeded, and stratified so that every kind comes; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from random import Random

MOST_OUTCOMES = 12


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault to come: its number, its kind, the outcomes to wait for before it, and the seed of its own chances."""

    number: int
    kind: str
    outcomes: int
    seed: int


def endless(seed: int, shares: Mapping[str, int]) -> Iterator[Planned]:
    """Yield faults for ever, in rounds that hold each kind as often as its share: first each once, then the others."""
    chance = Random(seed)
    numbers = count(1)
    while True:
        yield from _planned(chance, numbers, sorted(shares))
        yield from _planned(chance, numbers, [kind for kind, share in sorted(shares.items()) for _ in range(share - 1)])


def exactly(seed: int, shares: Mapping[str, int], faults: int) -> Iterator[Planned]:
    """Yield so many faults: every kind once if there are enough, the others by their shares."""
    chance = Random(seed)
    yield from _planned(chance, count(1), _apportioned(chance, shares, faults))


def _planned(chance: Random, numbers: Iterator[int], kinds: list[str]) -> Iterator[Planned]:
    chance.shuffle(kinds)
    for kind in kinds:
        yield Planned(next(numbers), kind, chance.randint(1, MOST_OUTCOMES), chance.randrange(2**32))


def _apportioned(chance: Random, shares: Mapping[str, int], faults: int) -> list[str]:
    """Return one of every kind, then what falls most behind its share; of too many kinds, a random part."""
    kinds = sorted(shares)
    if faults <= len(kinds):
        return chance.sample(kinds, faults)
    given = dict.fromkeys(kinds, 1)
    for _ in range(faults - len(kinds)):
        behind = max(kinds, key=lambda kind: (shares[kind] / (given[kind] + 0.5), kind))
        given[behind] += 1
    return [kind for kind, number in given.items() for _ in range(number)]
