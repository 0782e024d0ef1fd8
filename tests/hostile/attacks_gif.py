"""GIF: screens larger than their frames, LZW bombs, endless frames and floods of blocks."""

import struct
from collections.abc import Iterator

from tests.hostile.attack import Attack, either, refused, shown
from tests.hostile.good import GOOD
from tests.hostile.lzw import packed_low_first, run_codes

MEBIBYTE = 1 << 20
DOT = b"\x02\x02\x4c\x01\0"  # two-bit roots: one pixel of value 1
TOO_BIG = ("TOO_MANY_PIXELS", "DECOMPRESSION_BOMB", "EXTREME_ASPECT_RATIO")
TOO_LONG = ("TOO_MANY_FRAMES", "TOO_MANY_PIXELS", "DECOMPRESSION_BOMB")


def screen(width: int, height: int, flags: int = 0x80) -> bytes:
    """Header and a palette of two colours."""
    return (
        b"GIF89a" + struct.pack("<HHBBB", width, height, flags, 0, 0) + (b"\0\0\0\xff\xff\xff" if flags & 0x80 else b"")
    )


def image(width: int = 1, height: int = 1, left: int = 0, top: int = 0, flags: int = 0, data: bytes = DOT) -> bytes:
    """One image block."""
    return b"\x2c" + struct.pack("<HHHHB", left, top, width, height, flags) + data


def blocks(data: bytes, root_bits: int = 2) -> bytes:
    """LZW data cut into blocks of 255."""
    cut = (data[at : at + 255] for at in range(0, len(data), 255))
    return bytes((root_bits,)) + b"".join(bytes((len(part),)) + part for part in cut) + b"\0"


def flat(width: int, height: int, spill: int = 0) -> bytes:
    """An image whose pixels are all 0, with `spill` pixels too many."""
    return image(width, height, data=blocks(packed_low_first(run_codes(2, width * height + spill))))


def attacks() -> Iterator[Attack]:
    """Every attack on GIF."""
    yield from sizes()
    yield from frames()
    yield from floods()
    yield from codes()


def sizes() -> Iterator[Attack]:
    """Screens and frames."""
    for side in (20_000, 65_535):
        yield refused("gif bomb", f"screen-{side}x{side}", lambda s=side: screen(s, s) + image() + b";", *TOO_BIG)
    yield refused(
        "gif bomb", "frame-65535x65535", lambda: screen(1, 1) + image(65_535, 65_535) + b";", *TOO_BIG, "CORRUPT_IMAGE"
    )
    yield refused(
        "gif bomb",
        "frame-far-away",
        lambda: screen(1, 1) + image(9, 9, 65_000, 65_000) + b";",
        *TOO_BIG,
        "CORRUPT_IMAGE",
    )
    yield refused("gif header", "screen-0x0", lambda: screen(0, 0) + image(0, 0) + b";")
    yield either("gif header", "screen-0x0-frame-1x1", lambda: screen(0, 0) + image() + b";")
    yield either("gif bomb", "screen-of-100-megapixels", lambda: screen(10_000, 10_000) + image() + b";")
    yield either("gif bomb", "100-megapixels-of-nothing", lambda: screen(10_000, 10_000) + flat(10_000, 10_000) + b";")
    yield either("gif bomb", "more-pixels-than-announced", lambda: screen(9, 9) + flat(9, 9, spill=20_000_000) + b";")
    for count in (2, 10, 200):
        late = screen(10_000, 10_000) + (image() + image(10_000, 10_000)) * count
        yield either("gif bomb", f"screen-of-100-megapixels-{count}-frames", lambda d=late: d + b";")
    second = screen(1, 1) + image() + image(60_000, 60_000)
    yield either("gif bomb", "second-frame-is-giant", lambda: second + b";")
    yield either("gif bomb", "a-line-65535-long", lambda: screen(65_535, 1) + flat(65_535, 1) + b";")


