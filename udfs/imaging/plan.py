"""What the steps must do to the decoded copy for one derivative: equal plans share their pixels."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of every step.

    `box` and `size` are in the orientation the pixels are stored in: the box (left, upper, right, lower) in pixels of
    the decoded copy, with fractions where that copy was decoded at a reduced scale; the size (width, height) in pixels.
    `orientation` is EXIF's 1 to 8. `flatten` asks for transparency to be replaced by white.
    """

    box: tuple[float, float, float, float]
    size: tuple[int, int]
    orientation: int
    flatten: bool


Step = Callable[[Image, Plan], Image]
