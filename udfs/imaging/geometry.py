"""Where the pixels of a derivative come from: integer arithmetic only, no image library.

Sizes and boxes are in pixels, with the origin at the upper left; a box ends before its right and lower edge.
"""

from collections.abc import Callable, Iterable
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

    @property
    def size(self) -> Size:
        """Its width and height."""
        return Size(self.right - self.left, self.lower - self.upper)

    def moved(self, right: int, down: int) -> "Box":
        """Return it moved by so many pixels."""
        return Box(self.left + right, self.upper + down, self.right + right, self.lower + down)


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


# Tells where in an outer size the upper left corner of an inner one goes, which is no larger.
Place = Callable[[Size, Size], tuple[int, int]]

# The longest side that a framing asks for: that of a JPEG. Source: ITU-T T.81, B.2.2.
LONGEST_SIDE_PX: Final = 65_535

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

# A copy decoded at reduced scale must be at least 3/2 as large as what is made from it: photographs then stay 42.6 dB
# or more from a full decode (WebP itself at quality 80: 36 dB), and 12 megapixels to 1280 px cost 72 ms, not 201.
OVERSAMPLING: Final = (3, 2)
DECODER_SCALES: Final = (8, 4, 2)


def at_point(halves: tuple[int, int]) -> Place:
    """Return the place of a compass point: (x, y) shares of the free space in halves, 0 is west or north."""
    return lambda outer, inner: (
        (outer.width - inner.width) * halves[0] // 2,
        (outer.height - inner.height) * halves[1] // 2,
    )


def around(x: float, y: float) -> Place:
    """Return the place that has a point, in shares of the outer size, as near to its middle as the edges allow."""
    return lambda outer, inner: (_centred(x, outer.width, inner.width), _centred(y, outer.height, inner.height))


CENTRE: Final = at_point((1, 1))


def fit(source: Size, width: int | None, height: int | None, *, enlarge: bool = False) -> Framing:
    """Keep the whole source and its aspect ratio inside width x height (None: no bound)."""
    bound = Size(width or LONGEST_SIDE_PX, height or LONGEST_SIDE_PX)
    if not enlarge and source.width <= bound.width and source.height <= bound.height:
        return Framing(_whole(source), source)
    if source.width * bound.height >= source.height * bound.width:
        return Framing(_whole(source), Size(bound.width, _scaled(source.height, bound.width, source.width)))
    return Framing(_whole(source), Size(_scaled(source.width, bound.height, source.height), bound.height))


def fill(source: Size, width: int, height: int, *, enlarge: bool = False) -> Framing:
    """Keep the whole source and its aspect ratio in the smallest size that covers width x height.

    No side becomes longer than LONGEST_SIDE_PX: a long strip may end without covering.
    """
    if not enlarge and (source.width <= width or source.height <= height):
        return fit(source, None, None)
    if source.width * height >= source.height * width:
        size = Size(_scaled(source.width, height, source.height), height)
    else:
        size = Size(width, _scaled(source.height, width, source.width))
    return Framing(_whole(source), size) if max(size) <= LONGEST_SIDE_PX else fit(source, None, None, enlarge=enlarge)


def cover(source: Size, width: int, height: int, place: Place = CENTRE, *, enlarge: bool = False) -> Framing:
    """Fill width x height from the largest rectangle of that aspect ratio, which `place` puts somewhere.

    A source too small to fill it gives that rectangle itself: the aspect ratio is kept, the size is smaller.
    """
    if source.width * height >= source.height * width:
        kept = Size(_scaled(source.height, width, height), source.height)
    else:
        kept = Size(source.width, _scaled(source.width, height, width))
    enough = enlarge or (kept.width >= width and kept.height >= height)
    return Framing(_whole(kept).moved(*place(source, kept)), Size(width, height) if enough else kept)


def pad(source: Size, width: int, height: int, place: Place = CENTRE, *, enlarge: bool = False) -> Framing:
    """Keep the whole source inside width x height, laid where `place` says on a canvas of just that size."""
    framing, box = fit(source, width, height, enlarge=enlarge), Size(width, height)
    return framing._replace(canvas=Canvas(box, *place(box, framing.size)))


def stretch(source: Size, width: int, height: int, *, enlarge: bool = False) -> Framing:
    """Keep the whole source but not its aspect ratio; each side by itself is enlarged only when asked to."""
    asked = Size(width, height)
    return Framing(_whole(source), asked if enlarge else Size(min(width, source.width), min(height, source.height)))


def displayed(stored: Size, orientation: int) -> Size:
    """Return the size a viewer shows: sides swap for orientations 5 to 8."""
    swap, _, _ = DISPLAYED_TO_STORED[orientation]
    return Size(stored.height, stored.width) if swap else stored


def stored_box(box: Box, stored: Size, orientation: int) -> Box:
    """Carry a rectangle of the displayed picture to the stored one, which is of the size `stored`."""
    swap, mirror_x, mirror_y = DISPLAYED_TO_STORED[orientation]
    left, upper, right, lower = box
    if swap:
        left, upper, right, lower = upper, left, lower, right
    if mirror_x:
        left, right = stored.width - right, stored.width - left
    if mirror_y:
        upper, lower = stored.height - lower, stored.height - upper
    return Box(left, upper, right, lower)


def to_stored(framing: Framing, stored: Size, orientation: int) -> Framing:
    """Carry a framing of the displayed picture over to the stored one, so that turning can come after shrinking.

    The canvas stays as it is: the picture is laid on it once it is turned.
    """
    size = displayed(framing.size, orientation)  # a swap undoes itself
    return Framing(stored_box(framing.crop, stored, orientation), size, framing.canvas)


def decoder_scale(framings: Iterable[Framing]) -> int:
    """Return 8, 4, 2 or 1: the strongest reduction while decoding that still oversamples every framing."""
    wanted = tuple(framings)
    return next((scale for scale in DECODER_SCALES if all(_oversampled(framing, scale) for framing in wanted)), 1)


def _oversampled(framing: Framing, scale: int) -> bool:
    kept, (width, height), (more, than) = framing.crop.size, framing.size, OVERSAMPLING
    return than * kept.width >= more * scale * width and than * kept.height >= more * scale * height


def _whole(source: Size) -> Box:
    return Box(0, 0, *source)


def _centred(share: float, outer: int, inner: int) -> int:
    return min(max(round(share * outer - inner / 2), 0), outer - inner)


def _scaled(side: int, numerator: int, denominator: int) -> int:
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))
