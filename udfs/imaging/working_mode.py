"""Turns decoded pixels into a mode that can be resized: at least 8 bits per sample, alpha premultiplied.

The common modes (L, RGB, CMYK) pass untouched: a full-size conversion costs as much as the decode.
"""

from functools import lru_cache
from typing import Final

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
    return image.mode in WITH_ALPHA or ("transparency" in image.info and image.mode in KEYED)


def working_mode(image: Image.Image) -> Image.Image:
    """Return L, La, RGB, RGBa or CMYK, the same image where possible.

    Raises UnsupportedFormat for 32-bit and floating-point samples, which have no agreed white.
    """
    if image.mode == "LAB":
        return _lab_to_srgb().apply(image)
    if image.mode not in WORKING:
        msg = f"source: pixels of mode {image.mode} have no agreed white; convert it to 8 or 16 bits per sample"
        raise UnsupportedFormat(msg)
    mode = WORKING[image.mode]
    if image.mode in SIXTEEN_BIT:
        return _eight_bits(image)
    if "transparency" in image.info and image.mode in KEYED:
        image = image.convert(KEYED[image.mode])
        mode = WORKING[image.mode]
    if image.mode == mode:
        return image
    if image.mode == "PA":
        image = image.convert("RGBA")
    return image.convert(mode)


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


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 0..65535 to 0..255; Pillow's own conversion would clip.

    In bands of rows, as it takes 8 bytes per pixel on the way.
    """
    scaled = Image.new("L", image.size)
    rows = max(1, BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height))).convert("I")
        scaled.paste(band.point(lambda sample: sample * (255 / 65_535) + 0.5).convert("L"), (0, top))
    return scaled
