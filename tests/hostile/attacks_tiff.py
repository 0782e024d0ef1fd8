"""TIFF: strips that unpack to gigabytes, directories that turn in circles, tags that count too far."""

import struct
from collections.abc import Iterator

from tests.hostile.attack import Attack, either, refused
from tests.hostile.lzw import packed_high_first, run_codes
from tests.hostile.png_chunks import zeros
from tests.hostile.tiff_writer import (
    LONG,
    SHORT,
    START,
    Entry,
    basic,
    behind,
    directory,
    directory_bytes,
    one_strip,
    tiff,
)

MEBIBYTE = 1 << 20
TOO_BIG = ("TOO_MANY_PIXELS", "EXTREME_ASPECT_RATIO", "DECOMPRESSION_BOMB")
TOO_LONG = ("TOO_MANY_FRAMES", "TOO_MANY_PIXELS", "CORRUPT_IMAGE")
SAMPLES, PLANES, FORMAT = 277, 284, 339


def attacks() -> Iterator[Attack]:
    """Every attack on TIFF."""
    yield from bombs()
    yield from directories()
    yield from counts()
    yield from layouts()


def bombs() -> Iterator[Attack]:
    """Much from little."""
    for width, height in ((2**32 - 1, 2**32 - 1), (20_000, 20_000), (65_535, 65_535), (2**31, 1), (1, 2**31)):
        yield refused("tiff bomb", f"says-{width}x{height}", lambda w=width, h=height: one_strip(w, h, b"x"), *TOO_BIG)
    for width, height in ((0, 0), (0, 9), (9, 0)):
        yield refused("tiff header", f"says-{width}x{height}", lambda w=width, h=height: one_strip(w, h, b"x"))
    yield either("tiff bomb", "deflate", lambda: one_strip(10_000, 10_000, zeros(100_000_000), 8))
    yield either("tiff bomb", "deflate-more-than-announced", lambda: one_strip(90, 90, zeros(900 * MEBIBYTE), 8))
    yield either("tiff bomb", "deflate-less-than-announced", lambda: one_strip(9_000, 9_000, zeros(9_000), 8))
    yield either("tiff bomb", "lzw", lambda: one_strip(10_000, 10_000, lzw(), 5))
    yield either("tiff bomb", "lzw-more-than-announced", lambda: one_strip(90, 90, lzw(), 5))
    for compression in (2, 3, 4):
        fax = one_strip(10_000, 10_000, b"\xff" * 2_000, compression, bits=1)
        yield either("tiff bomb", f"fax-{compression}", lambda f=fax: f)
        wide = one_strip(65_535, 1_500, b"\xff" * 2_000, compression, bits=1)
        yield either("tiff bomb", f"fax-{compression}-wide", lambda f=wide: f)
    yield either("tiff bomb", "packbits", lambda: one_strip(10_000, 10_000, b"\x81\0" * 800_000, 32_773))
    for compression in (6, 7, 99, 34_661, 34_676, 34_677, 34_712, 34_892, 34_925, 50_000, 50_001, 65_000):
        for side in (10_000, 99):
            odd = one_strip(side, side, zeros(99_999), compression)
            yield either("tiff bomb", f"compression-{compression}-{side}", lambda o=odd: o)
    yield either("tiff bomb", "64-bit-samples", lambda: one_strip(10_000, 10_000, zeros(800_000_000), 8, bits=64))
    yield either("tiff bomb", "32-bit-samples", lambda: one_strip(10_000, 10_000, zeros(400_000_000), 8, bits=32))
    colours = [Entry(FORMAT, SHORT, 1, 3)]
    yield either("tiff bomb", "floating", lambda: one_strip(10_000, 10_000, zeros(400_000_000), 8, colours, bits=32))


def lzw() -> bytes:
    """A hundred million zeros."""
    return packed_high_first(run_codes(8, 100_000_000, early=1))


