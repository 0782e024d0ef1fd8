"""JPEG XL: the size, the codestream and the EXIF data. Source: ISO/IEC 18181-1, annex D (SizeHeader); 18181-2, boxes.

Only the codestream goes to the decoder: it would unpack Brotli boxes without a limit.
"""

from collections.abc import Callable
from typing import Final

from udfs.imaging.checks import check_metadata, check_size
from udfs.imaging.errors import CorruptImage
from udfs.imaging.headers.boxes import boxes, number
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

CODESTREAM: Final = b"\xff\x0a"
METADATA: Final = frozenset({b"Exif", b"xml ", b"brob", b"jumb"})
SIZE_BITS: Final = (9, 13, 18, 30)
RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
HEADER_BYTES: Final = 16  # the longest size header has 2 + 9 bytes
EXIF_OFFSET_BYTES: Final = 4


def read_jxl(source: bytes, limits: Limits) -> Header:
    """Read the size. An animation counts as its first frame.

    Raises CorruptImage, TooManyPixels or MetadataTooLarge.
    """
    if not source.startswith(CODESTREAM):
        check_metadata(sum(box.end - box.at for box in boxes(source) if box.kind in METADATA), limits)
    width, height = jxl_size(codestream(source)[:HEADER_BYTES])
    check_size(width, height, limits)
    return Header((width, height))


def codestream(source: bytes) -> bytes:
    """Return the codestream, put together where the container has it in parts.

    Raises CorruptImage where there is none.
    """
    if source.startswith(CODESTREAM):
        return source
    parts = []
    for box in boxes(source):
        if box.kind == b"jxlc":
            parts = [source[box.at : box.end]]
            break
        if box.kind == b"jxlp":
            parts.append(source[box.at + 4 : box.end])
    whole = b"".join(parts)
    if not whole.startswith(CODESTREAM):
        msg = "source: the jxl has no codestream; upload the whole, undamaged file"
        raise CorruptImage(msg)
    return whole


def jxl_exif(source: bytes) -> bytes | None:
    """Return the EXIF data (a TIFF header and what follows), None where there are none or they are packed."""
    if source.startswith(CODESTREAM):
        return None
    for box in boxes(source):
        if box.kind == b"Exif":
            begin = box.at + EXIF_OFFSET_BYTES + number(source, box.at, EXIF_OFFSET_BYTES)
            return source[begin : box.end] or None
    return None


def jxl_size(header: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels as stored, before the codestream's own orientation.

    Raises CorruptImage for a header that is cut off.
    """
    if len(header) < HEADER_BYTES // 4:
        msg = "source: the jxl ends inside its header; upload the whole file"
        raise CorruptImage(msg)
    bits = _bits(header[len(CODESTREAM) :])
    small = bits(1)
    height = _side(bits, small)
    if ratio := bits(3):
        over, under = RATIOS[ratio - 1]
        return height * over // under, height
    return _side(bits, small), height


def _side(bits: Callable[[int], int], small: int) -> int:
    return 8 * (bits(5) + 1) if small else bits(SIZE_BITS[bits(2)]) + 1


def _bits(data: bytes) -> Callable[[int], int]:
    """Return a reader of bits, the least significant first."""
    left = int.from_bytes(data, "little")

    def read(count: int) -> int:
        nonlocal left
        value = left & (1 << count) - 1
        left >>= count
        return value

    return read
