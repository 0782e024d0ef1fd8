"""BMP: sizes below zero, run lengths, palettes and masks that are none. Source: Microsoft, BITMAPINFOHEADER."""

import struct
from collections.abc import Iterator

from tests.hostile.attack import Attack, either, refused, shown
from tests.hostile.good import GOOD

MEBIBYTE = 1 << 20
TOO_BIG = ("TOO_MANY_PIXELS", "DECOMPRESSION_BOMB", "EXTREME_ASPECT_RATIO", "CORRUPT_IMAGE")


def bmp(
    width: int, height: int, data: bytes = b"", bits: int = 24, packing: int = 0, colours: int = 0, **more: int
) -> bytes:
    """A file with a header of 40 bytes; `start` and `planes` change what it says of them."""
    palette = bytes(4 * min(colours, 256))
    start = more.get("start", 54 + len(palette))
    info = struct.pack("<IiiHHIIiiII", 40, width, height, more.get("planes", 1), bits, packing, 0, 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(palette) + len(data), 0, 0, start) + info + palette + data


def attacks() -> Iterator[Attack]:
    """Every attack on BMP."""
    limit = 2**31 - 1
    for width, height in (
        (limit, limit),
        (20_000, 20_000),
        (65_535, 65_535),
        (limit, 1),
        (1, limit),
        (65_535, -65_535),
        (1, -limit - 1),
    ):
        yield refused("bmp bomb", f"says-{width}x{height}", lambda w=width, h=height: bmp(w, h), *TOO_BIG)
    for width, height in ((0, 0), (0, 9), (9, 0), (-9, 9), (-limit - 1, 9)):
        yield refused("bmp header", f"says-{width}x{height}", lambda w=width, h=height: bmp(w, h, bytes(999)))
    for bits in (1, 4, 8, 16, 24, 32):
        for height in (10_000, -10_000):
            name = f"{bits}-bits-100-megapixels-{'up' if height > 0 else 'down'}-without-data"
            colours = 1 << bits if bits <= 8 else 0
            yield either("bmp bomb", name, lambda b=bits, h=height, c=colours: bmp(10_000, h, bytes(99), b, colours=c))
    for bits in (0, 2, 3, 7, 48, 64, 65_535):
        yield either("bmp header", f"{bits}-bits", lambda b=bits: bmp(99, 99, bytes(99_999), b))
    yield from runs()
    yield from headers()
    yield shown("bmp header", "upside-down", lambda: bmp(9, -9, bytes(28 * 9)))


def runs() -> Iterator[Attack]:
    """Run lengths."""
    yield either(
        "bmp runs",
        "50-mebibytes-of-literals",
        lambda: bmp(10_000, 10_000, (b"\0\xff" + bytes(128)) * 400_000, 4, 2, 16),
    )
    for name, body in (
        ("runs", b"\xff\0" * 393_000),
        ("line-ends", b"\0\0" * MEBIBYTE),
        ("a-pixel-on-each-line", b"\1\0\0\0" * 10_000),
        ("a-pixel-and-jumps-on-each-line", (b"\1\0" + b"\0\2\0\0" * 200 + b"\0\0") * 10_000),
        ("jumps", b"\0\2\xff\xff" * MEBIBYTE),
        ("jumps-of-nothing", b"\0\2\0\0" * 4 * MEBIBYTE),
        ("literals", (b"\0\xff" + bytes(256)) * 9_999),
        ("literals-cut-off", b"\0\xff"),
        ("ends-at-once", b"\0\1"),
        ("empty", b""),
        ("runs-of-nothing", b"\0\0\0\2" * 9_999),
    ):
        for bits, packing in ((8, 1), (4, 2)):
            for side in (10_000, 99):
                file = f"{name}-{bits}-bits-{side}"
                yield either("bmp runs", file, lambda b=body, s=side, n=bits, p=packing: bmp(s, s, b, n, p, 1 << n))


def headers() -> Iterator[Attack]:
    """Numbers that lie."""
    for packing in (3, 4, 5, 6, 11, 2**32 - 1):
        for bits in (8, 16, 24, 32):
            name = f"packing-{packing}-{bits}-bits"
            yield either(
                "bmp header", name, lambda p=packing, b=bits: bmp(99, 99, bytes(40_000), b, p, 256 if b == 8 else 0)
            )
    for colours in (1, 257, 2**31, 2**32 - 1):
        yield either("bmp header", f"{colours}-colours", lambda c=colours: bmp(99, 99, bytes(40_000), 8, colours=c))
    for start in (0, 1, 54, 2**31, 2**32 - 1):
        yield either("bmp header", f"starts-at-{start}", lambda s=start: bmp(99, 99, bytes(40_000), start=s))
    for planes in (0, 2, 65_535):
        yield either("bmp header", f"{planes}-planes", lambda p=planes: bmp(99, 99, bytes(40_000), planes=p))
    good = GOOD["bmp"]()
    for size in (12, 40, 52, 56, 64, 108, 124):
        yield either("bmp header", f"header-of-{size}", lambda s=size: good[:14] + struct.pack("<I", s) + good[18:])
        yield refused(
            "bmp header", f"header-of-{size}-cut-off", lambda s=size: good[:14] + struct.pack("<I", s) + good[18:30]
        )
