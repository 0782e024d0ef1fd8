"""Metadata that hurt whoever reads them: EXIF in circles, XMP that laughs, profiles with a million tags."""

import struct
import zlib
from collections.abc import Callable, Iterator

from tests.hostile.attack import Attack, either, seeded
from tests.hostile.attacks_heif import AVIF, HEIC, Codec
from tests.hostile.attacks_jpeg import segment
from tests.hostile.attacks_jxl import CONTAINER
from tests.hostile.attacks_nothing import LAUGHS
from tests.hostile.attacks_webp import EXIF, PROFILE, XMP, canvas, chunk, flat, riff
from tests.hostile.boxes import Item, box, item_file, reference
from tests.hostile.good import GOOD, HEIGHT, WIDTH, profile
from tests.hostile.png_chunks import chunk as png_chunk
from tests.hostile.png_chunks import dot
from tests.hostile.tiff_writer import LONG, SHORT, START, Entry, directory, one_strip

MEBIBYTE = 1 << 20
PACKET = b"http://ns.adobe.com/xap/1.0/\0"


def exif(*entries: Entry, following: int = 0, data: bytes = b"") -> bytes:
    """A TIFF block of one directory, without the mark `Exif`."""
    return b"II*\0" + struct.pack("<I", START) + directory(entries, following) + data


def exifs() -> dict[str, bytes]:
    """Blocks of EXIF."""
    orientation = Entry(274, SHORT, 1, 6)
    return {
        "follows-itself": exif(orientation, following=START),
        "is-its-own-exif": exif(orientation, Entry(34_665, LONG, 1, START)),
        "is-its-own-gps": exif(orientation, Entry(34_853, LONG, 1, START)),
        "is-its-own-interoperability": exif(Entry(40_965, LONG, 1, START), Entry(34_665, LONG, 1, START)),
        "beyond": exif(orientation, Entry(34_665, LONG, 1, 2**32 - 1)),
        "orientation-0": exif(Entry(274, SHORT, 1, 0)),
        "orientation-9": exif(Entry(274, SHORT, 1, 9)),
        "orientation-text": exif(Entry(274, 2, 4, 0x41414141)),
        "orientation-rational": exif(Entry(274, 5, 1, 8)),
        "orientation-of-2^31": exif(Entry(274, SHORT, 2**31, 8)),
        "resolution-by-zero": exif(Entry(282, 5, 1, 24), Entry(296, SHORT, 1, 2), data=bytes(64)),
        "date-of-noise": exif(Entry(306, 2, 20, 26), data=seeded("date").randbytes(40)),
        "camera-of-60000": exif(Entry(271, 2, 60_000, 26), data=b"M" * 60_000),
        "maker-note": exif(Entry(37_500, 7, 60_000, 26), data=b"FUJIFILM" + b"\x0c\0\0\0" + b"\xff" * 60_000),
        "4000-tags": exif(*[Entry(40_000 + n, LONG, 1, n) for n in range(4_000)]),
        "tags-share-60000-bytes": exif(*[Entry(40_000 + n, 7, 50_000, 8) for n in range(400)], data=bytes(50_000)),
        "no-directory": b"II*\0\xff\xff\xff\xff",
        "wrong-mark": b"XX*\0\x08\0\0\0",
        "empty": b"",
        "noise": seeded("exif block").randbytes(3_000),
    }


def profiles() -> dict[str, bytes]:
    """Colour profiles. Source of the layout: ICC.1:2022, section 7."""
    good = profile()
    many = struct.pack(">I", 5_000) + b"".join(
        struct.pack(">4sII", b"t%03d" % (n % 999), 132, 99) for n in range(5_000)
    )
    return {
        "of-noise": seeded("profile").randbytes(4_000),
        "empty": b"",
        "of-128-bytes": good[:128],
        "cut-off": good[:300],
        "of-2^32-tags": good[:128] + b"\xff\xff\xff\xff" + good[132:],
        "of-5000-tags": good[:128] + many + bytes(900),
        "size-lies": b"\xff\xff\xff\xff" + good[4:],
        "tags-beyond": good[:132]
        + b"".join(good[at : at + 4] + b"\xff\xff\xff\x00\0\0\xff\xff" for at in range(132, 252, 12))
        + good[252:],
        "for-grey": good[:16] + b"GRAY" + good[20:],
        "for-cmyk": good[:16] + b"CMYK" + good[20:],
        "for-15-colours": good[:16] + b"FCLR" + good[20:],
        "of-a-link": good[:12] + b"link" + good[16:],
        "of-a-printer": good[:12] + b"prtr" + good[16:],
        "curve-of-2^32": good.replace(b"para", b"curv"),
        "of-a-mebibyte": good + bytes(MEBIBYTE),
        **{f"damaged-{n}": damaged(good, n) for n in range(12)},
    }


