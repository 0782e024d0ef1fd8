"""WebP: with loss or without, still or animated."""

import io
from typing import Any, Final

from PIL import WebPImagePlugin  # noqa: F401  registers the encoder, once, at import
from PIL.Image import Image

from udfs.imaging.encode.encoded import Animation, Options
from udfs.imaging.encode.reel import Reel

DEFAULT_METHOD: Final = 2
LOSSLESS_EFFORT: Final = 50  # what `quality` means without loss; the method decides more


def webp(image: Image, quality: int, options: Options) -> bytes:
    """Encode one picture."""
    file = io.BytesIO()
    image.save(file, "WEBP", **_parameters(quality, options))
    return file.getvalue()


def animated_webp(animation: Animation, quality: int, options: Options) -> bytes:
    """Encode frame by frame."""
    parameters = _parameters(quality, options)
    return Reel(animation, options.preset.background_rgba).encoded(
        "WEBP", loop=animation.plays, background=(0, 0, 0, 0), **parameters
    )


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