def linked(count: int, following_of_last: int, entries: list[Entry] | None = None) -> bytes:
    """A chain of `count` directories."""
    tags = sorted(entries or basic(1, 1), key=lambda entry: entry.tag)
    each = directory_bytes(len(tags))
    chain = b"".join(directory(tags, START + each * (number + 1)) for number in range(count - 1))
    return b"II*\0" + struct.pack("<I", START) + chain + directory(tags, following_of_last)


def directories() -> Iterator[Attack]:
    """Directories that follow each other."""
    dot = [*basic(1, 1), Entry(273, LONG, 1, 0), Entry(278, LONG, 1, 1), Entry(279, LONG, 1, 1)]
    yield either("tiff directories", "follows-itself", lambda: linked(1, START, dot))
    yield either("tiff directories", "two-in-a-circle", lambda: linked(2, START, dot))
    yield either("tiff directories", "1000-in-a-circle", lambda: linked(1_000, START, dot))
    yield either("tiff directories", "enters-its-own-middle", lambda: linked(3, START + 1, dot))
    for count in (5_000, 5_002, 60_000, 400_000):
        yield either("tiff directories", f"{count}-pages", lambda n=count: linked(n, 0, dot))
    yield either("tiff directories", "beyond-the-end", lambda: linked(2, 2**32 - 1, dot))
    yield refused("tiff directories", "first-beyond-the-end", lambda: b"II*\0\xff\xff\xff\xff" + bytes(99))
    yield refused("tiff directories", "first-is-nowhere", lambda: b"II*\0\0\0\0\0" + bytes(99))
    yield refused("tiff directories", "first-is-the-header", lambda: b"II*\0\2\0\0\0" + bytes(99))
    for tag in (330, 34_665, 34_853, 40_965):
        for kind in (LONG, 13):
            for name, at in (("itself", START), ("the-header", 0), ("beyond", 2**32 - 2)):
                file = one_strip(9, 9, bytes(81), extra=[Entry(tag, kind, 1, at)])
                yield either("tiff directories", f"{tag}-as-{kind}-is-{name}", lambda f=file: f)
    nested = [Entry(330, LONG, 4, START), Entry(34_665, LONG, 1, START)]
    yield either("tiff directories", "sub-directories-in-circles", lambda: one_strip(9, 9, bytes(81), extra=nested))
    big = struct.pack("<4sHHQ", b"II+\0", 8, 0, 16)
    yield refused("tiff directories", "big-with-2^63-tags", lambda: big + struct.pack("<Q", 2**63) + bytes(999))
    yield refused("tiff directories", "big-follows-itself", lambda: big + struct.pack("<QQ", 0, 16))


def counts() -> Iterator[Attack]:
    """Tags whose values are many, far away, or the same bytes again and again."""
    for tag in (258, 273, 277, 278, 279, 282, 320, 322, 324, 325, 338, 339, 347, 700, 33_723, 34_377, 34_675, 65_000):
        for name, count, at in (
            ("2^31", 2**31, 8),
            ("2^32-1", 2**32 - 1, 8),
            ("beyond", 99, 2**32 - 2),
            ("none", 0, 0),
        ):
            file = one_strip(9, 9, bytes(81), extra=[Entry(tag, LONG, count, at)])
            yield either("tiff counts", f"{tag}-{name}", lambda f=file: f)
    for tags, mebibytes, kind in (
        (30, 8, 1),
        (400, 8, 1),
        (4_000, 2, 7),
        (60_000, 1, 2),
        (40, 32, 5),
        (40, 32, 12),
        (40, 32, 3),
    ):
        name = f"{tags}-tags-share-{mebibytes}-mebibytes-as-{kind}"
        yield either("tiff counts", name, lambda t=tags, m=mebibytes, k=kind: shared(t, m * MEBIBYTE, k))
    yield either("tiff counts", "65535-tags", lambda: tiff([Entry(n, LONG, 1, 9) for n in range(65_535)], bytes(99)))
    yield either(
        "tiff counts",
        "the-same-tag-60000-times",
        lambda: tiff([*basic(9, 9), *[Entry(256, LONG, 1, 9)] * 60_000], bytes(99)),
    )
    for kind in (0, 14, 16, 129, 255, 65_535):
        yield either(
            "tiff counts", f"kind-{kind}", lambda k=kind: one_strip(9, 9, bytes(81), extra=[Entry(270, k, 9, 9)])
        )


