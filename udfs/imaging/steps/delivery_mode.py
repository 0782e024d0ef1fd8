"""Turns the pixels the steps work on into the pixels an encoder takes."""

from typing import Final

from PIL.Image import Image

from udfs.imaging.plan import Plan

DELIVERED: Final = {"RGBa": "RGBA", "La": "LA", "CMYK": "RGB"}


def delivery_mode(image: Image, plan: Plan) -> Image:
    """Return L, LA, RGB or RGBA with straight alpha; CMYK that no profile has converted becomes RGB naively."""
    mode = DELIVERED.get(image.mode)
    return image if mode is None else image.convert(mode)
