"""A step that a preset asks for by a key of its own: what the key takes, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL.Image import Image

from udfs.imaging.plan import Plan


@dataclass(frozen=True, slots=True)
class Effect:
    """One row of the table of steps.

    `key` is the key in the presets file, `parameter` the type of its value and `description` what is allowed and done.
    `apply(image, value, dpr)` gets and returns upright sRGB pixels with straight alpha: L, LA, RGB or RGBA.
    """

    key: str
    apply: Callable[[Image, Any, float], Image]
    parameter: Any
    description: str

    def __call__(self, image: Image, plan: Plan) -> Image:
        """Do it where the plan asks for it."""
        for key, value in plan.effects:
            if key == self.key:
                return self.apply(image, value, plan.dpr)
        return image