def frames() -> Iterator[Attack]:
    """Endless animations."""
    shape = screen(1, 1)
    for count in (5_001, 100_000, 3_000_000):
        yield refused("gif frames", f"{count}-frames", lambda n=count: shape + image() * n + b";", *TOO_LONG)
    yield either("gif frames", "5000-frames", lambda: shape + image() * 5_000 + b";")
    timed = b"\x21\xf9\x04\x09\0\0\1\0" + image()
    yield either("gif frames", "4000-frames-with-controls", lambda: screen(100, 100) + timed * 4_000 + b";")
    yield refused(
        "gif frames", "1000-frames-of-4-megapixels", lambda: screen(2000, 2000) + image() * 1_000 + b";", *TOO_LONG
    )
    yield either("gif frames", "1000-of-1000x1000", lambda: screen(1_000, 1_000) + image() * 999 + b";")
    yield either("gif frames", "999-full-of-1000x1000", lambda: screen(1_000, 1_000) + flat(1_000, 1_000) * 999 + b";")
    yield either("gif frames", "endless-without-trailer", lambda: shape + image() * 4_000)
    yield either(
        "gif frames", "loops-for-ever", lambda: shape + b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0" * 9_999 + image() + b";"
    )


def floods() -> Iterator[Attack]:
    """Blocks that hold nothing."""
    for name, flood in (
        ("empty-comments", b"\x21\xfe\0"),
        ("small-comments", b"\x21\xfe\1x\0"),
        ("controls", b"\x21\xf9\4\0\0\0\0\0"),
        ("unknown-extensions", b"\x21\x77\0"),
        ("loops", b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0"),
        ("zeros", b"\0"),
        ("noise", b"\x55"),
    ):
        many = 60 * MEBIBYTE // len(flood)
        yield either("gif flood", name, lambda f=flood, n=many: screen(1, 1) + f * n + image() + b";")
        yield either("gif flood", f"{name}-behind", lambda f=flood, n=many: screen(1, 1) + image() + f * n + b";")
    yield either(
        "gif flood",
        "one-long-comment",
        lambda: screen(1, 1) + b"\x21\xfe" + b"\1x" * 30 * MEBIBYTE + b"\0" + image() + b";",
    )
    yield either(
        "gif flood",
        "one-long-frame",
        lambda: screen(9, 9) + image(9, 9, data=b"\2" + b"\1\x44" * 30 * MEBIBYTE + b"\0;"),
    )


def codes() -> Iterator[Attack]:
    """LZW data that no encoder writes."""
    for bits in (0, 1, 9, 12, 13, 32, 255):
        yield either(
            "gif codes",
            f"root-of-{bits}-bits",
            lambda b=bits: screen(9, 9) + image(9, 9, data=bytes((b,)) + DOT[1:]) + b";",
        )
    for name, data in (
        ("nothing-but-clear", b"\x24\x49\x92" * 80),
        ("ends-at-once", b"\x05"),
        ("unknown-code", b"\x3c\xff\xff"),
        ("all-ones", b"\xff" * 250),
        ("no-clear", b"\x11" * 250),
    ):
        yield either("gif codes", name, lambda d=data: screen(90, 90) + image(90, 90, data=blocks(d)) + b";")
    yield either(
        "gif codes",
        "clear-for-60-mebibytes",
        lambda: screen(9, 9) + image(9, 9, data=blocks(b"\x24\x49\x92" * 20 * MEBIBYTE)) + b";",
    )
    yield either("gif codes", "no-blocks", lambda: screen(9, 9) + image(9, 9, data=b"\2\0") + b";")
    yield refused("gif codes", "no-images", lambda: screen(9, 9) + b";")
    yield refused("gif codes", "header-only", lambda: screen(9, 9))
    yield either("gif codes", "no-palette", lambda: screen(9, 9, 0) + image(9, 9, data=blocks(b"\x44" * 40)) + b";")
    yield either("gif codes", "palette-cut-off", lambda: screen(9, 9, 0xF7)[:40])
    yield shown("gif codes", "bytes-behind-the-end", lambda: GOOD["gif"]() + b"<script>alert(1)</script>" * 99)
