"""Takes the colour out of a picture."""

from typing import Final, Literal

from PIL.Image import Image

GRAY: Final = {"RGB": "L", "RGBA": "LA"}


def grayscale(image: Image, wanted: Literal[True], dpr: float) -> Image:
    """Return L or LA."""
    return image.convert(GRAY.get(image.mode, image.mode))
