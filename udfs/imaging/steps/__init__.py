"""The pipeline: every derivative passes these steps in this order, after it was cropped and shrunk.

A step returns its image untouched when it has nothing to do.
"""

from typing import Final, Literal

from PIL.Image import Image

from udfs.imaging.effect import Effect
from udfs.imaging.plan import Plan, Step
from udfs.imaging.steps.delivery_mode import delivery_mode
from udfs.imaging.steps.grayscale import grayscale
from udfs.imaging.steps.orient import orient

STEPS: Final[tuple[Step, ...]] = (
    orient,
    delivery_mode,
    Effect("grayscale", grayscale, Literal[True], "true: shades of grey, by the luma of ITU-R BT.601"),
)

EFFECTS: Final = tuple(step for step in STEPS if isinstance(step, Effect))


def develop(image: Image, plan: Plan) -> Image:
    """Take a shrunk copy through every step."""
    for step in STEPS:
        image = step(image, plan)
    return image
