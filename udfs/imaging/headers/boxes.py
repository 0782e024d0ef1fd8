"""The boxes of ISO base media files. Source: ISO/IEC 14496-12, 4.2."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from udfs.imaging.checks import check_chunks

CONTAINERS: Final = frozenset(b"moov trak mdia minf stbl edts iprp ipco meta iref".split())
FULL: Final = frozenset({b"meta", b"iref"})  # containers that begin with a version and flags


class Box(NamedTuple):
    """One box: its kind and where its content lies."""

    kind: bytes
    at: int
    end: int


def boxes(source: bytes, at: int = 0, end: int | None = None) -> Iterator[Box]:
    """Give the boxes side by side in source[at:end]; one that says it ends later ends there.

    Raises MetadataTooLarge for more boxes than any program writes.
    """
    end = len(source) if end is None else end
    count = 0
    while at + 8 <= end:
        size, begin = number(source, at, 4), at + 8
        if size == 1:
            size, begin = number(source, at + 8, 8), at + 16
        stop = end if size == 0 else min(at + size, end)
        if stop < begin:
            return
        yield Box(source[at + 4 : at + 8], begin, stop)
        at = stop
        count += 1
        check_chunks(count)


def inner_boxes(source: bytes, at: int = 0, end: int | None = None) -> Iterator[Box]:
    """Give all boxes inside, containers before their content; containers of the kinds above nest no deeper than 8."""
    waiting = [(at, len(source) if end is None else end, 0)]
    while waiting:
        begin, stop, depth = waiting.pop()
        for box in boxes(source, begin, stop):
            yield box
            if box.kind in CONTAINERS and depth < 8:
                waiting.append((box.at + 4 * (box.kind in FULL), box.end, depth + 1))


def number(source: bytes, at: int, length: int) -> int:
    """Read an unsigned number."""
    return int.from_bytes(source[at : at + length], "big")
