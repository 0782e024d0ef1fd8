"""Lanczos, in SIMD: by the resizer of the author of Rust's fast_image_resize, in a sixth of the time that Pillow takes.

Its samples of 8 bits are integers all the way, so every instruction set gives the same bytes, and so does none.
"""

from typing import Final

import PIL.Image
from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
from PIL.Image import Image

LANCZOS: Final = ResizeAlg.convolution(FilterType.lanczos3)


def resample(image: Image, size: tuple[int, int], box: tuple[float, float, float, float]) -> Image:
    """Return the box (left, upper, right, lower, in pixels) of L, La, RGB, RGBa, CMYK or F at a size (width, height).

    Each band by itself: alpha is expected to be premultiplied.
    """
    if image.mode == "La":
        return PIL.Image.merge("La", [resample(band, size, box) for band in image.split()])
    left, upper, right, lower = box
    resampled = PIL.Image.new(image.mode, size)
    crop = CropBox(left, upper, right - left, lower - upper)
    Resizer().resize_pil(image, resampled, ResizeOptions(LANCZOS, use_alpha=False, crop_box=crop))
    return resampled
