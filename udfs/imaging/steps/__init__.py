"""The pipeline: every derivative passes these steps in this order.

A step returns its image untouched when it has nothing to do.
"""

from typing import Final

from PIL.Image import Image

from udfs.imaging.plan import Plan, Step
from udfs.imaging.steps.delivery_mode import delivery_mode
from udfs.imaging.steps.flatten import flatten
from udfs.imaging.steps.orient import orient
from udfs.imaging.steps.shrink import shrink

STEPS: Final[tuple[Step, ...]] = (
    shrink,  # first: everything after it works on few pixels
    orient,
    delivery_mode,
    flatten,
)


def develop(image: Image, plan: Plan) -> Image:
    """Take the decoded copy through every step."""
    for step in STEPS:
        image = step(image, plan)
    return image
