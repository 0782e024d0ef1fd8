"""Good files cut off at every tenth, and corrupted at random places; every format and flavour."""

from collections.abc import Iterator
from random import Random

from tests.hostile.attack import Attack, either, seeded, shown
from tests.hostile.good import GOOD

CORRUPTIONS = 10


def attacks() -> Iterator[Attack]:
    """Yield each good file as it is, then every damage to it."""
    for name, make in GOOD.items():
        yield shown("good", name, make)
        for tenth in range(1, 10):
            yield either("cut off", f"{name}-at-{tenth}0", lambda m=make, t=tenth: cut(m(), t))
        yield either("cut off", f"{name}-last-byte", lambda m=make: m()[:-1])
        for number in range(CORRUPTIONS):
            label = f"{name}-{number}"
            yield either("corrupted", label, lambda m=make, n=number, s=label: corrupted(m(), n, seeded(s)))


def cut(source: bytes, tenth: int) -> bytes:
    """Keep the first tenths."""
    return source[: len(source) * tenth // 10]


def corrupted(source: bytes, number: int, chance: Random) -> bytes:
    """Do one of six kinds of damage; the first of every ten near the beginning, where headers are."""
    data = bytearray(source)
    span = min(len(data), 64) if number == 0 else len(data)
    at = chance.randrange(8, span)
    kind = number % 6
    if kind in (0, 1, 2):
        for _ in range((1, 4, 40)[kind]):
            data[chance.randrange(8, span)] = chance.randrange(256)
    elif kind == 3:
        data[at : at + 8] = b"\xff" * 8
    elif kind == 4:
        del data[at : at + chance.randrange(1, 99)]
    else:
        data[at:at] = data[at : at + chance.randrange(1, 999)]
    return bytes(data)
