"""What the fuzzer found (tests/fuzz/decode.py), minimised, one entry per finding, and what became of it."""

from collections.abc import Iterator

from tests.hostile.attack import Attack


def attacks() -> Iterator[Attack]:
    """Every finding so far."""
    yield from ()
