"""Where the pixels of a derivative come from: integer arithmetic only, no image library.

Sizes and boxes are in pixels, with the origin at the upper left; a box ends before its right and lower edge.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


class Box(NamedTuple):
    """A rectangle: left and upper edge inside, right and lower edge outside."""

    left: int
    upper: int
    right: int
    lower: int


class Canvas(NamedTuple):
    """A larger area, and where on it the upper left corner of the picture lies."""

    size: Size
    left: int
    upper: int


class Framing(NamedTuple):
    """The rectangle of the source that is kept, the size it becomes, and the canvas it is laid on, if any."""

    crop: Box
    size: Size
    canvas: Canvas | None = None


# (swap axes, mirror x, mirror y) from displayed to stored coordinates. Source: EXIF 2.32, tag 0x0112.
DISPLAYED_TO_STORED: Final = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}

# A copy decoded at reduced scale must be at least 7/4 as large as what is made from it. Measured against a full decode
# at half scale: 46 dB at 7/4, 48 dB at 2, 39 dB at 1.1 (quarter scale: 43 dB at 1.8). WebP itself at quality 80: 36 dB.
OVERSAMPLING: Final = (7, 4)
DECODER_SCALES: Final = (8, 4, 2)


def fit(source: Size, width: int | None, height: int | None) -> Framing:
    """Keep the whole source and its aspect ratio inside width x height (None: no bound); never enlarge."""
    bound = Size(width or source.width, height or source.height)
    whole = Box(0, 0, source.width, source.height)
    if source.width <= bound.width and source.height <= bound.height:
        return Framing(whole, source)
    if source.width * bound.height >= source.height * bound.width:
        return Framing(whole, Size(bound.width, _scaled(source.height, bound.width, source.width)))
    return Framing(whole, Size(_scaled(source.width, bound.height, source.height), bound.height))


def cover(source: Size, width: int, height: int) -> Framing:
    """Fill width x height from the largest centred rectangle of that aspect ratio; never enlarge.

    A source too small to fill it gives that rectangle itself: the aspect ratio is kept, the size is smaller.
    """
    if source.width * height >= source.height * width:
        kept = Size(min(source.width, _scaled(source.height, width, height)), source.height)
    else:
        kept = Size(source.width, min(source.height, _scaled(source.width, height, width)))
    left, upper = (source.width - kept.width) // 2, (source.height - kept.height) // 2
    crop = Box(left, upper, left + kept.width, upper + kept.height)
    enough = kept.width >= width and kept.height >= height
    return Framing(crop, Size(width, height) if enough else kept)


def displayed(stored: Size, orientation: int) -> Size:
    """Return the size a viewer shows: sides swap for orientations 5 to 8."""
    swap, _, _ = DISPLAYED_TO_STORED[orientation]
    return Size(stored.height, stored.width) if swap else stored


def to_stored(framing: Framing, stored: Size, orientation: int) -> Framing:
    """Carry a framing of the displayed picture over to the stored one, so that turning can come after shrinking."""
    swap, mirror_x, mirror_y = DISPLAYED_TO_STORED[orientation]
    (left, upper, right, lower), (width, height), canvas = framing
    if swap:
        left, upper, right, lower, width, height = upper, left, lower, right, height, width
    if mirror_x:
        left, right = stored.width - right, stored.width - left
    if mirror_y:
        upper, lower = stored.height - lower, stored.height - upper
    return Framing(Box(left, upper, right, lower), Size(width, height), canvas)


def decoder_scale(framings: Iterable[Framing]) -> int:
    """Return 8, 4, 2 or 1: the strongest reduction while decoding that still oversamples every framing."""
    wanted = tuple(framings)
    return next((scale for scale in DECODER_SCALES if all(_oversampled(framing, scale) for framing in wanted)), 1)


def _oversampled(framing: Framing, scale: int) -> bool:
    (left, upper, right, lower), (width, height), _ = framing
    more, than = OVERSAMPLING
    return than * (right - left) >= more * scale * width and than * (lower - upper) >= more * scale * height


def _scaled(side: int, numerator: int, denominator: int) -> int:
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))
