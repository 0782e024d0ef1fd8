"""WebP: with loss or without, still or animated."""

import io
from typing import Any, Final

from PIL import WebPImagePlugin  # noqa: F401  registers the encoder, once, at import
from PIL.Image import Image

from udfs.imaging.encode.encoded import Animation, Options
from udfs.imaging.encode.reel import Reel
from udfs.imaging.headers.webp import read_webp
from udfs.imaging.limits import Limits

DEFAULT_METHOD: Final = 2
MAX_PLAYS: Final = 65_535
LOSSLESS_EFFORT: Final = 50  # what `quality` means without loss; the method decides more


def webp(image: Image, quality: int, options: Options) -> bytes:
    """Encode one picture."""
    file = io.BytesIO()
    image.save(file, "WEBP", **_parameters(quality, options))
    return file.getvalue()


def animated_webp(animation: Animation, quality: int, options: Options) -> bytes:
    """Encode frame by frame; libwebp makes one of frames that look alike."""
    parameters = _parameters(quality, options)
    return Reel(animation, options.preset.background_rgba).encoded(
        "WEBP", loop=min(animation.plays, MAX_PLAYS), background=(0, 0, 0, 0), **parameters
    )


def frames_of_webp(data: bytes) -> int:
    """Return how many frames are in the file, 1 for a still."""
    return read_webp(data, Limits(max_frames=len(data), max_metadata_bytes=len(data))).frames


def _parameters(quality: int, options: Options) -> dict[str, Any]:
    effort = options.preset.effort
    return {
        "quality": LOSSLESS_EFFORT if options.lossless else quality,
        "lossless": options.lossless,
        "method": DEFAULT_METHOD if effort is None else effort,
        "icc_profile": options.carried.profile,
        "exif": options.carried.exif,
        "xmp": options.carried.xmp,
    }
