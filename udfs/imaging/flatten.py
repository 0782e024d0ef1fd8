"""Puts a transparent picture on a background, for formats that have no transparency."""

from typing import Final

from PIL import Image

OPAQUE: Final = {"LA": "L", "RGBA": "RGB"}


def flatten(image: Image.Image, background: tuple[int, int, int, int]) -> Image.Image:
    """Return L or RGB; the background's own alpha is not looked at."""
    mode = OPAQUE.get(image.mode)
    if mode is None:
        return image
    red, green, blue, _ = background
    mode = mode if red == green == blue else "RGB"
    paper = Image.new(mode, image.size, red if mode == "L" else (red, green, blue))
    paper.paste(image.convert(mode), mask=image.getchannel("A"))
    return paper
