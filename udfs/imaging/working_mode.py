"""Turns decoded pixels into a mode that can be resized: at least 8 bits per sample, alpha premultiplied.

The common modes (L, RGB, CMYK) pass untouched: a full-size conversion costs as much as the decode.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from udfs.imaging.errors import UnsupportedFormat

WORKING: Final = {
    "1": "L",
    "L": "L",
    "LA": "La",
    "La": "La",
    "P": "RGB",
    "PA": "RGBa",
    "RGB": "RGB",
    "RGBA": "RGBa",
    "RGBa": "RGBa",
    "RGBX": "RGB",
    "CMYK": "CMYK",
    "YCbCr": "RGB",
    "I;16": "L",
    "I;16B": "L",
    "I;16L": "L",
}
WITH_ALPHA: Final = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
KEYED: Final = {"1": "LA", "L": "LA", "P": "RGBA", "RGB": "RGBA"}
SIXTEEN_BIT: Final = frozenset({"I;16", "I;16B", "I;16L"})
BAND_PIXELS: Final = 1_000_000


def has_alpha(image: Image.Image) -> bool:
    """Tell whether the source has an alpha channel or a transparent colour, used or not."""
    keyed = image.mode in KEYED or image.mode in SIXTEEN_BIT
    return image.mode in WITH_ALPHA or (keyed and "transparency" in image.info)


def working_mode(image: Image.Image) -> Image.Image:
    """Return L, La, RGB, RGBa or CMYK, the same image where possible.

    Raises UnsupportedFormat for 32-bit and floating-point samples, which have no agreed white.
    """
    if image.mode == "LAB":
        return _lab_to_srgb().apply(image)
    if image.mode not in WORKING:
        msg = f"source: pixels of mode {image.mode} have no agreed white; convert it to 8 or 16 bits per sample"
        raise UnsupportedFormat(msg)
    if image.mode in SIXTEEN_BIT:
        image = eight_bits(image)
    elif "transparency" in image.info and image.mode in KEYED:
        image = image.convert(KEYED[image.mode])
    mode = WORKING[image.mode]
    if image.mode == mode:
        return image
    if image.mode == "PA":
        image = image.convert("RGBA")
    return image.convert(mode)


def eight_bits(image: Image.Image) -> Image.Image:
    """Scale grey of 0..65535 to 0..255, LA where one level is transparent; Pillow's own conversion would clip.

    In bands of rows, as it takes 8 bytes per pixel on the way.
    """
    scaled = Image.new("L", image.size)
    for band, top in _bands(image):
        scaled.paste(band.convert("I").point(lambda sample: sample * (255 / 65_535) + 0.5).convert("L"), (0, top))
    if "transparency" in image.info:
        scaled.putalpha(_shown(image, image.info["transparency"]))
    return scaled


def _shown(image: Image.Image, key: int) -> Image.Image:
    """Return 0 where a sample is the key, which its 8 bits would not tell, and 255 elsewhere."""
    shown = Image.new("L", image.size)
    for band, top in _bands(image):
        shown.paste(Image.fromarray(np.where(np.asarray(band) == key, 0, 255).astype(np.uint8)), (0, top))
    return shown


def _bands(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))), top


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    """CIE L*a*b* as TIFF has it is relative to D50, as LittleCMS's own profile. Source: TIFF 6.0, section 23."""
    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"),
        ImageCms.createProfile("sRGB"),
        "LAB",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
