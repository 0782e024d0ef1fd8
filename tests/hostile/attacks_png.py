"""PNG: streams and texts that unpack to gigabytes, floods of chunks, and headers that lie."""

import struct
import zlib
from collections.abc import Iterator
from functools import partial

from tests.hostile.attack import Attack, either, refused, shown
from tests.hostile.good import GOOD
from tests.hostile.png_chunks import END, SIGNATURE, chunk, dot, header, png, zeros

MEBIBYTE = 1 << 20
TOO_BIG = ("TOO_MANY_PIXELS", "EXTREME_ASPECT_RATIO", "DECOMPRESSION_BOMB")
TOO_MUCH = "METADATA_TOO_LARGE"
TOO_LONG = ("TOO_MANY_FRAMES", "TOO_MANY_PIXELS", "DECOMPRESSION_BOMB", "METADATA_TOO_LARGE")


def attacks() -> Iterator[Attack]:
    """Every attack on PNG."""
    yield from pixels()
    yield from texts()
    yield from chunks()
    yield from animations()


def pixels() -> Iterator[Attack]:
    """Bombs in the picture itself."""
    for width, height in (
        (2**31 - 1, 2**31 - 1),
        (100_000, 100_000),
        (20_000, 20_000),
        (65_535, 65_535),
        (2**31 - 1, 1),
        (1, 2**31 - 1),
    ):
        yield refused("png bomb", f"says-{width}x{height}", lambda w=width, h=height: png(w, h, zeros(999)), *TOO_BIG)
    for width, height in ((0, 0), (0, 9), (9, 0)):
        yield refused(
            "png header", f"says-{width}x{height}", lambda w=width, h=height: png(w, h, zeros(9)), "CORRUPT_IMAGE"
        )
    for depth, colour, samples in ((8, 0, 1), (8, 2, 3), (8, 6, 4), (16, 0, 2), (16, 6, 8), (1, 0, 0.125)):
        row = 1 + int(10_000 * samples)
        yield either(
            "png bomb",
            f"100-megapixels-of-nothing-{depth}-{colour}",
            lambda d=depth, c=colour, r=row: png(10_000, 10_000, zeros(r * 10_000), depth=d, colour=c),
        )
    yield either("png bomb", "interlaced", lambda: png(10_000, 10_000, zeros(300_040_000), interlace=1))
    yield either("png bomb", "a-gibibyte-behind-one-pixel", lambda: png(1, 1, zeros(1024 * MEBIBYTE)))
    yield either("png bomb", "more-rows-than-announced", lambda: png(60, 60, zeros(600 * MEBIBYTE)))
    yield refused("png bomb", "pixels-end-early", lambda: png(9_000, 9_000, zeros(9_000)), "CORRUPT_IMAGE", *TOO_BIG)
    yield either("png bomb", "a-line-65535-long", lambda: png(65_535, 1, zeros(1 + 3 * 65_535)))
    yield either("png bomb", "a-line-65535-high", lambda: png(1, 65_535, zeros(4 * 65_535)))
    for depth, colour in ((3, 0), (16, 3), (4, 2), (255, 2), (8, 1), (8, 255)):
        yield refused(
            "png header",
            f"depth-{depth}-colour-{colour}",
            lambda d=depth, c=colour: png(9, 9, zeros(999), depth=d, colour=c),
        )


def texts() -> Iterator[Attack]:
    """Zip bombs beside the picture."""
    for size in (4, 64, 1024):
        packed = zeros(size * MEBIBYTE)
        for kind, data in (
            (b"zTXt", b"Comment\0\0" + packed),
            (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + packed),
            (b"iCCP", b"profile\0\0" + packed),
        ):
            name = f"{kind.decode()}-{size}-mebibytes"
            yield refused("png text bomb", name, lambda k=kind, d=data: dot(before=chunk(k, d)), TOO_MUCH)
            yield refused("png text bomb", f"{name}-behind", lambda k=kind, d=data: dot(after=chunk(k, d)), TOO_MUCH)
    many = chunk(b"zTXt", b"Comment\0\0" + zeros(900_000))
    for count in (100, 5_000):
        yield refused("png text bomb", f"zTXt-{count}-times", lambda n=count: dot(before=many * n), TOO_MUCH)
        yield refused("png text bomb", f"zTXt-{count}-times-behind", lambda n=count: dot(after=many * n), TOO_MUCH)
    for kind, start in ((b"tEXt", b"a\0"), (b"eXIf", b"II*\0")):
        name = f"{kind.decode()}-50-mebibytes"
        long = partial(lambda k, s: dot(before=chunk(k, s + b"x" * 50 * MEBIBYTE)), kind, start)
        yield refused("png text bomb", name, long, TOO_MUCH)


