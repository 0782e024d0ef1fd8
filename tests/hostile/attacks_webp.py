"""WebP: a giant in forty bytes, endless frames, chunks that lie. Source: RFC 9649, and the VP8L bitstream in it."""

import struct
from collections.abc import Iterator

from tests.hostile.attack import Attack, either, refused, seeded, shown
from tests.hostile.good import GOOD

MEBIBYTE = 1 << 20
TOO_BIG = ("TOO_MANY_PIXELS", "DECOMPRESSION_BOMB", "EXTREME_ASPECT_RATIO")
TOO_LONG = ("TOO_MANY_FRAMES", "TOO_MANY_PIXELS", "CORRUPT_IMAGE")
ALPHA, ANIMATED, EXIF, PROFILE, XMP = 0x10, 0x02, 0x08, 0x20, 0x04


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk, padded."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def riff(*chunks: bytes) -> bytes:
    """A file."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def flat(width: int, height: int) -> bytes:
    """VP8L whose five codes have one symbol each: a pixel costs no bit at all."""
    bits = (width - 1) | (height - 1) << 14
    codes = sum(0b0001 << 4 * number for number in range(5))  # simple, one symbol, of one bit, 0
    return chunk(b"VP8L", b"\x2f" + struct.pack("<I", bits) + struct.pack("<I", codes << 3) + bytes(4))


def canvas(width: int, height: int, flags: int) -> bytes:
    """VP8X."""
    return chunk(
        b"VP8X", bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    )


def frame(width: int, height: int, data: bytes, x: int = 0, y: int = 0) -> bytes:
    """ANMF; x and y count in twos."""
    sizes = (x, y, width - 1, height - 1, 100)
    return chunk(b"ANMF", b"".join(size.to_bytes(3, "little") for size in sizes) + b"\0" + data)


ANIM = chunk(b"ANIM", bytes(6))


def animated(width: int, height: int, count: int) -> bytes:
    """An animation of dots on a canvas."""
    return riff(canvas(width, height, ANIMATED | ALPHA), ANIM, frame(1, 1, flat(1, 1)) * count)


def attacks() -> Iterator[Attack]:
    """Every attack on WebP."""
    yield refused("webp bomb", "flat-16384x16384", lambda: riff(flat(16_384, 16_384)), *TOO_BIG)
    yield either("webp bomb", "flat-10000x10000", lambda: riff(flat(10_000, 10_000)))
    yield either("webp bomb", "flat-16384x6000", lambda: riff(flat(16_384, 6_000)))
    yield either("webp bomb", "flat-16384x1", lambda: riff(flat(16_384, 1)))
    for size in ((16_777_216, 16_777_216), (16_777_216, 1), (65_536, 65_536), (20_000, 20_000), (12_000, 12_000)):
        for flags in (0, ANIMATED, ALPHA):
            name = f"canvas-{size[0]}x{size[1]}-{flags}"
            body = frame(1, 1, flat(1, 1)) if flags == ANIMATED else flat(1, 1)
            file = riff(canvas(*size, flags), *([ANIM] if flags == ANIMATED else []), body)
            yield refused("webp bomb", name, lambda f=file: f, *TOO_BIG, "CORRUPT_IMAGE")
    late = riff(canvas(1, 1, ALPHA), flat(16_384, 16_384))
    yield refused("webp bomb", "small-canvas-giant-picture", lambda: late)
    odd = riff(canvas(1, 1, ANIMATED), ANIM, frame(16_384, 16_384, flat(16_384, 16_384)))
    yield refused("webp bomb", "small-canvas-giant-frame", lambda: odd)
    hidden = riff(chunk(b"teSt", b""), canvas(16_000, 16_000, ANIMATED), ANIM, frame(1, 1, flat(1, 1)))
    yield refused("webp bomb", "canvas-not-first", lambda: hidden)
    yield either(
        "webp bomb",
        "canvas-twice",
        lambda: riff(canvas(9, 9, ANIMATED), canvas(16_000, 16_000, ANIMATED), ANIM, frame(9, 9, flat(9, 9))),
    )
    yield from frames()
    yield from floods()
    yield from headers()


def full(side: int, count: int) -> bytes:
    """An animation whose frames fill the canvas."""
    return riff(canvas(side, side, ANIMATED), ANIM, frame(side, side, flat(side, side)) * count)


def frames() -> Iterator[Attack]:
    """Animations."""
    for side, count in ((1, 5_001), (1, 100_000), (1, 1_000_000), (10_000, 11), (2_000, 300)):
        yield refused("webp frames", f"{count}-of-{side}x{side}", lambda s=side, n=count: animated(s, s, n), *TOO_LONG)
    yield either("webp frames", "5000-of-1x1", lambda: animated(1, 1, 5_000))
    yield either("webp frames", "1000-of-1000x1000", lambda: animated(1_000, 1_000, 1_000))
    yield either("webp frames", "1000-full-of-1000x1000", lambda: full(1_000, 1_000))
    yield either("webp frames", "10-of-10000x10000", lambda: animated(10_000, 10_000, 10))
    yield either("webp frames", "2-full-of-10000x10000", lambda: full(10_000, 2))
    for name, part in (
        ("outside", frame(9, 9, flat(9, 9), 2**23, 2**23)),
        ("larger", frame(99, 99, flat(99, 99))),
        ("other-size", frame(9, 9, flat(99, 99))),
        ("empty", frame(9, 9, b"")),
        ("nested", frame(9, 9, frame(9, 9, flat(9, 9)))),
    ):
        yield either("webp frames", f"frame-{name}", lambda p=part: riff(canvas(9, 9, ANIMATED), ANIM, p))
    yield either("webp frames", "no-frames", lambda: riff(canvas(9, 9, ANIMATED), ANIM))


ALL = canvas(9, 9, PROFILE | EXIF | XMP | ALPHA)


def flood(kind: bytes, size_bytes: int) -> bytes:
    """Fifty mebibytes of one chunk, repeated."""
    part = chunk(kind, bytes(size_bytes))
    return part * (50 * MEBIBYTE // len(part) or 1)


def floods() -> Iterator[Attack]:
    """Chunks by the million, and metadata by the mebibyte."""
    for kind in (b"teSt", b"ICCP", b"EXIF", b"XMP ", b"ANIM", b"ALPH", b"VP8X"):
        for size in (0, 50 * MEBIBYTE):
            name = f"{kind.decode().strip()}-of-{size}"
            yield either("webp flood", name, lambda k=kind, s=size: riff(ALL, flood(k, s), flat(9, 9)))
            yield either("webp flood", f"{name}-behind", lambda k=kind, s=size: riff(ALL, flat(9, 9), flood(k, s)))


def headers() -> Iterator[Attack]:
    """Sizes that lie, and codes that no encoder writes."""
    good = GOOD["webp-lossless"]()
    for size in (0, 1, 4, 2**31, 2**32 - 1):
        number = struct.pack("<I", size)
        yield either("webp header", f"riff-of-{size}", lambda n=number: good[:4] + n + good[8:])
        yield either("webp header", f"picture-of-{size}", lambda n=number: good[:16] + n + good[20:])
    for number in range(12):
        noise = seeded(f"vp8l-{number}").randbytes(60)
        yield either(
            "webp header", f"lossless-noise-{number}", lambda n=noise: riff(chunk(b"VP8L", b"\x2f\x08\0\2\0" + n))
        )
        lossy = GOOD["webp"]()
        yield either("webp header", f"lossy-noise-{number}", lambda n=noise, d=lossy: d[:30] + n + d[90:])
    # Huffman tables that overflowed in CVE-2023-4863 came from codes like these: long, incomplete, many groups.
    for number in range(12):
        long = seeded(f"huffman-{number}").randbytes(4_000)
        yield either(
            "webp header", f"codes-{number}", lambda n=long: riff(chunk(b"VP8L", b"\x2f\xff\xc0\x0f\0\x08" + n))
        )
    yield refused("webp header", "no-picture", lambda: riff())
    yield refused("webp header", "canvas-only", lambda: riff(canvas(9, 9, 0)))
    yield shown("webp header", "bytes-behind-the-end", lambda: good + b"PK\x05\x06" + bytes(99))
