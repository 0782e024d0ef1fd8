"""Crops and shrinks in one pass, so that no cropped copy of the full size is made."""

from typing import Final

from PIL.Image import Image, Resampling

from udfs.imaging.plan import Plan

# Pixels are averaged to 1.5 times the target before Lanczos. Measured on 2040x1404: 640 px in 15 ms instead of 34, at
# 45 dB or more against plain Lanczos; 1.1 falls to 35 dB, 2.0 saves nothing until the source is four times the target.
REDUCING_GAP: Final = 1.5


def shrink(image: Image, plan: Plan) -> Image:
    """Return the box of the image at the size of the plan; alpha is expected to be premultiplied."""
    if image.size == plan.size and plan.box == (0, 0, *image.size):
        return image
    return image.resize(plan.size, Resampling.LANCZOS, box=plan.box, reducing_gap=REDUCING_GAP)
