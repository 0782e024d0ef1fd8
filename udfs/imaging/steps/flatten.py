"""Puts a transparent picture on white for formats that have no transparency."""

from typing import Final

from PIL import Image

from udfs.imaging.plan import Plan

OPAQUE: Final = {"LA": "L", "RGBA": "RGB"}


def flatten(image: Image.Image, plan: Plan) -> Image.Image:
    """Return L or RGB where the plan asks for it."""
    mode = OPAQUE.get(image.mode)
    if not plan.flatten or mode is None:
        return image
    paper = Image.new(mode, image.size, "white")
    paper.paste(image.convert(mode), mask=image.getchannel("A"))
    return paper
