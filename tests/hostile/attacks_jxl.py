"""JPEG XL: headers of a giant, and boxes that pack. Source: ISO/IEC 18181-1, annex D, and 18181-2."""

import struct
from collections.abc import Iterator
from functools import partial

import numpy as np
import pylibjxl

from tests.hostile.attack import Attack, either, refused, seeded, shown
from tests.hostile.boxes import box
from tests.hostile.good import GOOD

MEBIBYTE = 1 << 20
TOO_BIG = ("TOO_MANY_PIXELS", "DECOMPRESSION_BOMB", "EXTREME_ASPECT_RATIO", "CORRUPT_IMAGE")
CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl ", bytes(4), b"jxl ")


class Bits:
    """Bits, the lowest first."""

    def __init__(self) -> None:
        self.value, self.count = 0, 0

    def put(self, value: int, bits: int) -> "Bits":
        """Append some bits."""
        self.value |= value << self.count
        self.count += bits
        return self

    def packed(self) -> bytes:
        """Fill up with zeros."""
        return self.value.to_bytes(-(-self.count // 8), "little")


def codestream(width: int, height: int, rest: bytes = bytes(99)) -> bytes:
    """A size of thirty bits each, default metadata and whatever follows."""
    bits = Bits().put(0, 1).put(3, 2).put(height - 1, 30).put(0, 3).put(3, 2).put(width - 1, 30).put(1, 1)
    return b"\xff\x0a" + bits.packed() + rest


def flat(width: int, height: int, channels: int = 1, bits: int = 8) -> bytes:
    """A black picture, some kilobytes long."""
    samples = np.zeros((height, width, channels), np.uint8 if bits == 8 else np.uint16)
    return bytes(pylibjxl.encode(samples, effort=1, lossless=True))


def attacks() -> Iterator[Attack]:
    """Every attack on JPEG XL."""
    for width, height in (
        (2**30, 2**30),
        (20_000, 20_000),
        (65_535, 65_535),
        (2**30, 1),
        (1, 2**30),
        (100_000, 100_000),
    ):
        size = f"says-{width}x{height}"
        yield refused("jxl bomb", size, lambda w=width, h=height: codestream(w, h), *TOO_BIG)
        boxed = CONTAINER + box(b"jxlc", codestream(width, height))
        yield refused("jxl bomb", f"{size}-boxed", lambda b=boxed: b, *TOO_BIG)
        parts = box(b"jxlp", struct.pack(">I", 0), codestream(width, height)[:5])
        parts += box(b"jxlp", struct.pack(">I", 2**31 | 1), codestream(width, height)[5:])
        yield refused("jxl bomb", f"{size}-in-parts", lambda p=parts: CONTAINER + p, *TOO_BIG)
        crumbs = b"".join(
            box(b"jxlp", struct.pack(">I", n), bytes((b,))) for n, b in enumerate(codestream(width, height))
        )
        yield refused("jxl bomb", f"{size}-in-crumbs", lambda c=crumbs: CONTAINER + c, *TOO_BIG)
    for channels, depth in ((1, 8), (3, 8), (4, 8), (1, 16)):
        nothing = partial(flat, 10_000, 10_000, channels, depth)
        yield either("jxl bomb", f"100-megapixels-of-nothing-{channels}-{depth}", nothing)
    yield either("jxl bomb", "a-line-65535-long", lambda: flat(65_535, 1))
    for size in ((10_000, 10_000), (9_999, 10_001), (1, 1), (2_000, 2_000)):
        name = f"{size[0]}x{size[1]}"
        yield either("jxl header", f"says-{name}", lambda s=size: codestream(*s))
        for number in range(4):
            noise = seeded(f"jxl-{number}").randbytes(4_000)
            yield either("jxl header", f"says-{name}-noise-{number}", lambda s=size, n=noise: codestream(*s, n))
    yield from boxes()


def boxes() -> Iterator[Attack]:
    """The container."""
    for kind in (b"free", b"jxlp", b"Exif", b"xml ", b"brob", b"jbrd", b"jxli", b"jxll", b"jumb"):
        flood = CONTAINER + box(kind) * 7 * 1024
        name = kind.decode().strip()
        yield either(
            "jxl flood",
            f"{name}-before",
            lambda k=kind: CONTAINER + box(k) * 7 * MEBIBYTE + box(b"jxlc", GOOD["jxl"]()),
        )
        yield either(
            "jxl flood",
            f"{name}-behind",
            lambda k=kind: CONTAINER + box(b"jxlc", GOOD["jxl"]()) + box(k) * 7 * MEBIBYTE,
        )
        large = box(kind, bytes(50 * 1024))
        yield either("jxl flood", f"{name}-large", lambda b=large: CONTAINER + b * 1_000 + box(b"jxlc", GOOD["jxl"]()))
        yield refused("jxl flood", f"{name}-only", lambda f=flood: f)
    for number in range(8):
        noise = seeded(f"brob-{number}").randbytes(3_000)
        for inner in (b"Exif", b"xml ", b"jbrd"):
            packed = box(b"brob", inner, noise)
            yield either(
                "jxl header",
                f"brob-{inner.decode().strip()}-noise-{number}",
                lambda p=packed: CONTAINER + p + box(b"jxlc", GOOD["jxl"]()),
            )
    rebuilt = box(b"jbrd", seeded("jbrd").randbytes(900))
    yield either("jxl header", "rebuilt-from-noise", lambda: CONTAINER + rebuilt + box(b"jxlc", GOOD["jxl"]()))
    for size in (0, 1, 7, 2**31, 2**32 - 1):
        number = struct.pack(">I", size)
        yield either("jxl header", f"box-of-size-{size}", lambda n=number: CONTAINER + n + b"jxlc" + GOOD["jxl"]())
    yield refused("jxl header", "mark-only", lambda: b"\xff\x0a")
    yield refused("jxl header", "container-only", lambda: CONTAINER)
    yield shown("jxl header", "boxed", lambda: CONTAINER + box(b"jxlc", GOOD["jxl"]()))
