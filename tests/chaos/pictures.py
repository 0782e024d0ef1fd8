"""What the load stores as sources: small real photographs, no two with the same bytes, and what is no good picture."""

import io
import random
import struct
import zlib
from functools import cache
from pathlib import Path

from PIL import Image

from tests.chaos.journal import GOOD

PHOTOS = Path(__file__).parents[1] / "photos"
LONGER_SIDES = (320, 450, 600)
HUGE_SIDE = 60_000
MISSING = "SOURCE_MISSING"  # bad in that it is never stored


@cache
def photographs() -> tuple[bytes, ...]:
    """Return every photograph in every size, as JPEG."""
    return tuple(_resized(path, side) for path in sorted(PHOTOS.glob("*.[jp][pn]g")) for side in LONGER_SIDES)


def photograph(chance: random.Random) -> bytes:
    """Return a photograph that no other has the bytes of: a comment behind the JPEG's first marker tells it apart."""
    comment = chance.randbytes(16)
    data = chance.choice(photographs())
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + data[2:]


def cut_short(chance: random.Random) -> bytes:
    """Return the first half of a photograph."""
    whole = photograph(chance)
    return whole[: len(whole) // 2]


def prose(chance: random.Random) -> bytes:
    """Return text that is no image."""
    return b"this is no picture: " + chance.randbytes(32).hex().encode()


def enormous(chance: random.Random) -> bytes:
    """Return a PNG of a few bytes whose header announces billions of pixels."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", HUGE_SIDE, HUGE_SIDE - chance.randrange(999), 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", zlib.compress(bytes(64))) + _chunk(b"IEND", b"")


def nothing(_: random.Random) -> bytes:
    """Return no bytes."""
    return b""


BAD = {
    "CORRUPT_IMAGE": cut_short,
    "NOT_AN_IMAGE": prose,
    "TOO_MANY_PIXELS": enormous,
    "SOURCE_EMPTY": nothing,
    MISSING: nothing,
}
"""How to make a bad source, by the reason for which its event has to be rejected."""


def made(content: str, chance: random.Random) -> bytes:
    """Return the bytes of a source that is GOOD, or bad for the reason given."""
    return photograph(chance) if content == GOOD else BAD[content](chance)


def _resized(path: Path, side: int) -> bytes:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return file.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
