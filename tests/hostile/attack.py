"""What a hostile file is: a name, the family it belongs to, how to make its bytes and what may come of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Accept(StrEnum):
    """What may come of a file, within the budget."""

    REJECTED = "rejected"  # nothing may be made from it
    PICTURE = "picture"  # every preset must be made from it
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Attack:
    """One file; `make` gives the same bytes in every process.

    `reasons` narrows a rejection to some reason codes; empty allows every code.
    """

    name: str
    family: str
    make: Callable[[], bytes]
    accept: Accept = Accept.EITHER
    reasons: frozenset[str] = frozenset()


def refused(family: str, name: str, make: Callable[[], bytes], *reasons: str) -> Attack:
    """A file that must be rejected, with one of the reason codes where some are named."""
    return Attack(f"{family}/{name}", family, make, Accept.REJECTED, frozenset(reasons))


def shown(family: str, name: str, make: Callable[[], bytes]) -> Attack:
    """A file that looks odd and is a good picture."""
    return Attack(f"{family}/{name}", family, make, Accept.PICTURE)


def either(family: str, name: str, make: Callable[[], bytes]) -> Attack:
    """A file that a decoder may forgive or not."""
    return Attack(f"{family}/{name}", family, make)


def seeded(name: str) -> random.Random:
    """Random numbers that depend on nothing but the name."""
    return random.Random(name)
