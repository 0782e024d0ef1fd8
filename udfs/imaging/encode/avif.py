"""AVIF, still or animated, in one thread: with more of them libavif cuts the picture into tiles and gives other bytes.

An animated AVIF runs for ever: Pillow writes no number of plays. libavif writes the time of day into it, which is taken
out: the same frames must give the same bytes.
"""

import io
import struct
from typing import Any, Final

from PIL import AvifImagePlugin  # noqa: F401  registers the encoder, once, at import
from PIL.Image import Image

from udfs.imaging.encode.encoded import Animation, Options
from udfs.imaging.encode.reel import Reel

# The encoder's speed for each effort. Measured, see encode/__init__: 5 and 4 would take 4 to 6 times as long as 6 for
# 1 % of the bytes, 10 is 9.
SPEEDS: Final = (9, 9, 8, 8, 7, 7, 6)
DEFAULT_EFFORT: Final = 1

# Boxes with the times of creation and modification, 8 bytes each in version 1, and those around them.
# Source: ISO/IEC 14496-12, 8.2.2, 8.3.2 and 8.4.2.
TIMED: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})
AROUND: Final = frozenset({b"moov", b"trak", b"mdia"})


def avif(image: Image, quality: int, options: Options) -> bytes:
    """Encode one picture."""
    file = io.BytesIO()
    if image.mode == "LA":
        image = image.convert("RGBA")
    image.save(file, "AVIF", **_parameters(quality, options, grey=image.mode == "L"))
    return file.getvalue()


def animated_avif(animation: Animation, quality: int, options: Options) -> bytes:
    """Encode frame by frame."""
    reel = Reel(animation, options.preset.background_rgba)
    data = bytearray(reel.encoded("AVIF", **_parameters(quality, options, grey=False)))
    _clear_times(memoryview(data))
    return bytes(data)


def _parameters(quality: int, options: Options, grey: bool) -> dict[str, Any]:
    preset, carried = options.preset, options.carried
    return {
        "quality": quality,
        "subsampling": "4:0:0" if grey else preset.chroma_subsampling,
        "speed": SPEEDS[DEFAULT_EFFORT if preset.effort is None else preset.effort],
        "codec": "aom",
        "max_threads": 1,
        "icc_profile": carried.profile,
        "exif": carried.exif,
        "xmp": carried.xmp,
    }


def _clear_times(boxes: memoryview) -> None:
    start = 0
    while start + 8 <= len(boxes):
        size, kind = struct.unpack_from(">I4s", boxes, start)
        if kind in AROUND:
            _clear_times(boxes[start + 8 : start + size])
        elif kind in TIMED:
            length = 16 if boxes[start + 8] == 1 else 8
            boxes[start + 12 : start + 12 + length] = bytes(length)
        start += max(size, 8)
