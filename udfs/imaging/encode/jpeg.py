"""JPEG: no transparency, one frame; a progressive one has optimised tables too."""

import io

from PIL import JpegImagePlugin  # noqa: F401  registers the encoder, once, at import
from PIL.Image import Image

from udfs.imaging.encode.encoded import Options
from udfs.imaging.flatten import flatten


def jpeg(image: Image, quality: int, options: Options) -> bytes:
    """Encode on the preset's background."""
    preset, carried = options.preset, options.carried
    file = io.BytesIO()
    flatten(image, preset.background_rgba).save(
        file,
        "JPEG",
        quality=quality,
        subsampling=preset.chroma_subsampling,
        progressive=preset.progressive,
        optimize=False,
        comment=b"",
        icc_profile=carried.profile,
        exif=carried.exif,
        xmp=carried.xmp,
    )
    return file.getvalue()
