"""Files that are two things at once, and files whose name lies. A name never reaches the core; the bytes decide."""

from collections.abc import Iterator
from itertools import product

from tests.hostile.attack import Attack, either, refused, shown
from tests.hostile.attacks_gif import DOT, image
from tests.hostile.attacks_jpeg import segment
from tests.hostile.attacks_nothing import zipped
from tests.hostile.good import GOOD
from tests.hostile.png_chunks import chunk, dot

SCRIPT = b"=1;alert(document.cookie);//"
HTML = b"<html><script>alert(1)</script></html>"
PHP = b"<?php system($_GET[0]); __halt_compiler();"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n"

MARKS = {
    "jpeg": b"\xff\xd8\xff\xe0",
    "png": b"\x89PNG\r\n\x1a\n",
    "gif": b"GIF89a",
    "webp": b"RIFF\x40\0\0\0WEBP",
    "tiff": b"II*\0",
    "bmp": b"BM\x40\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "avif": b"\0\0\0\x1cftypavif",
    "heic": b"\0\0\0\x1cftypheic",
    "jxl": b"\xff\x0a",
}


def attacks() -> Iterator[Attack]:
    """Every polyglot, and every wrong mark."""
    for format_ in ("jpeg", "png", "gif", "webp", "bmp"):
        good = GOOD[format_]()
        for name, other in (("zip", zipped()), ("html", HTML), ("php", PHP), ("pdf", PDF), ("elf", b"\x7fELF\2\1\1\0")):
            yield shown("polyglot", f"{format_}-then-{name}", lambda g=good, o=other: g + o)
            yield refused(
                "polyglot",
                f"{name}-then-{format_}",
                lambda g=good, o=other: o + g,
                "NOT_AN_IMAGE",
                "UNSUPPORTED_FORMAT",
            )
    for format_ in ("tiff", "avif", "heic", "jxl"):
        yield either("polyglot", f"{format_}-then-zip", lambda f=format_: GOOD[f]() + zipped())
        yield refused("polyglot", f"zip-then-{format_}", lambda f=format_: zipped() + GOOD[f](), "NOT_AN_IMAGE")
    javascript = b"GIF89a/*" + b"\0\0\0\0" + image(data=DOT) + b";*/" + SCRIPT
    yield either("polyglot", "gif-as-javascript", lambda: javascript)
    for name, text in (("html", HTML), ("php", PHP), ("zip", zipped()[:60_000])):
        jpeg = GOOD["jpeg"]()
        yield shown("polyglot", f"jpeg-comment-{name}", lambda t=text, j=jpeg: j[:2] + segment(0xFE, t) + j[2:])
        yield shown("polyglot", f"png-text-{name}", lambda t=text: dot(before=chunk(b"tEXt", b"Comment\0" + t)))
        gif = b"\x21\xfe" + b"".join(bytes((len(p),)) + p for p in (text[:200],)) + b"\0;"
        yield either("polyglot", f"gif-comment-{name}", lambda g=gif: GOOD["gif"]()[:-1] + g)
    for one, other in product(MARKS, MARKS):
        if one != other:
            yield either(
                "wrong mark", f"{one}-on-{other}", lambda a=one, b=other: MARKS[a] + GOOD[b]()[len(MARKS[a]) :]
            )
    for name, mark in MARKS.items():
        yield refused("wrong mark", f"{name}-and-nothing", lambda m=mark: m)
        yield refused("wrong mark", f"{name}-and-zeros", lambda m=mark: m + bytes(5_000))
        yield refused("wrong mark", f"{name}-and-ones", lambda m=mark: m + b"\xff" * 5_000)
