"""WebP: the canvas, which Pillow allocates while it opens a file, frames and metadata. Source: RFC 9649, section 2."""

from collections.abc import Iterator
from typing import Final

from udfs.imaging.checks import check_chunks, check_metadata
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

FIRST_CHUNK: Final = 12
METADATA: Final = frozenset({b"ICCP", b"EXIF", b"XMP "})


def read_webp(source: bytes, limits: Limits) -> Header:
    """Read the canvas and step over the chunks; counting ends at one frame more than the limit.

    Raises MetadataTooLarge.
    """
    frames, stored_pixels, metadata_bytes, plays = 0, 0, 0, 0
    for kind, at, length in _chunks(source, limits):
        if kind == b"ANMF":
            frames += 1
            stored_pixels += (_number(source, at + 6, 3) + 1) * (_number(source, at + 9, 3) + 1)
        elif kind == b"ANIM":
            plays = _number(source, at + 4, 2)
        elif kind in METADATA:
            metadata_bytes += length
        if frames > limits.max_frames:
            break
    check_metadata(metadata_bytes, limits)
    return Header(webp_size(source), max(frames, 1), plays if frames > 1 else None, stored_pixels)


def webp_size(source: bytes) -> tuple[int, int] | None:
    """Return the canvas (width, height) in pixels that the header announces, None where there is none to read."""
    chunk = source[FIRST_CHUNK : FIRST_CHUNK + 4]
    if chunk == b"VP8X" and len(source) >= 30:
        return _number(source, 24, 3) + 1, _number(source, 27, 3) + 1
    if chunk == b"VP8L" and len(source) >= 25:
        bits = _number(source, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(source) >= 30:
        return _number(source, 26, 2) & 0x3FFF, _number(source, 28, 2) & 0x3FFF
    return None


def _chunks(source: bytes, limits: Limits) -> Iterator[tuple[bytes, int, int]]:
    """Give kind, begin and length of each chunk; animations have one for every frame."""
    at, count = FIRST_CHUNK, 0
    while at + 8 <= len(source):
        length = _number(source, at + 4, 4)
        yield source[at : at + 4], at + 8, length
        at += 8 + length + length % 2
        count += 1
        check_chunks(count)


def _number(source: bytes, at: int, length: int) -> int:
    return int.from_bytes(source[at : at + length], "little")
