"""Lays one picture on another, with straight alpha; what is grey stays grey until colour comes in."""

from typing import Annotated, Final

from PIL.Image import Image
from pydantic import Field

from udfs.imaging.parameters import HALVES, Compass

Opacity = Annotated[float, Field(gt=0, le=1)]
Margin = Annotated[int, Field(ge=0, le=1_000)]

POSITION: Final = (
    "center, north, north-east, east, south-east, south, south-west, west or north-west: where on the derivative"
)
OPACITY: Final = "above 0 to 1: how much of it is seen"
MARGIN: Final = "0 to 1000 px: its distance from the edges"

MODES: Final = {(False, False): "L", (False, True): "LA", (True, False): "RGB", (True, True): "RGBA"}


def mode_of(colour: bool, alpha: bool) -> str:
    """Return the mode of a picture that has colour, and an alpha channel, or not."""
    return MODES[colour, alpha]


def has_colour(image: Image) -> bool:
    """Tell whether there are three samples of colour."""
    return image.mode in ("RGB", "RGBA")


def has_alpha(image: Image) -> bool:
    """Tell whether there is an alpha channel."""
    return image.mode in ("LA", "RGBA")


def lay_on(image: Image, layer: Image, at: tuple[int, int]) -> Image:
    """Return a new picture, as large and as opaque as `image`, with the layer's upper left corner at (left, upper).

    What of the layer reaches beyond the right or lower edge is cut off.
    """
    mode = mode_of(has_colour(image) or has_colour(layer), has_alpha(image))
    under = image.convert(mode)
    if has_alpha(image) and has_alpha(layer):
        under.alpha_composite(layer.convert(mode), at)
    else:
        under.paste(layer.convert(mode), at, layer.getchannel("A") if has_alpha(layer) else None)
    return under


def faded(layer: Image, opacity: float) -> Image:
    """Return the layer with its alpha multiplied by the opacity, 0 to 1."""
    paler = layer.copy()
    paler.putalpha(layer.getchannel("A").point(lambda alpha: int(alpha * opacity + 0.5)))
    return paler


def place(size: tuple[int, int], layer: tuple[int, int], position: Compass, margin: int) -> tuple[int, int]:
    """Return where the upper left corner of a layer lies, `margin` px from the edges where there is room for it."""
    across, down = HALVES[position]
    return _along(size[0], layer[0], across, margin), _along(size[1], layer[1], down, margin)


def _along(side: int, length: int, halves: int, margin: int) -> int:
    free = max(0, side - length)
    margin = min(margin, free // 2)
    return margin + (free - 2 * margin) * halves // 2
