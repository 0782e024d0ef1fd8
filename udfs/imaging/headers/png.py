"""PNG and APNG: size, frames, loop, and texts and profiles as long as they are unpacked. Source: PNG, third edition."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from PIL.PngImagePlugin import MAX_TEXT_CHUNK

from udfs.imaging.checks import check_chunks, check_metadata
from udfs.imaging.errors import MetadataTooLarge
from udfs.imaging.headers.header import Header
from udfs.imaging.limits import Limits

SIGNATURE_BYTES: Final = 8
METADATA: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf"})


def read_png(source: bytes, limits: Limits) -> Header:
    """Step over the chunks; counting ends at one frame more than the limit.

    Frames are those that are there, whatever the animation's own chunk says. The picture that players without
    animation show counts only if it is one of the frames.

    Raises MetadataTooLarge.
    """
    size, plays, frames, stored_pixels, metadata_bytes = None, None, 0, 0, 0
    for kind, at, length in png_chunks(source):
        if kind == b"IHDR" and length >= 8:
            size = _pair(source, at)
        elif kind == b"acTL" and length >= 8:
            plays = _pair(source, at)[1]
        elif kind == b"fcTL" and length >= 12:
            width, height = _pair(source, at + 4)
            frames, stored_pixels = frames + 1, stored_pixels + width * height
        elif kind in METADATA:
            metadata_bytes += length + _unpacked_bytes(kind, source[at : at + length])
            check_metadata(metadata_bytes, limits)
        if frames > limits.max_frames:
            break
    if plays is None or frames < 2:
        return Header(size)
    return Header(size, frames, plays, stored_pixels)


def png_chunks(source: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Give kind, begin and length of every chunk that is whole.

    Raises MetadataTooLarge for more chunks than any program writes.
    """
    at, count = SIGNATURE_BYTES, 0
    while at + 12 <= len(source):
        length = int.from_bytes(source[at : at + 4], "big")
        kind = source[at + 4 : at + 8]
        if at + 12 + length > len(source) or kind == b"IEND":
            return
        yield kind, at + 8, length
        at += 12 + length
        count += 1
        check_chunks(count)


def _unpacked_bytes(kind: bytes, body: bytes) -> int:
    """Unpack up to Pillow's limit for one chunk, which is not ours to change, and count."""
    packed = _packed(kind, body)
    unpacker = zlib.decompressobj()
    try:
        unpacked = len(unpacker.decompress(packed, MAX_TEXT_CHUNK))
    except zlib.error:  # a damaged text; whether the picture is of use all the same, the decoder says
        return 0
    if unpacker.unconsumed_tail:
        name = kind.decode()
        msg = f"source: its {name} chunk unpacks to more than {MAX_TEXT_CHUNK} bytes; save it without metadata"
        raise MetadataTooLarge(msg)
    return unpacked


def _packed(kind: bytes, body: bytes) -> bytes:
    """Return the deflated part of a chunk, empty where there is none."""
    _, _, rest = body.partition(b"\0")
    if kind in (b"zTXt", b"iCCP"):
        return rest[1:]
    if kind == b"iTXt" and rest[:1] == b"\1":
        return rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    return b""


def _pair(source: bytes, at: int) -> tuple[int, int]:
    first, second = struct.unpack_from(">II", source, at)
    return first, second
