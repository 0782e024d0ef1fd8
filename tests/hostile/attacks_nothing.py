"""Files that are no picture at all, and files of a kind that is refused."""

import gzip
import io
import zipfile
from collections.abc import Iterator

from tests.hostile.attack import Attack, refused, seeded
from tests.hostile.png_chunks import zeros

MEBIBYTE = 1 << 20

ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{ENTITIES}]>'


def zipped() -> bytes:
    """A zip archive with a mebibyte of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("zeros"), bytes(MEBIBYTE), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def attacks() -> Iterator[Attack]:
    """Everything that must be refused by its first bytes."""
    yield refused("nothing", "empty", bytes, "SOURCE_EMPTY")
    for byte in (0, 0x47, 0x89, 0xFF, 0x42, 0x49, 0x4D, 0x52):
        yield refused("nothing", f"one-byte-{byte:02x}", lambda b=byte: bytes((b,)), "NOT_AN_IMAGE")
    for size in (2, 63, 1000, MEBIBYTE, 64 * MEBIBYTE):
        yield refused("nothing", f"{size}-zeros", lambda n=size: bytes(n), "NOT_AN_IMAGE")
        yield refused("nothing", f"{size}-ones", lambda n=size: b"\xff" * n)
    yield refused(
        "nothing", "one-byte-too-many", lambda: b"\xff\xd8\xff" + bytes(64 * MEBIBYTE - 2), "SOURCE_TOO_LARGE"
    )
    for number in range(16):
        yield refused("nothing", f"random-{number}", lambda n=number: seeded(f"random-{n}").randbytes(n * n * 37 + 3))
    for name, data in (
        ("text", b"hello, world\n" * 40),
        ("html", b"<!doctype html><script>alert(1)</script>"),
        ("executable", b"\x7fELF\2\1\1" + bytes(400)),
        ("gzip", gzip.compress(bytes(9_999), mtime=0)),
        ("zlib-bomb", zeros(1024 * MEBIBYTE)),
        ("zip", zipped()),
        ("pickle", b"cos\nsystem\n(S'true'\ntR."),
        ("riff-wave", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40)),
        ("movie", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2mp41" + bytes(400)),
        ("matroska", b"\x1aE\xdf\xa3" + bytes(400)),
    ):
        yield refused("nothing", name, lambda d=data: d, "NOT_AN_IMAGE", "UNSUPPORTED_FORMAT")
    for name, data in (
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("svg-laughs", (LAUGHS + "<svg>&l9;</svg>").encode()),
        ("svg-behind-spaces", b" " * 900 + b"<svg/>"),
        ("pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj"),
        ("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n{} loop"),
        ("photoshop", b"8BPS\0\1" + bytes(20)),
        ("icon", b"\0\0\1\0\1\0\1\1" + bytes(40)),
        ("cursor", b"\0\0\2\0\1\0\1\1" + bytes(40)),
        ("jpeg-2000", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(400)),
        ("jpeg-2000-stream", b"\xff\x4f\xff\x51" + bytes(400)),
    ):
        yield refused("not accepted", name, lambda d=data: d, "UNSUPPORTED_FORMAT", "NOT_AN_IMAGE")
    for name, data in (
        ("pcx", b"\x0a\5\1\x08" + bytes(124)),
        ("targa", b"\0\0\2" + bytes(9) + b"\xff\xff\xff\xff\x20\0"),
        ("portable-pixmap", b"P6 99999 99999 255\n"),
        ("fli", b"\0\0\0\0\x11\xaf" + bytes(200)),
        ("dds", b"DDS " + bytes(200)),
        ("farbfeld", b"farbfeld\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("icns", b"icns\0\0\0\x10" + bytes(99)),
        ("sgi", b"\x01\xda\1\1" + bytes(600)),
        ("sun", b"\x59\xa6\x6a\x95" + bytes(99)),
        ("fits", b"SIMPLE  =                    T" + bytes(99)),
        ("qoi", b"qoif\xff\xff\xff\xff\xff\xff\xff\xff\3\0"),
    ):
        yield refused("not accepted", name, lambda d=data: d, "UNSUPPORTED_FORMAT", "NOT_AN_IMAGE")
