"""Takes an animated PNG apart into plain ones, one for each frame, and puts the frames together.

Pillow composes semi-transparent frames by pasting, which makes them more transparent than they are.
Source: PNG, third edition, 11.3.6 (fcTL, fdAT), 13.6 (composition).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from udfs.imaging.headers.png import png_chunks
from udfs.imaging.png_file import open_png
from udfs.imaging.working_mode import SIXTEEN_BIT, eight_bits

SHARED: Final = frozenset({b"PLTE", b"tRNS"})  # what the pixels of every frame need
CLEAR: Final = 1
RESTORE: Final = 2
OVER: Final = 1
DEFAULT_HUNDREDTHS: Final = 100


@dataclass(slots=True)
class Part:
    """One stored frame: `box` is where it lies on the canvas, in pixels; `data` are its compressed pixels."""

    box: tuple[int, int, int, int]
    duration_ms: int
    disposal: int
    blend: int
    data: list[bytes] = field(default_factory=list)


def apng_parts(source: bytes) -> Iterator[tuple[Part, Image.Image]]:
    """Give each frame of an animated PNG with its own pixels, RGBA, not yet composed."""
    header, shared, part = b"", b"", None
    for kind, at, length in png_chunks(source):
        body = source[at : at + length]
        if kind == b"IHDR":
            header = body
        elif kind in SHARED:
            shared += _chunk(kind, body)
        elif kind == b"fcTL":
            if part:
                yield part, _picture(part, header, shared)
            part = _part(body)
        elif part and kind in (b"IDAT", b"fdAT"):
            part.data.append(body if kind == b"IDAT" else body[4:])
    if part:
        yield part, _picture(part, header, shared)


def composed(parts: Iterator[tuple[Part, Image.Image]], size: tuple[int, int]) -> Iterator[tuple[Image.Image, int]]:
    """Give each frame as it is shown, RGBA, with its duration in milliseconds."""
    canvas = Image.new("RGBA", size)
    for part, pixels in parts:
        before = canvas.crop(part.box) if part.disposal == RESTORE else None
        if part.blend == OVER:
            canvas.alpha_composite(pixels, part.box[:2])
        else:
            canvas.paste(pixels, part.box)
        yield canvas.copy(), part.duration_ms
        if part.disposal in (CLEAR, RESTORE):
            canvas.paste(before or 0, part.box)


def _part(control: bytes) -> Part:
    _, width, height, left, top, over, under, disposal, blend = struct.unpack(">IIIIIHHBB", control)
    duration_ms = round(1000 * over / (under or DEFAULT_HUNDREDTHS))
    return Part((left, top, left + width, top + height), duration_ms, disposal, blend)


def _picture(part: Part, header: bytes, shared: bytes) -> Image.Image:
    left, top, right, bottom = part.box
    size = struct.pack(">II", right - left, bottom - top)
    chunks = (_chunk(b"IHDR", size + header[8:]), shared, _chunk(b"IDAT", b"".join(part.data)), _chunk(b"IEND", b""))
    image = open_png(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)))
    image.load()
    return (eight_bits(image) if image.mode in SIXTEEN_BIT else image).convert("RGBA")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
