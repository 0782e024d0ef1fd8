"""The pipeline: every derivative passes these steps in this order, after it was cropped and shrunk.

A step returns its image untouched when it has nothing to do.
"""

from typing import Final, Literal

from PIL.Image import Image

from udfs.imaging.effect import Effect
from udfs.imaging.plan import Plan, Step
from udfs.imaging.steps.blur import MAX_SIGMA_PX, Sigma, blur
from udfs.imaging.steps.delivery_mode import delivery_mode
from udfs.imaging.steps.grayscale import grayscale
from udfs.imaging.steps.orient import orient
from udfs.imaging.steps.pad import pad
from udfs.imaging.steps.round_corners import MAX_RADIUS_PX, Radius, round_corners
from udfs.imaging.steps.sharpen import MAX_AMOUNT_PERCENT, Amount, UnsharpMask, sharpen
from udfs.imaging.steps.text import Text, text
from udfs.imaging.steps.to_srgb import to_srgb
from udfs.imaging.steps.watermark import Watermark, watermark

STEPS: Final[tuple[Step, ...]] = (
    orient,
    to_srgb,
    delivery_mode,
    Effect("grayscale", grayscale, Literal[True], "true: shades of grey, by the luma of ITU-R BT.601"),
    Effect("blur", blur, Sigma, f"0.1 to {MAX_SIGMA_PX} px: the sigma of a Gaussian blur"),
    Effect(
        "sharpen",
        sharpen,
        Amount | UnsharpMask,
        f"1 to {MAX_AMOUNT_PERCENT} (in %) of an unsharp mask, or a mapping such as {{radius: 0.8, amount: 80}}",
    ),
    pad,  # what was done to the picture leaves the colour of its padding alone, and what is laid on it may lie there
    Effect(
        "watermark",
        watermark,
        Watermark,
        "a mapping such as {image: logo.png, position: south-east, opacity: 0.6, scale: 0.2, margin: 12, tile: false}",
    ),
    Effect(
        "text",
        text,
        Text,
        "a mapping such as {text: Hello, position: south, size: 24, color: '#ffffff', outline: '#000000', margin: 10}",
    ),
    Effect(  # last, because it gives the derivative its outline: a pattern of watermarks is cut off there as well
        "corner_radius",
        round_corners,
        Radius,
        f"1 to {MAX_RADIUS_PX} px, or full for a circle or a pill; transparent outside, or background as a jpeg",
    ),
)

EFFECTS: Final = tuple(step for step in STEPS if isinstance(step, Effect))


def develop(image: Image, plan: Plan) -> Image:
    """Take a shrunk copy through every step."""
    for step in STEPS:
        image = step(image, plan)
    return image