def chunks() -> Iterator[Attack]:
    """Chunks that are too many, too long, or in a wrong place."""
    for kind in (b"tEXt", b"teSt", b"gAMA", b"pHYs", b"IDAT", b"fdAT"):
        flood = chunk(kind, b"a\0b" if kind == b"tEXt" else b"\0\0\0\1" if kind == b"gAMA" else b"")
        yield either(
            "png flood", f"{kind.decode()}-60-mebibytes", lambda f=flood: dot(before=f * (60 * MEBIBYTE // len(f)))
        )
        yield either("png flood", f"{kind.decode()}-behind", lambda f=flood: dot(after=f * (60 * MEBIBYTE // len(f))))
    for length in (2**31 - 1, 2**31, 2**32 - 1):
        long = struct.pack(">I", length) + b"teSt"
        yield either("png chunk", f"length-{length}", lambda d=long: SIGNATURE + header(9, 9) + d + bytes(99))
        yield either(
            "png chunk",
            f"idat-length-{length}",
            lambda n=length: dot().replace(b"\0\0\0\x0aIDAT", struct.pack(">I", n) + b"IDAT"),
        )
    wrong_sum = chunk(b"tEXt", b"a\0b")[:-1] + b"!"
    for name, before in (
        ("wrong-checksum", wrong_sum),
        ("second-header", header(30_000, 30_000)),
        ("palette-of-300", chunk(b"PLTE", bytes(900))),
        ("palette-of-4-bytes", chunk(b"PLTE", bytes(4))),
        ("transparency-of-1000", chunk(b"tRNS", bytes(1000))),
        ("empty-transparency", chunk(b"tRNS")),
        ("empty-profile", chunk(b"iCCP")),
        ("profile-of-noise", chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(range(256)) * 40))),
        ("empty-gamma", chunk(b"gAMA")),
        ("short-chromaticities", chunk(b"cHRM", bytes(5))),
        ("empty-physical", chunk(b"pHYs")),
        ("exif-of-noise", chunk(b"eXIf", bytes(range(256)))),
        ("kind-of-noise", chunk(b"\xff\0\x80\x01", b"")),
        ("critical-unknown", chunk(b"ABCD", b"")),
    ):
        yield either("png chunk", name, lambda b=before: dot(before=b))
        yield either("png chunk", f"{name}-behind", lambda b=before: dot(after=b))
    yield refused("png chunk", "no-pixels", lambda: SIGNATURE + header(9, 9) + END)
    yield refused("png chunk", "no-header", lambda: SIGNATURE + chunk(b"IDAT", zeros(99)) + END)
    yield refused("png chunk", "signature-only", lambda: SIGNATURE)
    yield either("png chunk", "no-palette", lambda: png(9, 9, zeros(99), colour=3))
    yield shown("png chunk", "bytes-behind-the-end", lambda: GOOD["png"]() + b"PK\x03\x04" * 999)


def animations() -> Iterator[Attack]:
    """APNG: endless frames, and frames that lie outside the picture."""
    frame = struct.pack(">IIIIIHHBB", 0, 1, 1, 0, 0, 1, 10, 0, 0)
    for count in (0, 2**31 - 1, 2**32 - 1):
        control = chunk(b"acTL", struct.pack(">II", count, 0))
        yield either("apng", f"says-{count}-frames", lambda c=control: dot(before=c + chunk(b"fcTL", frame)))
    for count in (10_000, 400_000):
        control = chunk(b"acTL", struct.pack(">II", count, 0)) + chunk(b"fcTL", frame)
        more = chunk(b"fcTL", frame) + chunk(b"fdAT", b"\0\0\0\1" + zlib.compress(b"\0\x80"))
        name = f"{count}-frames"
        yield refused("apng", name, lambda c=control, m=more, n=count: dot(before=c, after=m * n), *TOO_LONG)
        two = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", frame)
        yield either("apng", f"{name}-says-2", lambda c=two, m=more, n=count: dot(before=c, after=m * n))
    for name, fields in (
        ("outside", (0, 9, 9, 2**31 - 1, 2**31 - 1)),
        ("giant", (0, 2**31 - 1, 2**31 - 1, 0, 0)),
        ("empty", (0, 0, 0, 0, 0)),
        ("overflowing", (0, 1, 1, 2**32 - 1, 2**32 - 1)),
    ):
        control = chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(
            b"fcTL", struct.pack(">IIIIIHHBB", *fields, 1, 1, 9, 9)
        )
        yield either("apng", f"frame-{name}", lambda c=control: dot(before=c))
        yield either("apng", f"frame-{name}-behind", lambda c=control: dot(after=c))
