"""Converts the colours of the shrunk picture to sRGB, which is what a viewer takes for granted without a profile."""

from PIL.Image import Image

from udfs.imaging import color
from udfs.imaging.plan import Plan


def to_srgb(image: Image, plan: Plan) -> Image:
    """Return L, LA, RGB or RGBA with straight alpha where the plan names a profile to convert from."""
    return image if plan.profile is None else color.to_srgb(image, plan.profile)
