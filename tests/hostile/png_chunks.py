"""PNG files from chunks. Source: PNG specification, third edition, sections 5 and 11."""

import struct
import zlib
from typing import Final

import numpy as np

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # left, top, step to the right and step down of each pass: section 8.1
END: Final = b"\0\0\0\0IEND\xaeB`\x82"


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """One chunk with a right checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    """IHDR; colour 0 is grey, 2 RGB, 3 palette, 6 RGB with alpha."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def png(
    width: int,
    height: int,
    data: bytes,
    *,
    depth: int = 8,
    colour: int = 2,
    interlace: int = 0,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """A file with one IDAT; `before` and `after` are chunks around it."""
    return SIGNATURE + header(width, height, depth, colour, interlace) + before + chunk(b"IDAT", data) + after + END


def dot(before: bytes = b"", after: bytes = b"") -> bytes:
    """One grey pixel, with chunks around it."""
    return png(1, 1, zlib.compress(b"\0\x80"), colour=0, before=before, after=after)


def zeros(size_bytes: int) -> bytes:
    """A zlib stream that unpacks to so many zeros, made at once: one packed mebibyte, repeated.

    Source: RFC 1950 for the frame and the Adler-32 of zeros, RFC 1951 for blocks on byte boundaries.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    mebibyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = packer.compress(bytes(size_bytes % (1 << 20))) + packer.flush()
    adler = size_bytes % 65521 << 16 | 1
    return b"\x78\xda" + mebibyte * (size_bytes >> 20) + rest + struct.pack(">I", adler)


def in_seven_passes(samples: np.ndarray) -> bytes:
    """Rows of an interlaced picture, unfiltered, from samples of height x width x channels, 8 bits each."""
    passes = (samples[top::down, left::across] for left, top, across, down in ADAM7)
    return b"".join(b"\0" + row.tobytes() for one in passes for row in one)
