"""Turns finished pixels into the bytes of a derivative; the same pixels and preset give the same bytes.

Measured on a 1280x881 photograph, milliseconds of CPU and kB: JPEG 4 ms 219 kB, with optimised tables 10 ms 216 kB,
progressive 22 ms 206 kB; WebP method 2 55 ms 166 kB, method 4 122 ms 161 kB (0.3 dB better), method 6 296 ms 149 kB.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from PIL import JpegImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401  registers the encoders, once, at import
from PIL.Image import Image

from udfs.imaging.errors import RenderFailed
from udfs.imaging.flatten import flatten
from udfs.imaging.preset import Preset

MAX_SIDE_PX: Final = {"jpeg": 65_500, "webp": 16_383, "png": 2**31 - 1}
EXTENSIONS: Final = {"jpeg": "jpg"}  # the others are called as their format


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a derivative, its size in pixels, and the format that was chosen for it."""

    data: bytes
    width: int
    height: int
    format: str

    @property
    def extension(self) -> str:
        """The file extension, without a dot."""
        return EXTENSIONS.get(self.format, self.format)

    @property
    def content_type(self) -> str:
        """The media type."""
        return f"image/{self.format}"


def _jpeg(preset: Preset) -> dict[str, Any]:
    return {"quality": preset.quality, "subsampling": "4:2:0", "progressive": False, "optimize": False}


def _webp(preset: Preset) -> dict[str, Any]:
    return {"quality": preset.quality, "method": 2}


def _png(preset: Preset) -> dict[str, Any]:
    return {"compress_level": 6}


OPTIONS: Final[dict[str, Callable[[Preset], dict[str, Any]]]] = {"jpeg": _jpeg, "webp": _webp, "png": _png}


def encode(image: Image, preset: Preset, profile: bytes | None) -> Encoded:
    """Encode L, LA, RGB or RGBA pixels; the profile goes along when the pixels are RGB. No other metadata are written.

    Raises RenderFailed when a side is longer than the format can say, or the encoder refuses.
    """
    longest = MAX_SIDE_PX[preset.format]
    if max(image.size) > longest:
        msg = (
            f"preset {preset.name}: {image.width}x{image.height} px, {preset.format} ends at {longest} px; "
            "bound both sides in the preset"
        )
        raise RenderFailed(msg)
    if preset.format == "jpeg":
        image = flatten(image, preset.background_rgba)
    options = OPTIONS[preset.format](preset)
    if profile and image.mode in ("RGB", "RGBA"):
        options["icc_profile"] = profile
    encoded = io.BytesIO()
    try:
        image.save(encoded, preset.format.upper(), **options)
    except (OSError, ValueError) as error:
        msg = f"preset {preset.name}: {preset.format} cannot hold {image.width}x{image.height} px {image.mode}: {error}"
        raise RenderFailed(msg) from error
    return Encoded(encoded.getvalue(), *image.size, preset.format)
