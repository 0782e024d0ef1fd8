"""GIF: screens, frames, comments and the loop. Source: GIF89a specification, appendices A and D."""

import re
from dataclasses import dataclass
from typing import Final

from udfs.imaging.checks import check_chunks, check_metadata
from udfs.imaging.errors import CorruptImage
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

HEADER_BYTES: Final = 13
IMAGE: Final = 0x2C
TRAILER: Final = 0x3B
BLOCK: Final = re.compile(rb"[,!;]")  # Pillow and browsers step over stray bytes between blocks
NETSCAPE: Final = re.compile(rb"!\xff\x0bNETSCAPE2\.0\x03\x01(..)", re.DOTALL)

# Full blocks have 255 bytes, so 64 MiB of them are 263 thousand; this many take half a second to step over.
MAX_BLOCKS: Final = 4_000_000


@dataclass(slots=True)
class _Scan:
    """What was seen so far."""

    width: int
    height: int
    frames: int = 0
    stored_pixels: int = 0
    loop: int = 1
    metadata_bytes: int = 0
    parts: int = 0
    blocks: int = 0


def read_gif(source: bytes, limits: Limits) -> Header:
    """Step over all blocks; counting ends at one frame more than the limit, and a missing trailer is forgiven.

    Without the Netscape extension an animation plays once. A number n there asks for n repetitions after the first
    time, as browsers take it and ImageMagick writes it; 0 is for ever.

    Raises CorruptImage for data that end inside a block, MetadataTooLarge for comments beyond the limit.
    """
    try:
        scan = _scan(source, limits)
    except IndexError:
        msg = f"source: the gif ends inside a block, after {len(source)} bytes; upload the whole file"
        raise CorruptImage(msg) from None
    loop = scan.loop if scan.frames > 1 else None
    return Header((scan.width, scan.height), scan.frames, loop, scan.stored_pixels)


def _scan(source: bytes, limits: Limits) -> _Scan:
    scan = _Scan(_number(source, 6), _number(source, 8))
    end = HEADER_BYTES + _palette_bytes(source[10])
    found = BLOCK.search(source, end)
    while found and source[found.start()] != TRAILER and scan.frames <= limits.max_frames:
        at = found.start()
        scan.parts += 1 + at - end  # Pillow steps over stray bytes one by one
        check_chunks(scan.parts)
        if source[at] == IMAGE:
            end = _image(scan, source, at)
        else:
            end = _extension(scan, source, at)
            check_metadata(scan.metadata_bytes, limits)
        found = BLOCK.search(source, end)
    return scan


def _image(scan: _Scan, source: bytes, at: int) -> int:
    """Take a frame in and return where it ends. A frame beyond the screen makes Pillow's canvas larger."""
    width, height = _number(source, at + 5), _number(source, at + 7)
    scan.frames += 1
    scan.stored_pixels += width * height
    scan.width = max(scan.width, _number(source, at + 1) + width)
    scan.height = max(scan.height, _number(source, at + 3) + height)
    return _after_blocks(scan, source, at + 11 + _palette_bytes(source[at + 9]))


def _extension(scan: _Scan, source: bytes, at: int) -> int:
    end = _after_blocks(scan, source, at + 2)
    scan.metadata_bytes += end - at
    if netscape := NETSCAPE.match(source, at):
        times = _number(netscape[1], 0)
        scan.loop = times + 1 if times else 0
    return end


def _after_blocks(scan: _Scan, source: bytes, at: int) -> int:
    while source[at]:
        at += source[at] + 1
        scan.blocks += 1
        if scan.blocks > MAX_BLOCKS:
            msg = f"source: the gif is cut into more than {MAX_BLOCKS} blocks; save it again with an image editor"
            raise CorruptImage(msg)
    return at + 1


def _number(source: bytes, at: int) -> int:
    return source[at] | source[at + 1] << 8


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
