"""TIFF and BigTIFF: pages, and what the first one asks of a reader. Source: TIFF 6.0, section 2; Aldus/Adobe notes.

Directories are followed without reading their values: Pillow reads all values of each, and pages may form a ring.
"""

from dataclasses import dataclass
from typing import Final, Literal

from udfs.imaging.checks import check_chunks, check_metadata, check_size
from udfs.imaging.errors import CorruptImage, UnsupportedFormat
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

VALUE_BYTES: Final = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | dict.fromkeys((16, 17, 18), 8)
SUBFILE_KIND: Final = 254
WIDTH: Final = 256
HEIGHT: Final = 257
TILE_WIDTH: Final = 322
TILE_HEIGHT: Final = 323
SUB_DIRECTORIES: Final = 330
DNG_VERSION: Final = 50706
REDUCED_IMAGE: Final = 1

PIXELS_AT: Final = frozenset({273, 279, 324, 325})  # offsets and lengths of strips and tiles
PHOTOSHOP_LAYERS: Final = 37724  # half of many a large file, and read once
NO_METADATA: Final = PIXELS_AT | {PHOTOSHOP_LAYERS}

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class _Layout:
    """How directories are laid out: classic TIFF, or BigTIFF with 8 bytes where it has 4."""

    order: Order
    count_bytes: int
    entry_bytes: int
    offset_bytes: int
    first_at: int

    def number(self, source: bytes, at: int, length: int) -> int:
        return int.from_bytes(source[at : at + length], self.order)

    def entries(self, source: bytes, at: int) -> int:
        return self.number(source, at, self.count_bytes)

    def following(self, source: bytes, at: int) -> int:
        end = at + self.count_bytes + self.entries(source, at) * self.entry_bytes
        return self.number(source, end, self.offset_bytes)


def read_tiff(source: bytes, limits: Limits) -> Header:
    """Count the pages, up to one more than the limit, and look at the tags of the first.

    Raises CorruptImage, TooManyPixels for a tile beyond the limits, MetadataTooLarge, or UnsupportedFormat for the raw
    data of a camera, whose first page is only a thumbnail.
    """
    layout = _layout(source)
    first = layout.number(source, layout.first_at, layout.offset_bytes)
    seen: set[int] = set()
    at = first
    while 0 < at <= len(source) - layout.count_bytes and at not in seen and len(seen) <= limits.max_frames:
        seen.add(at)
        at = layout.following(source, at)
    if not seen:
        msg = f"source: the tiff has no directory at byte {first}; upload the whole, undamaged file"
        raise CorruptImage(msg)
    return Header(_check_tags(_tags(source, layout, first, limits), limits), len(seen))


def _layout(source: bytes) -> _Layout:
    order: Order = "little" if source[:2] == b"II" else "big"
    if int.from_bytes(source[2:4], order) == 43:
        return _Layout(order, count_bytes=8, entry_bytes=20, offset_bytes=8, first_at=8)
    return _Layout(order, count_bytes=2, entry_bytes=12, offset_bytes=4, first_at=4)


def _tags(source: bytes, layout: _Layout, at: int, limits: Limits) -> dict[int, int]:
    """Return the first value of each tag, as far as it is a number that stands in the directory itself."""
    values, metadata_bytes, width = {}, 0, layout.offset_bytes
    begin = at + layout.count_bytes
    end = min(begin + layout.entries(source, at) * layout.entry_bytes, len(source) - layout.entry_bytes + 1)
    for entry in range(begin, end, layout.entry_bytes):
        tag = layout.number(source, entry, 2)
        count = layout.number(source, entry + 4, width)
        unit = VALUE_BYTES.get(layout.number(source, entry + 2, 2), 0)
        length = unit * count
        values[tag] = layout.number(source, entry + 4 + width, min(unit, width))
        if tag in PIXELS_AT:
            check_chunks(count)
        if tag not in NO_METADATA and width < length <= len(source):  # longer than the file: Pillow leaves it out
            metadata_bytes += length
            check_metadata(metadata_bytes, limits)
    return values


def _check_tags(tags: dict[int, int], limits: Limits) -> tuple[int, int] | None:
    thumbnail = tags.get(SUBFILE_KIND) == REDUCED_IMAGE and SUB_DIRECTORIES in tags
    if DNG_VERSION in tags or thumbnail:
        msg = "source: its content is camera raw in a tiff, which is not accepted; develop it and upload a jpeg"
        raise UnsupportedFormat(msg)
    if TILE_WIDTH in tags and TILE_HEIGHT in tags:  # a decoder allocates whole tiles
        check_size(max(1, tags[TILE_WIDTH]), max(1, tags[TILE_HEIGHT]), limits)
    return (tags[WIDTH], tags[HEIGHT]) if WIDTH in tags and HEIGHT in tags else None