def damaged(good: bytes, number: int) -> bytes:
    """A profile with twenty wrong bytes behind its header."""
    data, chance = bytearray(good), seeded(f"profile {number}")
    for _ in range(20):
        data[chance.randrange(128, len(data))] = chance.randrange(256)
    return bytes(data)


def segments(marker: int, mark: bytes, data: bytes) -> bytes:
    """As many JPEG segments as the data need; only profiles are numbered."""
    size = 65_000
    parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    numbered = (bytes((n, len(parts))) if marker == 0xE2 else b"" for n in range(1, len(parts) + 1))
    return b"".join(segment(marker, mark + number + part) for number, part in zip(numbered, parts, strict=True))


def in_jpeg(data: bytes, good: str = "jpeg") -> bytes:
    """Segments behind the first mark of a JPEG."""
    source = GOOD[good]()
    return source[:2] + data + source[2:]


def holders(kind: str, data: bytes) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the formats that can hold the data, each with how to make the file."""
    marks = {"exif": (0xE1, b"Exif\0\0"), "profile": (0xE2, b"ICC_PROFILE\0"), "xmp": (0xE1, PACKET)}
    yield "jpeg", lambda: in_jpeg(segments(*marks[kind], data))
    chunks = {"exif": (b"eXIf", b""), "profile": (b"iCCP", b"p\0\0"), "xmp": (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0")}
    name, before = chunks[kind]
    yield "png", lambda: dot(before=png_chunk(name, before + (zlib.compress(data) if kind == "profile" else data)))
    riffs = {"exif": (b"EXIF", EXIF), "profile": (b"ICCP", PROFILE), "xmp": (b"XMP ", XMP)}
    fourcc, flag = riffs[kind]
    parts = (chunk(fourcc, data), flat(9, 9)) if kind == "profile" else (flat(9, 9), chunk(fourcc, data))
    yield "webp", lambda: riff(canvas(9, 9, flag), *parts)
    if kind != "exif":
        tag, at = {"profile": 34_675, "xmp": 700}[kind], 8 + 6 + 12 * 10 + 81
        yield "tiff", lambda: one_strip(9, 9, bytes(81) + data, extra=[Entry(tag, 7, len(data), at)])
    for codec in (AVIF, HEIC):
        yield codec.name, lambda c=codec: boxed(c, kind, data)
    if kind == "exif":
        yield "jxl", lambda: CONTAINER + box(b"Exif", bytes(4), data) + box(b"jxlc", GOOD["jxl"]())


def boxed(codec: Codec, kind: str, data: bytes) -> bytes:
    """A picture with one profile as a property, or with an item that describes it."""
    payload = codec.payload()
    if kind == "profile":
        properties = [*codec.properties(WIDTH, HEIGHT), box(b"colr", b"prof", data)]
        return item_file(codec.brand, [Item(1, codec.kind, [(0, len(payload))], [1, 2, 3])], properties, payload)
    before = bytes(4) if kind == "exif" else b""  # the offset of the TIFF header: ISO/IEC 23008-12, annex A
    beside = Item(2, b"Exif" if kind == "exif" else b"mime", [(len(payload), len(before + data))])
    both = [Item(1, codec.kind, [(0, len(payload))], [1, 2]), beside]
    ties = reference(b"cdsc", 2, [1])
    return item_file(codec.brand, both, codec.properties(WIDTH, HEIGHT), payload + before + data, ties)


def attacks() -> Iterator[Attack]:
    """Every attack by metadata."""
    for name, data in exifs().items():
        for format_, make in holders("exif", data):
            yield either("metadata exif", f"{format_}-{name}", make)
    for name, data in profiles().items():
        for format_, make in holders("profile", data):
            yield either("metadata profile", f"{format_}-{name}", make)
        if name.startswith(("for", "of", "damaged")):
            cmyk = segments(0xE2, b"ICC_PROFILE\0", data)
            for good in ("jpeg-cmyk", "jpeg-grey"):
                yield either("metadata profile", f"{good}-{name}", lambda c=cmyk, g=good: in_jpeg(c, g))
    packet = f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{"<a>" * 9_000}'
    for name, text in (
        ("laughs", LAUGHS + "<x>&l9;</x>"),
        ("deep", packet),
        ("outside", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>'),
    ):
        for format_, make in holders("xmp", text.encode()):
            yield either("metadata xmp", f"{format_}-{name}", make)
