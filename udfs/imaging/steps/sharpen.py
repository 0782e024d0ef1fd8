"""Brings out edges by an unsharp mask; the outline of a transparent picture stays as it is."""

from typing import Annotated, Final

from PIL import Image
from pydantic import Field

from udfs.imaging.parameters import Part
from udfs.imaging.steps.blur import blur

MAX_AMOUNT_PERCENT: Final = 500
MAX_RADIUS_PX: Final = 10

Amount = Annotated[int, Field(ge=1, le=MAX_AMOUNT_PERCENT)]


class UnsharpMask(Part):
    """How far around a pixel is looked, and how much is added."""

    radius: float = Field(
        default=1.0, ge=0.1, le=MAX_RADIUS_PX, description=f"0.1 to {MAX_RADIUS_PX} px: the sigma of the blurred copy"
    )
    amount: Amount = Field(default=100, description=f"a whole number of percent from 1 to {MAX_AMOUNT_PERCENT}")


def sharpen(image: Image.Image, wanted: int | UnsharpMask, dpr: float) -> Image.Image:
    """Return the picture in its mode, with `amount` % of its difference from a blurred copy added to it.

    Source: Gonzalez and Woods, Digital Image Processing, 4th edition, 3.6, unsharp masking and highboost filtering.
    """
    mask = wanted if isinstance(wanted, UnsharpMask) else UnsharpMask(amount=wanted)
    sharper = Image.blend(blur(image, mask.radius, dpr), image, 1 + mask.amount / 100)
    if image.mode in ("LA", "RGBA"):
        sharper.putalpha(image.getchannel("A"))
    return sharper
