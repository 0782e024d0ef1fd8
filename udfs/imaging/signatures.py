"""Which format some bytes are, told from the bytes alone: a name or an extension never matters."""

import re
from typing import Final

from udfs.imaging.errors import NotAnImage, UnsupportedFormat

SIGNATURE_BYTES: Final = 64

# AVIF and HEIC share a container. The major brand decides; where it is that of any picture (mif1, msf1, miaf), the
# first compatible brand that names a codec does, and with none the file is taken for HEIC.
# Source: ISO/IEC 23008-12, 10; AV1 Image File Format, 6.
ANY_PICTURE: Final = rb"(?:mif[12]|msf1|miaf|heif|MiHB|MiHE)"
AVIF_BRAND: Final = rb"avi[fs]"
HEIC_BRAND: Final = rb"he[iv][cmsx]"

# First match wins. BMP's own mark is only two letters, so the size of its header is asked for as well.
ALLOWED: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("jpeg", re.compile(rb"\xff\xd8\xff", re.DOTALL)),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n", re.DOTALL)),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a", re.DOTALL)),
    ("tiff", re.compile(rb"(?:II[\x2a\x2b]\0|MM\0[\x2a\x2b])(?!....CR\x02)", re.DOTALL)),
    ("bmp", re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)),
    ("avif", re.compile(rb"....ftyp(?:%b|%b....(?:(?!%b)....)*?%b)" % (AVIF_BRAND, ANY_PICTURE, HEIC_BRAND, AVIF_BRAND),
                        re.DOTALL)),
    ("heic", re.compile(rb"....ftyp(?:%b|%b)" % (HEIC_BRAND, ANY_PICTURE), re.DOTALL)),
    ("jxl", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", re.DOTALL)),
)  # fmt: skip

REFUSED: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("JPEG 2000", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", re.DOTALL)),
    ("PDF", re.compile(rb"%PDF-", re.DOTALL)),
    ("PostScript", re.compile(rb"%!PS|\xc5\xd0\xd3\xc6", re.DOTALL)),
    ("SVG", re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*)?<svg", re.DOTALL | re.IGNORECASE)),
    ("Photoshop", re.compile(rb"8BPS", re.DOTALL)),
    ("icon", re.compile(rb"\0\0[\x01\x02]\0[\x01-\xff]\0", re.DOTALL)),
    ("a Windows metafile", re.compile(rb"\xd7\xcd\xc6\x9a|[\x01\x02]\0\x09\0\0[\x01\x03]|\x01\0\0\0.{36} EMF",
                                      re.DOTALL)),
    ("camera raw", re.compile(rb"II\x2a\0....CR\x02|....ftypcrx |IIR[OS]|MMOR|IIU\0|FUJIFILMCCD-RAW|FOVb|\0MRM"
                              rb"|II\x1a\0\0\0HEAPCCDR", re.DOTALL)),
    ("video", re.compile(rb"....ftyp|....(?:moov|mdat|wide|skip)|\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL)),
    ("OpenEXR", re.compile(rb"v/1\x01", re.DOTALL)),
    ("Radiance HDR", re.compile(rb"#\?R(?:ADIANC|GB)E", re.DOTALL)),
    ("JPEG XR", re.compile(rb"II\xbc\x01", re.DOTALL)),
    ("DirectDraw", re.compile(rb"DDS \x7c", re.DOTALL)),
    ("QOI", re.compile(rb"qoif", re.DOTALL)),
    ("Netpbm", re.compile(rb"P[1-7]\s+[#\d]", re.DOTALL)),
    ("MNG", re.compile(rb"\x8a[MJ]NG\r\n", re.DOTALL)),
)  # fmt: skip


def find_format(source: bytes) -> str:
    """Return the name of one of `ALLOWED`.

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
