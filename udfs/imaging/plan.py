"""What must be done to the decoded copy for one derivative: equal plans share their pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from udfs.imaging.geometry import Canvas


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of every step.

    `box` and `size` are in the orientation the pixels are stored in: the box (left, upper, right, lower) in pixels of
    the decoded copy, with fractions where that copy was decoded at a reduced scale; the size (width, height) in pixels.
    `orientation` is EXIF's 1 to 8, with the preset's own turning in it. `profile` is the ICC profile to convert from to
    sRGB, None to leave the pixels as they are. `canvas`, in displayed pixels, is where a padded picture lies, on
    `background` (red, green, blue, alpha). `effects` are pairs of a key of the table of steps and its parameter; their
    lengths are multiplied by the device pixel ratio `dpr`. `region`, in pixels of the decoded copy, is what a trim
    left: nothing outside of it may be looked at; None: the whole picture.
    """

    box: tuple[float, float, float, float]
    size: tuple[int, int]
    orientation: int = 1
    linear_light: bool = False
    profile: bytes | None = None
    canvas: Canvas | None = None
    background: tuple[int, int, int, int] = (255, 255, 255, 255)
    effects: tuple[tuple[str, Any], ...] = ()
    dpr: float = 1.0
    region: tuple[int, int, int, int] | None = None


Step = Callable[[Image, Plan], Image]
