"""PNG, exact where a byte budget does not ask for fewer colours; 256 colours or fewer get a palette."""

import io
from typing import Any, Final

from PIL.Image import Image
from PIL.PngImagePlugin import PngInfo

from udfs.imaging.encode.encoded import Options
from udfs.imaging.encode.palette import exact_palette, reduced

EXACT: Final = 9  # the step above those that are bits of a palette
STEPS: Final = range(1, EXACT + 1)

LEVELS: Final = (1, 2, 3, 4, 6, 7, 9)  # of zlib, for each effort
DEFAULT_EFFORT: Final = 4
GREY_COLORS: Final = 16  # more shades of grey need a byte each, with a palette or without


def png(image: Image, step: int, options: Options) -> bytes:
    """Encode with 2 to the power of `step` colours, or as it is."""
    file = io.BytesIO()
    image = _exact(image) if step == EXACT else reduced(image, 2**step)
    image.save(file, "PNG", **png_parameters(options))
    return file.getvalue()


def png_parameters(options: Options) -> dict[str, Any]:
    """Return what Pillow's writer takes; a grey picture has no use for a profile of RGB."""
    carried, effort = options.carried, options.preset.effort
    texts = PngInfo()
    if carried.xmp:
        texts.add_itxt("XML:com.adobe.xmp", carried.xmp.decode("utf-8", "replace"))
    return {
        "compress_level": LEVELS[DEFAULT_EFFORT if effort is None else effort],
        "icc_profile": carried.profile,
        "exif": carried.exif,
        "pnginfo": texts,
    }


def _exact(image: Image) -> Image:
    return exact_palette(image, GREY_COLORS if image.mode == "L" else 256) or image
