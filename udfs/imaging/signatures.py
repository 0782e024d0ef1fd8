"""Which format some bytes are, told from the bytes alone: a name or an extension never matters."""

import re
from typing import Final

from udfs.imaging.errors import NotAnImage, UnsupportedFormat

SIGNATURE_BYTES: Final = 64

# First match wins. BMP's own mark is only two letters, so the size of its header is asked for as well.
ALLOWED: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("jpeg", re.compile(rb"\xff\xd8\xff", re.DOTALL)),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n", re.DOTALL)),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a", re.DOTALL)),
    ("tiff", re.compile(rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]", re.DOTALL)),
    ("bmp", re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)),
)

REFUSED: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("AVIF", re.compile(rb"....ftypavi[fs]", re.DOTALL)),
    ("HEIC", re.compile(rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL)),
    ("JPEG XL", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ", re.DOTALL)),
    ("JPEG 2000", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", re.DOTALL)),
    ("PDF", re.compile(rb"%PDF-", re.DOTALL)),
    ("PostScript", re.compile(rb"%!PS", re.DOTALL)),
    ("SVG", re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*)?<svg", re.DOTALL | re.IGNORECASE)),
    ("Photoshop", re.compile(rb"8BPS", re.DOTALL)),
    ("icon", re.compile(rb"\0\0[\x01\x02]\0[\x01-\xff]\0", re.DOTALL)),
)


def find_format(source: bytes) -> str:
    """Return `jpeg`, `png`, `webp`, `gif`, `tiff` or `bmp`.

    Raises UnsupportedFormat for a known format that is not on the allow-list, NotAnImage for everything else.
    """
    head = source[:SIGNATURE_BYTES]
    for name, signature in ALLOWED:
        if signature.match(head):
            return name
    allowed = ", ".join(name for name, _ in ALLOWED)
    for name, signature in REFUSED:
        if signature.match(source[: 16 * SIGNATURE_BYTES]):
            msg = f"source: its content is {name}, which is not accepted; convert it to one of {allowed}"
            raise UnsupportedFormat(msg)
    msg = f"source: it begins with {head[:8].hex(' ')}, which is no image; upload one of {allowed}"
    raise NotAnImage(msg)
