"""Which format a derivative comes in: the one its preset names, or the one its pixels ask for.

`source` keeps the source's format where it can be written (jpeg, webp, avif, png, gif); for tiff, bmp, heic and jxl it
is like `auto`. `auto` is jpeg for a photograph, and webp for what is animated, transparent or drawn; what is mostly
even (a screenshot, a logo) is stored without loss.
"""

from dataclasses import dataclass
from typing import Final

from PIL.Image import Image

from udfs.imaging.encode.content import evenness, transparent
from udfs.imaging.preset import Preset

WRITABLE: Final = frozenset({"jpeg", "webp", "avif", "png", "gif"})
ANIMATED: Final = WRITABLE - {"jpeg"}

# Measured on 20 photographs and micrographs and on 60 screenshots, charts and logos, whole and shrunk to 400 px:
# photographs have an evenness up to 0.36, 19 of 20 drawings one of 0.4 or more. From 0.8 on, WebP without loss is
# smaller than a JPEG of quality 80 for 9 of 10; below (shrunk drawings) twice as large as a WebP of quality 80 or more.
DRAWN: Final = 0.4
EVEN: Final = 0.8


@dataclass(frozen=True, slots=True)
class Target:
    """The format, and whether it keeps every pixel where it could also lose some."""

    format: str
    lossless: bool = False


def target_of(preset: Preset, image: Image, source_format: str, animated: bool) -> Target:
    """Choose by the preset, the developed pixels and the format of the source; `animated`: all frames will be kept."""
    if preset.format == "source" and source_format in WRITABLE:
        return Target(source_format)
    if preset.format in WRITABLE:
        return Target(preset.format)
    return Target("webp") if animated else _by_content(image)


def _by_content(image: Image) -> Target:
    even = evenness(image)
    if even >= EVEN:
        return Target("webp", lossless=True)
    return Target("webp" if even >= DRAWN or transparent(image) else "jpeg")
