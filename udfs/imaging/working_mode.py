"""Turns decoded pixels into a mode that can be resized: at least 8 bits per sample, alpha premultiplied.

The common modes (L, RGB, CMYK) pass untouched: a full-size conversion costs as much as the decode.
"""

from typing import Final

from PIL.Image import Image

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


def has_alpha(image: Image) -> bool:
    """Tell whether the source has an alpha channel or a transparent colour, used or not."""
    return image.mode in WITH_ALPHA or ("transparency" in image.info and image.mode in KEYED)


def working_mode(image: Image) -> Image:
    """Return L, La, RGB, RGBa or CMYK, the same image where possible.

    Raises UnsupportedFormat for 32-bit and floating-point samples, which have no agreed white, and for Lab.
    """
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


def _eight_bits(image: Image) -> Image:
    """Scale 0..65535 to 0..255; Pillow's own conversion would clip."""
    wide = image.convert("I")
    return wide.point(lambda sample: sample * (255 / 65_535) + 0.5).convert("L")
