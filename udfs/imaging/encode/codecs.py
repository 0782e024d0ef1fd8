"""The formats that can be written: what each can hold, and the functions that write it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL.Image import Image

from udfs.imaging.encode.apng import animated_png
from udfs.imaging.encode.avif import animated_avif, avif
from udfs.imaging.encode.encoded import Animation, Options
from udfs.imaging.encode.gif import STEPS as GIF_STEPS
from udfs.imaging.encode.gif import animated_gif, gif
from udfs.imaging.encode.jpeg import jpeg
from udfs.imaging.encode.png import STEPS as PNG_STEPS
from udfs.imaging.encode.png import png
from udfs.imaging.encode.webp import animated_webp, frames_of_webp, webp

QUALITIES: Final = range(1, 101)


@dataclass(frozen=True, slots=True)
class Codec:
    """One format: `steps` are its settings from the smallest to the best, the middle argument of its functions.

    `count` tells the frames in a file, None where the encoder writes as many as it is given.
    """

    max_side_px: int
    steps: range
    default: int
    still: Callable[[Image, int, Options], bytes]
    animation: Callable[[Animation, int, Options], bytes] | None = None
    count: Callable[[bytes], int] | None = None

    @property
    def lossy(self) -> bool:
        """Whether the steps are qualities."""
        return self.steps == QUALITIES


# Longest sides: libjpeg's JPEG_MAX_DIMENSION, the 14 bits of WebP, 16 of GIF and 31 of PNG; AVIF could say 65536, but
# libavif, which nearly every viewer uses, opens no more than AVIF_DEFAULT_IMAGE_DIMENSION_LIMIT.
CODECS: Final = {
    "jpeg": Codec(65_500, QUALITIES, 80, jpeg),
    "webp": Codec(16_383, QUALITIES, 80, webp, animated_webp, frames_of_webp),
    "avif": Codec(32_768, QUALITIES, 60, avif, animated_avif),
    "png": Codec(2**31 - 1, PNG_STEPS, PNG_STEPS[-1], png, animated_png),
    "gif": Codec(65_535, GIF_STEPS, GIF_STEPS[-1], gif, animated_gif),
}
