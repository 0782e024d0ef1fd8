"""Animated PNG, written frame by frame: only what changed is stored, and no more than two frames are in memory.

Source of the format: PNG, third edition (W3C 2025), sections 11.3.6 and 13.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from itertools import count
from typing import Final

from PIL import ImageChops, PngImagePlugin
from PIL.Image import Image

from udfs.imaging.encode.encoded import Animation, Options
from udfs.imaging.encode.palette import reduced
from udfs.imaging.encode.png import EXACT, png_parameters
from udfs.imaging.encode.reel import uniform

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_DELAY: Final = 65_535  # in fractions of a second
FRACTIONS: Final = (1000, 100, 10, 1)
ONE_PIXEL: Final = (0, 0, 1, 1)


def animated_png(animation: Animation, step: int, options: Options) -> bytes:
    """Encode with 2 to the power of `step` colours a frame, or as it is."""
    file, sequence = io.BytesIO(), count()
    file.write(SIGNATURE)
    for image, box, duration_ms in _changes(animation, step, options):
        chunks = PngImagePlugin.getchunks(image.crop(box), **png_parameters(options))
        first = file.tell() == len(SIGNATURE)
        if first:
            (_, header, _), *more = (chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"IEND"))
            _write(file, b"IHDR", header)
            _write(file, b"acTL", struct.pack(">II", animation.frames, animation.plays))
            for kind, data, _ in more:
                _write(file, kind, data)
        _write(file, b"fcTL", _control(next(sequence), box, duration_ms))
        for data in (data for kind, data, _ in chunks if kind == b"IDAT"):
            _write(file, b"IDAT" if first else b"fdAT", data if first else struct.pack(">I", next(sequence)) + data)
    _write(file, b"IEND", b"")
    return file.getvalue()


def _changes(
    animation: Animation, step: int, options: Options
) -> Iterator[tuple[Image, tuple[int, int, int, int], int]]:
    """Give each frame, the box in which it differs from the one before, and its duration."""
    before: Image | None = None
    for image, duration_ms in uniform(animation.play(), options.preset.background_rgba):
        if step != EXACT:
            image = reduced(image, 2**step).convert(image.mode)
        whole = (0, 0, *image.size)
        difference = whole if before is None else ImageChops.subtract_modulo(image, before).getbbox(alpha_only=False)
        yield image, difference or ONE_PIXEL, duration_ms
        before = image


def _control(sequence: int, box: tuple[int, int, int, int], duration_ms: int) -> bytes:
    """Pack a frame control: the frame stays until the next one replaces its pixels, alpha included."""
    left, upper, right, lower = box
    return struct.pack(">5I2H2B", sequence, right - left, lower - upper, left, upper, *_delay(duration_ms), 0, 0)


def _delay(duration_ms: int) -> tuple[int, int]:
    """Return a number and of which fraction of a second it is: the finest that can hold it, 18 hours at most."""
    for fraction in FRACTIONS:
        count = round(duration_ms * fraction / 1000)
        if count <= MAX_DELAY:
            return count, fraction
    return MAX_DELAY, 1


def _write(file: io.BytesIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
