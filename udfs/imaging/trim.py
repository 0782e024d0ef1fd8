"""Finds the even border of a picture: what differs from its corner by no more than a tolerance."""

from collections.abc import Iterable, Iterator
from typing import Final

from PIL import Image, ImageChops

from udfs.imaging.geometry import Box, Size

STRIP_PIXELS: Final = 1 << 20  # what is compared at once, so that no second copy of a large picture is made


def content_box(image: Image.Image, corner: tuple[int, int], tolerance: int) -> Box:
    """Return the smallest rectangle outside of which every pixel is like that of `corner`.

    A pixel is like it when no sample differs by more than `tolerance` in % of its range: the measure of libvips's
    `find_trim`, without its median filter. Alpha is a sample too, and it must be premultiplied: wholly transparent
    pixels are alike whatever their colour. A picture that is all border is returned whole.
    """
    whole = Box(0, 0, *image.size)
    unlike = _Unlike(image, corner, tolerance)
    first = next(unlike.boxes(_strips(whole)), None)
    if first is None:
        return whole
    below = Box(0, first.upper, *image.size)
    last = next(unlike.boxes(reversed(list(_strips(below)))), first)
    left, right = min(first.left, last.left), max(first.right, last.right)
    for beside in unlike.boxes(_strips(Box(0, first.upper, left, last.lower))):
        left = min(left, beside.left)
    for beside in unlike.boxes(_strips(Box(right, first.upper, image.width, last.lower))):
        right = max(right, beside.right)
    return Box(left, first.upper, right, last.lower)


class _Unlike:
    """The pixels of an image that are not like the one of a corner."""

    def __init__(self, image: Image.Image, corner: tuple[int, int], tolerance: int) -> None:
        self._image = image
        self._paper = image.getpixel(corner)
        self._threshold = tolerance * 255 // 100

    def boxes(self, areas: Iterable[Box]) -> Iterator[Box]:
        """Yield, for each area that has some, the rectangle around them."""
        for area in areas:
            found = self._around(self._image.crop(area))
            if found is not None:
                yield Box(*found).moved(area.left, area.upper)

    def _around(self, part: Image.Image) -> tuple[int, int, int, int] | None:
        paper = Image.new(part.mode, part.size, self._paper)
        bands = [self._beyond(band) for band in ImageChops.difference(part, paper).split()]
        some = bands[0]
        for band in bands[1:]:
            some = ImageChops.lighter(some, band)
        return some.getbbox()

    def _beyond(self, difference: Image.Image) -> Image.Image:
        return difference.point(lambda level: 255 if level > self._threshold else 0)


def _strips(area: Box) -> Iterator[Box]:
    """Cut an area into rows of no more than STRIP_PIXELS, unless one row has more."""
    size: Size = area.size
    if size.width < 1:
        return
    rows = max(1, STRIP_PIXELS // size.width)
    for upper in range(area.upper, area.lower, rows):
        yield Box(area.left, upper, area.right, min(upper + rows, area.lower))
