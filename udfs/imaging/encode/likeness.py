"""How like a derivative is to the pixels it was made from: SSIM of the luma, on the preset's background."""

import io
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL.AvifImagePlugin import AvifImageFile
from PIL.Image import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

from udfs.imaging.flatten import flatten
from udfs.imaging.similarity import Plane, Reference

READERS: Final[dict[str, Callable[[io.BytesIO], Image]]] = {
    "jpeg": JpegImageFile,
    "webp": WebPImageFile,
    "avif": AvifImageFile,
}

# Windows are measured at every fourth row and column, as FFmpeg and x264 do: 15 ms a megapixel instead of 90.
STRIDE: Final = 4


def likeness_to(image: Image, format_: str, background: tuple[int, int, int, int]) -> Callable[[bytes], float]:
    """Return a function from the bytes of a derivative of that format to its SSIM."""
    reference = Reference(_luma(image, background), STRIDE)
    return lambda data: reference.ssim(_luma(READERS[format_](io.BytesIO(data)), background))


def _luma(image: Image, background: tuple[int, int, int, int]) -> Plane:
    if isinstance(image, JpegImageFile):
        image.draft("L", image.size)
    return np.asarray(flatten(image, background).convert("L"), np.float32)
