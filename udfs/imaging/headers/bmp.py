"""BMP: whether it is run-length encoded, which Pillow decodes in Python. Source: Microsoft, BITMAPINFOHEADER."""

from typing import Final

from udfs.imaging.errors import UnsupportedFormat
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import MEBIBYTE, MEGAPIXEL, Limits

COMPRESSION_AT: Final = 30
INFO_HEADER_BYTES: Final = 40  # the older header is shorter and knows no compression
RUN_LENGTHS: Final = frozenset({1, 2})

# Decoding takes 0.2 s a mebibyte. Runs are for drawings; 100 megapixels of one colour have less than one.
MAX_RUN_LENGTH_BYTES: Final = 8 * MEBIBYTE

# Pillow fills the rest of a line byte by byte: 100 megapixels of lines that end at once take 8 s, and 40 kB.
MAX_RUN_LENGTH_PIXELS: Final = 16 * MEGAPIXEL


def read_bmp(source: bytes, limits: Limits) -> Header:
    """Look at the compression only; the size costs Pillow nothing.

    Raises UnsupportedFormat for long run-length data.
    """
    long_header = int.from_bytes(source[14:18], "little") >= INFO_HEADER_BYTES
    compression = int.from_bytes(source[COMPRESSION_AT : COMPRESSION_AT + 4], "little")
    width = int.from_bytes(source[18:22], "little")
    height = abs(int.from_bytes(source[22:26], "little", signed=True))
    too_long = len(source) > MAX_RUN_LENGTH_BYTES or width * height > MAX_RUN_LENGTH_PIXELS
    if long_header and compression in RUN_LENGTHS and too_long:
        msg = (
            f"source: a run-length bmp of {len(source)} bytes and {width}x{height} px, the limits are "
            f"{MAX_RUN_LENGTH_BYTES} and {MAX_RUN_LENGTH_PIXELS}; save it as a png"
        )
        raise UnsupportedFormat(msg)
    return Header()
