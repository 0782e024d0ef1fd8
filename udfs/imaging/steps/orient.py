"""Turns and mirrors the picture as its EXIF orientation asks."""

from typing import Final

from PIL.Image import Image, Transpose

from udfs.imaging.plan import Plan

# Source: EXIF 2.32, tag 0x0112; Pillow turns counter-clockwise.
TRANSPOSES: Final = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def orient(image: Image, plan: Plan) -> Image:
    """Return the image the way up a viewer shows it."""
    transpose = TRANSPOSES.get(plan.orientation)
    return image if transpose is None else image.transpose(transpose)
