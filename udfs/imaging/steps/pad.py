"""Lays the picture on a larger canvas of one colour."""

from PIL import Image

from udfs.imaging.plan import Plan
from udfs.imaging.steps.overlay import has_colour, lay_on, mode_of


def pad(image: Image.Image, plan: Plan) -> Image.Image:
    """Return the canvas; an opaque one shows through the picture's transparent parts and leaves none."""
    if plan.canvas is None:
        return image
    size, left, upper = plan.canvas
    red, green, blue, alpha = plan.background
    mode = mode_of(has_colour(image) or not red == green == blue, alpha < 255)
    return lay_on(Image.new("RGBA", size, plan.background).convert(mode), image, (left, upper))
