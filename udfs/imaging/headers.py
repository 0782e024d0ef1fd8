"""Header facts that Pillow gives only after doing work in proportion to the picture: read from the bytes, bounded."""

from typing import Final

from udfs.imaging.errors import CorruptImage

GIF_HEADER_BYTES: Final = 13
GIF_IMAGE: Final = 0x2C
GIF_EXTENSION: Final = 0x21
GIF_TRAILER: Final = 0x3B


def gif_frames(source: bytes, stop_after: int) -> int:
    """Count the frames of a GIF without decoding one; counting ends once `stop_after` is passed.

    Source: GIF89a specification, appendix A. A missing trailer is forgiven, as browsers do.

    Raises CorruptImage for data that end inside a block.
    """
    try:
        return _count_gif_frames(source, stop_after)
    except IndexError:
        msg = f"source: the gif ends inside a block, after {len(source)} bytes; upload the whole file"
        raise CorruptImage(msg) from None


def _count_gif_frames(source: bytes, stop_after: int) -> int:
    frames = 0
    at = GIF_HEADER_BYTES + _gif_palette_bytes(source[10])
    while at < len(source) and source[at] != GIF_TRAILER and frames <= stop_after:
        if source[at] == GIF_IMAGE:
            frames += 1
            at = _after_gif_blocks(source, at + 11 + _gif_palette_bytes(source[at + 9]))
        elif source[at] == GIF_EXTENSION:
            at = _after_gif_blocks(source, at + 2)
        else:
            at += 1  # Pillow and browsers step over stray bytes between blocks
    return frames


def _gif_palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_gif_blocks(source: bytes, at: int) -> int:
    while source[at]:
        at += source[at] + 1
    return at + 1


def webp_size(source: bytes) -> tuple[int, int]:
    """Return the canvas (width, height) in pixels that a WebP header announces, (1, 1) where there is none to read.

    Pillow allocates the canvas while it opens the file; this comes before. Source: RFC 9649, section 2.
    """
    chunk = source[12:16]
    if chunk == b"VP8X" and len(source) >= 30:
        return int.from_bytes(source[24:27], "little") + 1, int.from_bytes(source[27:30], "little") + 1
    if chunk == b"VP8L" and len(source) >= 25:
        bits = int.from_bytes(source[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(source) >= 30:
        return int.from_bytes(source[26:28], "little") & 0x3FFF, int.from_bytes(source[28:30], "little") & 0x3FFF
    return 1, 1
