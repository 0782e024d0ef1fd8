"""JPEG: giant frames over no data, scans without end, and floods of markers.

Source of the marker layout: ITU-T T.81, annex B; of the scan bomb: Mozilla and Cure53, "Two Issues with the JPEG
Standard" (LJT-01-003), 2016.
"""

import struct
from collections.abc import Iterator

from tests.hostile.attack import Attack, either, refused, seeded, shown
from tests.hostile.good import GOOD

MEBIBYTE = 1 << 20
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
TOO_BIG = ("TOO_MANY_PIXELS", "EXTREME_ASPECT_RATIO", "DECOMPRESSION_BOMB")


def segment(marker: int, data: bytes) -> bytes:
    """One marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def frame(width: int, height: int, marker: int = 0xC0, sampling: tuple[int, ...] = (0x11,), depth: int = 8) -> bytes:
    """SOF; one sampling factor per component."""
    parts = b"".join(bytes((number, factor, 0)) for number, factor in enumerate(sampling, 1))
    return segment(marker, struct.pack(">BHHB", depth, height, width, len(sampling)) + parts)


def table(class_and_id: int, symbols: bytes) -> bytes:
    """A Huffman table of two codes of one bit, or of one."""
    return segment(0xC4, bytes((class_and_id, 1)) + bytes(15) + symbols[:1])


def scan(components: int = 1, start: int = 0, end: int = 63, bits: int = 0, tables: int = 0) -> bytes:
    """SOS."""
    parts = b"".join(bytes((number, tables)) for number in range(1, components + 1))
    return segment(0xDA, bytes((components,)) + parts + bytes((start, end, bits)))


def flat(width: int, height: int, marker: int = 0xC0, sampling: tuple[int, ...] = (0x11,), data: bytes = b"") -> bytes:
    """Tables whose every bit 0 means nothing; so `data` of zeros is a grey picture."""
    tables = segment(0xDB, b"\0" + b"\1" * 64) + table(0x00, b"\0") + table(0x10, b"\0")
    return SOI + tables + frame(width, height, marker, sampling) + scan(len(sampling)) + data + EOI


def scans(width: int, height: int, count: int, refine: bool) -> bytes:
    """A progressive picture with `count` scans in which every block ends at once: a few bytes for each scan."""
    blocks = -(-width // 8) * -(-height // 8)
    head = SOI + segment(0xDB, b"\0" + b"\1" * 64) + table(0x00, b"\0") + table(0x10, b"\xe0")
    first = scan(start=0, end=0, bits=0x01 if refine else 0) + bytes(-(-blocks // 8))
    run = "0" + "1" * 14  # one code, then 14 bits more: a run of 2^15 - 1 blocks
    bits = run * -(-blocks // 32_767)
    packed = int(bits + "1" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8), "big").replace(b"\xff", b"\xff\0")
    again = scan(start=1, end=63, bits=0x10 if refine else 0) + packed
    return head + frame(width, height, 0xC2) + first + again * count + EOI


def attacks() -> Iterator[Attack]:
    """Every attack on JPEG."""
    yield from sizes()
    yield from bombs()
    yield from floods()
    yield from wrong_tables()


def sizes() -> Iterator[Attack]:
    """Frames that announce what is not there."""
    for side in (20_000, 65_535):
        yield refused("jpeg bomb", f"says-{side}x{side}", lambda s=side: flat(s, s), *TOO_BIG)
        yield refused("jpeg bomb", f"says-{side}x{side}-progressive", lambda s=side: flat(s, s, 0xC2), *TOO_BIG)
    for width, height in ((0, 9), (9, 0), (0, 0)):
        yield refused("jpeg header", f"says-{width}x{height}", lambda w=width, h=height: flat(w, h, data=bytes(99)))
    for size in ((10_000, 10_000), (65_500, 1_520), (65_535, 1), (1, 65_535)):
        for marker in (0xC0, 0xC2, 0xC9, 0xCA):
            name = f"{size[0]}x{size[1]}-of-{marker:02x}-without-data"
            yield either("jpeg bomb", name, lambda s=size, m=marker: flat(*s, m))
    for sampling in ((0x11, 0x11, 0x11), (0x44, 0x11, 0x11), (0x11,) * 4, (0x44,) * 3, (0x14, 0x41, 0x11)):
        name = "sampled-" + "-".join(f"{factor:02x}" for factor in sampling)
        yield either("jpeg bomb", name, lambda s=sampling: flat(10_000, 10_000, sampling=s, data=bytes(4 * MEBIBYTE)))
        yield either("jpeg bomb", f"{name}-progressive", lambda s=sampling: flat(10_000, 10_000, 0xC2, s))
    for sampling in ((), (0,), (0xFF,), (0x11,) * 5, (0x11,) * 255, (0x33, 0x22, 0x11)):
        name = f"{len(sampling)}-components-{sum(sampling)}"
        yield either("jpeg header", name, lambda s=sampling: flat(99, 99, sampling=s, data=bytes(999)))
    for depth in (0, 1, 12, 16, 255):
        yield either(
            "jpeg header", f"{depth}-bits", lambda d=depth: SOI + frame(99, 99, depth=d) + scan() + bytes(99) + EOI
        )
    for marker in (0xC1, 0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7):
        yield either("jpeg header", f"frame-of-{marker:02x}", lambda m=marker: flat(99, 99, m, data=bytes(99)))


def bombs() -> Iterator[Attack]:
    """Little to read, much to do."""
    for side, count in ((1_000, 100), (1_000, 5_000), (4_000, 2_000), (8_000, 20_000), (10_000, 300)):
        for refine in (False, True):
            name = f"{count}-scans-of-{side}x{side}{'-refining' if refine else ''}"
            yield either("jpeg scans", name, lambda s=side, n=count, r=refine: scans(s, s, n, r))
    yield either(
        "jpeg scans", "60-mebibytes-of-scans", lambda: flat(2_000, 2_000, 0xC2, data=scan(1, 1, 63) * (6 * MEBIBYTE))
    )
    yield either(
        "jpeg scans", "60-mebibytes-of-baseline-scans", lambda: flat(2_000, 2_000, data=scan() * (6 * MEBIBYTE))
    )
    yield either("jpeg bomb", "100-megapixels-of-nothing", lambda: flat(10_000, 10_000, data=bytes(800_000)))
    yield either("jpeg bomb", "data-without-end", lambda: flat(99, 99, data=bytes(60 * MEBIBYTE)))
    for restart in (1, 0xFFFF):
        start = segment(0xDD, struct.pack(">H", restart))
        yield either("jpeg flood", f"restarts-every-{restart}", lambda s=start: SOI + s + restarts()[2:])


def restarts() -> bytes:
    """Nothing but restart markers, in their order."""
    return flat(2_000, 2_000, data=bytes.fromhex("ffd0ffd1ffd2ffd3ffd4ffd5ffd6ffd7") * 3 * MEBIBYTE)


def floods() -> Iterator[Attack]:
    """Marker segments by the million."""
    good = GOOD["jpeg"]()
    for name, flood in (
        ("empty-comments", segment(0xFE, b"")),
        ("comments", segment(0xFE, b"x" * 65_533)),
        ("empty-app1", segment(0xE1, b"")),
        ("exif-headers", segment(0xE1, b"Exif\0\0")),
        ("exif-full", segment(0xE1, b"Exif\0\0II*\0" + b"x" * 65_000)),
        ("xmp-full", segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"x" * 65_000)),
        ("profiles-full", segment(0xE2, b"ICC_PROFILE\0\1\xff" + b"x" * 65_000)),
        ("profiles-empty", segment(0xE2, b"ICC_PROFILE\0\1\1")),
        ("multi-picture", segment(0xE2, b"MPF\0II*\0\x08\0\0\0" + b"\xff" * 90)),
        ("photoshop", segment(0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed\0\0\0\0\0\0" * 4_000)),
        ("photoshop-lying", segment(0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed\0\0\xff\xff\xff\xff" * 4_000)),
        ("adobe", segment(0xEE, b"Adobe\0\x64\0\0\0\0\2")),
        ("quantisation", segment(0xDB, b"\0" + b"\1" * 64)),
        ("huffman", table(0x00, b"\0")),
        ("restart-intervals", segment(0xDD, b"\0\1")),
        ("frames", frame(128, 64)),
        ("fill-bytes", b"\xff"),
        ("zeros", b"\0"),
        ("stuffed", b"\xff\0"),
        ("images", SOI),
    ):
        yield either("jpeg flood", name, lambda f=flood: good[:2] + f * (60 * MEBIBYTE // len(f)) + good[2:])
    several = "".join(f"{number}" for number in range(9)).encode()
    yield either("jpeg flood", "thousands-of-segments", lambda: good[:2] + segment(0xEC, several) * 5_000 + good[2:])
    yield shown("jpeg header", "a-few-comments", lambda: good[:2] + segment(0xFE, several) * 40 + good[2:])
    yield shown("jpeg header", "bytes-behind-the-end", lambda: good + bytes(9_999))
    yield shown("jpeg header", "a-second-picture-behind", lambda: good + good)


def wrong_tables() -> Iterator[Attack]:
    """Tables that are none."""
    good = GOOD["jpeg"]()
    for name, wrong in (
        ("no-quantisation", segment(0xDB, b"")),
        ("short-quantisation", segment(0xDB, b"\0" + b"\1" * 5)),
        ("quantisation-of-zeros", segment(0xDB, b"\0" + bytes(64))),
        ("quantisation-15", segment(0xDB, b"\x0f" + bytes(64))),
        ("quantisation-of-32-bits", segment(0xDB, b"\x20" + bytes(256))),
        ("huffman-of-255", segment(0xC4, b"\0" + b"\xff" * 16 + bytes(4_080))),
        ("huffman-overfull", segment(0xC4, b"\0" + b"\2" * 16 + bytes(32))),
        ("huffman-cut-off", segment(0xC4, b"\0" + b"\1" * 16)),
        ("huffman-15", segment(0xC4, b"\xff" + bytes(16))),
        ("exif-cut-off", segment(0xE1, b"Exif\0")),
        ("exif-of-noise", segment(0xE1, b"Exif\0\0" + seeded("exif").randbytes(5_000))),
        ("jfif-short", segment(0xE0, b"JFIF\0")),
        ("jfif-no-density", segment(0xE0, b"JFIF\0\1\1\1\0\0\0\0\0\0")),
        ("adobe-short", segment(0xEE, b"Adobe")),
        ("adobe-transform-255", segment(0xEE, b"Adobe\0\x64\0\0\0\0\xff")),
        ("profile-number-255-of-1", segment(0xE2, b"ICC_PROFILE\0\xff\1abc")),
        ("profile-0-of-0", segment(0xE2, b"ICC_PROFILE\0\0\0abc")),
        ("profile-short", segment(0xE2, b"ICC_PROFILE\0")),
        ("photoshop-cut-off", segment(0xED, b"Photoshop 3.0\x008BIM\3\xed\xff")),
        ("length-0", b"\xff\xe1\0\0"),
        ("length-1", b"\xff\xe1\0\1"),
        ("length-too-long", b"\xff\xe1\xff\xff"),
        ("reserved", b"\xff\x02\0\4ab"),
    ):
        yield either("jpeg table", name, lambda w=wrong: good[:2] + w + good[2:])
        yield either("jpeg table", f"{name}-behind", lambda w=wrong: good[:-2] + w + good[-2:])
    for name, data in (
        ("start-only", SOI + b"\xff"),
        ("end-only", SOI + EOI + b"\xff"),
        ("no-frame", SOI + scan() + EOI),
    ):
        yield refused("jpeg table", name, lambda d=data: d)
