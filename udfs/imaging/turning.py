"""How pictures are turned and mirrored: the eight orientations of EXIF as a group, and what they do to places.

An orientation says how to show what is stored. Each is made of three moves, see geometry.DISPLAYED_TO_STORED.
"""

from typing import Final

from udfs.imaging.geometry import DISPLAYED_TO_STORED

# What a preset asks for as an orientation; rotations are clockwise. Source: EXIF 2.32, tag 0x0112.
ROTATIONS: Final = {None: 1, 90: 6, 180: 3, 270: 8}
FLIPS: Final = {None: 1, "horizontal": 2, "vertical": 4}

_BY_MOVES: Final = {moves: orientation for orientation, moves in DISPLAYED_TO_STORED.items()}


def then(first: int, second: int) -> int:
    """Return the one orientation that shows what `first` shows, turned once more by `second`."""
    first_swap, first_x, first_y = DISPLAYED_TO_STORED[first]
    swap, mirror_x, mirror_y = DISPLAYED_TO_STORED[second]
    if first_swap:
        mirror_x, mirror_y = mirror_y, mirror_x
    return _BY_MOVES[swap != first_swap, mirror_x != first_x, mirror_y != first_y]


def inverse(orientation: int) -> int:
    """Return the orientation that undoes another."""
    return {6: 8, 8: 6}.get(orientation, orientation)


def turn(rotate: int | None, flip: str | None) -> int:
    """Return the orientation of a rotation by `rotate` degrees clockwise and a flip after it."""
    return then(ROTATIONS[rotate], FLIPS[flip])


def stored_point(x: float, y: float, orientation: int) -> tuple[float, float]:
    """Carry a point of the displayed picture to the stored one, both in shares of their size, 0 to 1."""
    swap, mirror_x, mirror_y = DISPLAYED_TO_STORED[orientation]
    if swap:
        x, y = y, x
    return (1 - x if mirror_x else x), (1 - y if mirror_y else y)
