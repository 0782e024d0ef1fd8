"""BMP: whether it is run-length encoded, which Pillow decodes in Python. Source: Microsoft, BITMAPINFOHEADER."""

from typing import Final

from udfs.imaging.errors import UnsupportedFormat
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import MEBIBYTE, Limits

COMPRESSION_AT: Final = 30
INFO_HEADER_BYTES: Final = 40  # the older header is shorter and knows no compression
RUN_LENGTHS: Final = frozenset({1, 2})

# Decoding takes 0.2 s a mebibyte. Runs are for drawings; 100 megapixels of one colour have less than one.
MAX_RUN_LENGTH_BYTES: Final = 8 * MEBIBYTE


def read_bmp(source: bytes, limits: Limits) -> Header:
    """Look at the compression only; the size costs Pillow nothing.

    Raises UnsupportedFormat for long run-length data.
    """
    long_header = int.from_bytes(source[14:18], "little") >= INFO_HEADER_BYTES
    compression = int.from_bytes(source[COMPRESSION_AT : COMPRESSION_AT + 4], "little")
    if long_header and compression in RUN_LENGTHS and len(source) > MAX_RUN_LENGTH_BYTES:
        msg = f"source: {len(source)} bytes of a run-length bmp, the limit is {MAX_RUN_LENGTH_BYTES}; save it as a png"
        raise UnsupportedFormat(msg)
    return Header()
