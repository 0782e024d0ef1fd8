"""JPEG: size, metadata, and how often the decoder must go over all pixels. Source: ITU-T T.81, annex B."""

import re
from typing import Final

from udfs.imaging.checks import check_chunks, check_metadata
from udfs.imaging.errors import DecompressionBomb
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

MARKER: Final = re.compile(rb"\xff+([^\x00\x01\xd0-\xd7\xff])")  # a marker that is not part of compressed data
START: Final = 0xD8
END: Final = 0xD9
SCAN: Final = 0xDA
SCAN_MARK: Final = b"\xff\xda"
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
METADATA: Final = frozenset({*range(0xE0, 0xF0), 0xFE})

# Progressive files have 10 scans, those of mozjpeg up to 13; each goes over every pixel, whatever it holds.
FREE_SCANS: Final = 16


def read_jpeg(source: bytes, limits: Limits) -> Header:
    """Step over the segments of the first picture; a second one behind it (MPO, a film) is not looked at.

    Raises MetadataTooLarge, or DecompressionBomb for many scans over many pixels.
    """
    size, scans, metadata_bytes, steps = (0, 0), 0, 0, 0
    end = 2
    found = MARKER.search(source, end)
    while found and found[1][0] != END:
        marker, at = found[1][0], found.end()
        length = int.from_bytes(source[at : at + 2], "big")
        if marker in FRAMES and size == (0, 0):
            size = (_number(source, at + 5), _number(source, at + 3))
        elif marker == SCAN:
            if not scans and source.count(SCAN_MARK, at) < FREE_SCANS:  # 6 times as fast as stepping on
                scans = 1
                break
            scans += 1
            _check_scans(scans, size, limits)
        elif marker in METADATA and not scans:
            metadata_bytes += length
        steps += 1 if scans else at - end  # Pillow steps over stray bytes one by one
        check_chunks(steps)
        end = at if marker == START else at + length
        found = MARKER.search(source, end)
    check_metadata(metadata_bytes, limits)
    return Header(size if scans else None)


def _check_scans(scans: int, size: tuple[int, int], limits: Limits) -> None:
    pixels = size[0] * size[1] * scans
    if scans > FREE_SCANS and pixels > limits.max_pixels_all_frames:
        msg = (
            f"source: {scans} scans or more of {size[0]}x{size[1]} px are {pixels} pixels, the limit is "
            f"{limits.max_pixels_all_frames}; save it as a baseline jpeg"
        )
        raise DecompressionBomb(msg)


def _number(source: bytes, at: int) -> int:
    return int.from_bytes(source[at : at + 2], "big")
