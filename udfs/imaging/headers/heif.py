"""AVIF and HEIC: what the items of the file are made of, and how an animation runs.

Both decoders open a file without decoding, but read its metadata, and follow a derived picture wherever it leads.
Source: ISO/IEC 14496-12 (boxes), 23008-12 (items and their properties).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from udfs.imaging.checks import check_chunks, check_size
from udfs.imaging.errors import DecompressionBomb
from udfs.imaging.headers.boxes import Box, boxes, inner_boxes, number
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

# A picture, its alpha, its thumbnail and its depth map share no bytes; a file that is read more often than this lies.
READ_TIMES: Final = 2

# Pictures derived from others: one grid, its alpha, one overlay. Decoders follow them by calling themselves.
MAX_DERIVED: Final = 256

REPEAT: Final = 1
FOR_EVER: Final = 0


@dataclass(slots=True)
class _Items:
    """What was seen in the meta box: sizes in pixels by property, properties by item, and references."""

    areas: list[int] = field(default_factory=list)
    properties: dict[int, list[int]] = field(default_factory=dict)
    references: list[tuple[int, ...]] = field(default_factory=list)
    read_bytes: int = 0

    def area(self, item: int) -> int:
        indexes = self.properties.get(item, [])
        return max((self.areas[index - 1] for index in indexes if 0 < index <= len(self.areas)), default=0)


def read_heif(source: bytes, limits: Limits) -> Header:
    """Look at every item; the decoder tells the size of the one that is shown.

    Raises TooManyPixels, CorruptImage, MetadataTooLarge, or DecompressionBomb for items that use the same bytes or the
    same tiles again and again.
    """
    items = _Items()
    for box in boxes(source):
        if box.kind == b"meta":
            for inner in inner_boxes(source, box.at + 4, box.end):
                _take(items, source, inner, limits)
    _check_items(items, len(source), limits)
    return Header()


def read_avif(source: bytes, limits: Limits) -> Header:
    """Look at every item, and at the first track of an animation, which is what a file of the brand avis is.

    Raises as `read_heif`.
    """
    still = read_heif(source, limits)
    if source[8:12] != b"avis":
        return still
    moov = next((box for box in boxes(source) if box.kind == b"moov"), None)
    if moov is None:
        return still
    frames, times = _track(source, next(boxes(source, moov.at, moov.end), moov), moov)
    return Header(frames=frames, loop=times if frames > 1 else None)


def _take(items: _Items, source: bytes, box: Box, limits: Limits) -> None:
    if box.kind == b"ispe":
        width, height = number(source, box.at + 4, 4), number(source, box.at + 8, 4)
        check_size(width, height, limits)
    if box.kind == b"iloc":
        items.read_bytes += sum(_extents(source, box))
    elif box.kind == b"ipma":
        items.properties.update(_associations(source, box))
    elif box.kind == b"ipco":
        items.areas = [_area(source, inner) for inner in boxes(source, box.at, box.end)]
    elif box.kind == b"iref":
        items.references = list(_references(source, box))


def _check_items(items: _Items, source_bytes: int, limits: Limits) -> None:
    if items.read_bytes > READ_TIMES * source_bytes:
        msg = f"source: its items read {items.read_bytes} bytes of {source_bytes}; save it again with an image editor"
        raise DecompressionBomb(msg)
    tiles = sum(items.area(item) for reference in items.references for item in reference)
    if len(items.references) > MAX_DERIVED or tiles > READ_TIMES * limits.max_pixels:
        msg = (
            f"source: {len(items.references)} of its pictures are put together from {tiles} pixels, the limits are "
            f"{MAX_DERIVED} and {READ_TIMES * limits.max_pixels}; upload a smaller picture"
        )
        raise DecompressionBomb(msg)


def _area(source: bytes, box: Box) -> int:
    return number(source, box.at + 4, 4) * number(source, box.at + 8, 4) if box.kind == b"ispe" else 0


def _references(source: bytes, iref: Box) -> Iterator[tuple[int, ...]]:
    """Give what each derived picture is put together from."""
    width = 4 if source[iref.at] else 2
    for box in boxes(source, iref.at + 4, iref.end):
        if box.kind == b"dimg":
            begin = box.at + width + 2
            end = min(box.end, begin + width * number(source, begin - 2, 2))
            yield tuple(number(source, at, width) for at in range(begin, end, width))


def _associations(source: bytes, box: Box) -> Iterator[tuple[int, list[int]]]:
    """Give each item with the numbers of its properties."""
    id_bytes, wide = (4 if source[box.at] else 2), number(source, box.at + 1, 3) & 1
    at, width, mask = box.at + 8, 2 if wide else 1, 0x7FFF if wide else 0x7F
    while at + id_bytes < box.end:
        begin = at + id_bytes + 1
        end = begin + width * source[begin - 1]
        yield number(source, at, id_bytes), [number(source, one, width) & mask for one in range(begin, end, width)]
        at = end


def _extents(source: bytes, box: Box) -> Iterator[int]:
    """Give the length of each piece of each item; one beyond the end is of a file that was cut off, and is not read."""
    version, sizes = source[box.at], number(source, box.at + 4, 2)
    offset, length, base, index = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0
    id_bytes = 4 if version == 2 else 2
    at, count = box.at + 6 + id_bytes, 0
    head = id_bytes + (2 if version else 0) + 2 + base
    while at + head + 2 <= box.end:
        begin = at + head + 2
        at = begin + number(source, begin - 2, 2) * (index + offset + length)
        for extent in range(begin, min(at, box.end), max(1, index + offset + length)):
            count += 1
            check_chunks(count)
            start = number(source, begin - 2 - base, base) + number(source, extent + index, offset)
            size = number(source, extent + index + offset, length)
            yield size if start + size <= len(source) else 0


def _track(source: bytes, mvhd: Box, moov: Box) -> tuple[int, int]:
    """Return the number of frames and of plays.

    A file without an edit list plays for ever, as in browsers. Source: ISO/IEC 23008-12, 9.6.1; libavif, read.c.
    """
    frames, duration, segment, flags = 1, 0, 0, REPEAT
    for box in inner_boxes(source, moov.at, moov.end):
        wide = source[box.at] == 1 if box.at < len(source) else False
        if box.kind == b"stsz":
            frames = max(frames, number(source, box.at + 8, 4))
        elif box.kind == b"tkhd":
            at, width = (box.at + 28, 8) if wide else (box.at + 20, 4)
            duration = number(source, at, width)
            duration = 0 if duration == (1 << 8 * width) - 1 else duration
        elif box.kind == b"elst":
            flags = number(source, box.at + 1, 3)
            segment = number(source, box.at + 8, 8 if wide else 4)
    if not flags & REPEAT:
        return frames, 1
    return frames, -(-duration // segment) if segment and duration else FOR_EVER