def shared(tags: int, size_bytes: int, kind: int) -> bytes:
    """Private tags that all hold the same bytes."""
    unit = {1: 1, 2: 1, 3: 2, 5: 8, 7: 1, 12: 8}[kind]
    extra = [
        Entry(700 if n == 0 else min(40_000 + n, 65_535), kind, size_bytes // unit, behind(tags + 9))
        for n in range(tags)
    ]
    return one_strip(9, 9, bytes(81) + b"x" * size_bytes, extra=extra)


def strips(count: int) -> bytes:
    """A picture of so many strips, of which it has rows for 2000."""
    entries = [*basic(2_000, 2_000), Entry(278, LONG, 1, 1)]
    at = behind(len(entries) + 2)
    places = [Entry(273, LONG, count, at), Entry(279, LONG, count, at)]
    return tiff([*entries, *places], struct.pack("<I", 8) * count)


def layouts() -> Iterator[Attack]:
    """Strips, tiles and samples that do not fit together."""
    for rows in (0, 1, 2**31, 2**32 - 1):
        entries = [*basic(2_000, 2_000, 8), Entry(278, LONG, 1, rows)]
        packed = zeros(4_000_000)
        at = behind(len(entries) + 2)
        file = tiff([*entries, Entry(273, LONG, 1, at), Entry(279, LONG, 1, len(packed))], packed)
        yield either("tiff layout", f"{rows}-rows-per-strip", lambda f=file: f)
    for count in (2_000, 200_000, 8_000_000):
        yield either("tiff layout", f"{count}-strips-in-one-place", lambda n=count: strips(n))
    for width, height in ((0, 0), (16, 16), (17, 17), (2**31, 16), (65_536, 65_536), (2**32 - 16, 2**32 - 16)):
        for compression in (1, 5, 7, 8):
            tiles = [*basic(2_000, 2_000, compression), Entry(322, LONG, 1, width), Entry(323, LONG, 1, height)]
            at = behind(len(tiles) + 2)
            file = tiff([*tiles, Entry(324, LONG, 1, at), Entry(325, LONG, 1, 99)], zeros(99_999))
            yield either("tiff layout", f"tiles-{width}x{height}-{compression}", lambda f=file: f)
    for samples in (0, 2, 5, 255, 65_535):
        for planes in (1, 2, 3):
            file = one_strip(
                99, 99, bytes(9_999), extra=[Entry(SAMPLES, SHORT, 1, samples), Entry(PLANES, SHORT, 1, planes)]
            )
            yield either("tiff layout", f"{samples}-samples-in-{planes}", lambda f=file: f)
    for photometric in (0, 2, 3, 4, 5, 6, 8, 9, 32_803, 34_892, 65_535):
        file = one_strip(99, 99, bytes(99_999), photometric=photometric)
        yield either("tiff layout", f"photometric-{photometric}", lambda f=file: f)
    for orientation in (0, 5, 9, 65_535):
        file = one_strip(99, 33, bytes(9_999), extra=[Entry(274, SHORT, 1, orientation)])
        yield either("tiff layout", f"orientation-{orientation}", lambda f=file: f)
    predictor = one_strip(99, 99, zeros(9_801), 8, extra=[Entry(317, SHORT, 1, 3)])
    yield either("tiff layout", "predictor-3-of-8-bits", lambda: predictor)
