"""Crops and shrinks in one pass; only a trimmed picture is copied first, as a filter would see its border."""

from dataclasses import replace

from PIL.Image import Image

from udfs.imaging.linear_light import LINEAR_MODES, shrink_in_linear_light
from udfs.imaging.plan import Plan
from udfs.imaging.resample import resample


def shrink(image: Image, plan: Plan) -> Image:
    """Return the box of the image at the size of the plan; alpha is expected to be premultiplied.

    Lanczos enlarges as well: photographs halved or quartered and brought back are 0.1 to 0.8 dB nearer to the original
    than with bicubic, in SSIM too in nine of ten cases; beside a step it overshoots by 12 % of it instead of 7 %.

    Linear light is for pixels of a screen: CMYK is always resampled as it is. On 2040x1404 it takes 132 ms for 640 px
    and 109 ms for 160 px (without: 8 and 7), and 200 MB beside the picture when that has 100 megapixels.
    """
    if plan.region:
        left, upper, *_ = plan.region
        box = (plan.box[0] - left, plan.box[1] - upper, plan.box[2] - left, plan.box[3] - upper)
        return shrink(image.crop(plan.region), replace(plan, region=None, box=box))
    if image.size == plan.size and plan.box == (0, 0, *image.size):
        return image
    if plan.linear_light and image.mode in LINEAR_MODES:
        return shrink_in_linear_light(image, plan.box, plan.size)
    return resample(image, plan.size, plan.box)
