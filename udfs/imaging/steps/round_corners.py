"""Cuts the corners off along a circle; outside of it the picture is transparent."""

import math
from typing import Annotated, Final, Literal

import numpy as np
from PIL import Image, ImageChops
from PIL.Image import Transpose
from pydantic import Field

from udfs.imaging.steps.overlay import has_alpha, has_colour, mode_of

MAX_RADIUS_PX: Final = 8_192  # half of the longest side of a derivative
ROWS_AT_ONCE: Final = 256  # keeps the numbers of the largest corner below 20 MB

Radius = Annotated[int, Field(ge=1, le=MAX_RADIUS_PX)] | Literal["full"]


def round_corners(image: Image.Image, wanted: int | Literal["full"], dpr: float) -> Image.Image:
    """Return LA or RGBA; `full`, or more than half of the shorter side, makes a circle or a pill."""
    largest = min(image.size) / 2
    radius = largest if wanted == "full" else min(largest, wanted * dpr)
    mask = _mask(image.size, radius)
    if has_alpha(image):
        mask = ImageChops.multiply(mask, image.getchannel("A"))
    rounded = image.convert(mode_of(has_colour(image), alpha=True))
    rounded.putalpha(mask)
    return rounded


def _mask(size: tuple[int, int], radius: float) -> Image.Image:
    mask, corner = Image.new("L", size, 255), _upper_left(radius)
    right, lower = size[0] - corner.width, size[1] - corner.height
    mask.paste(corner, (0, 0))
    mask.paste(corner.transpose(Transpose.FLIP_LEFT_RIGHT), (right, 0))
    mask.paste(corner.transpose(Transpose.FLIP_TOP_BOTTOM), (0, lower))
    mask.paste(corner.transpose(Transpose.ROTATE_180), (right, lower))
    return mask


def _upper_left(radius: float) -> Image.Image:
    """Return the coverage of a quarter of a disc: per pixel, how far its centre lies inside the rim, 0 to 1."""
    side = math.ceil(radius)
    coverage = np.empty((side, side), np.uint8)
    away = np.maximum(0, radius - 0.5 - np.arange(side)).astype(np.float32)
    for row in range(0, side, ROWS_AT_ONCE):
        distance = np.hypot(away, away[row : row + ROWS_AT_ONCE, np.newaxis])
        coverage[row : row + ROWS_AT_ONCE] = np.clip(radius - distance + 0.5, 0, 1) * 255 + 0.5
    return Image.fromarray(coverage)
