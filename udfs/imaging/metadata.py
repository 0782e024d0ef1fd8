"""What a source says about itself: who made it, when and with what; and what of that goes along with a derivative.

Hostile or damaged metadata are no metadata, never an exception. IPTC is not read.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from PIL.ExifTags import IFD, Base
from PIL.Image import Exif, Image

MAX_TEXT: Final = 200  # characters of a text
MAX_CARRIED_BYTES: Final = 65_000  # of EXIF, and of XMP: what one segment of a JPEG can hold, for every format

# Tags of a TIFF that tell how its pixels are stored, or hold other metadata: wrong in, or no part of, the EXIF of a
# derivative. Source: TIFF 6.0; 330 SubIFDs, 513 and 514 thumbnail, 700 XMP, 33723 IPTC, 34377 Photoshop, 34675 ICC.
STORAGE_TAGS: Final = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291}
    | {292, 293, 297, 301, 317, 318, 319, 320, 322, 323, 324, 325, 330, 332, 333, 334, 336, 338, 339, 340, 341, 347}
    | {512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 700, 33723, 34377, 34675}
)
DROPPED_TAGS: Final = STORAGE_TAGS | {Base.Orientation, IFD.Exif, IFD.GPSInfo}

EXIF_DATE: Final = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2}:\d{2}:\d{2})")
EXIF_OFFSET: Final = re.compile(r"[+-]\d{2}:\d{2}")
XMP_ORIENTATION: Final = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|\s*>)\s*)[2-8](?=\s*[\"'<])")
XMP_THUMBNAILS: Final = ((b"<xmp:Thumbnails", b"</xmp:Thumbnails>"), (b"<xap:Thumbnails", b"</xap:Thumbnails>"))


@dataclass(frozen=True, slots=True)
class Metadata:
    """What EXIF says; texts are one clean line of at most 200 characters.

    `captured_at` is ISO 8601, with an offset from UTC where the camera wrote one.
    """

    copyright: str | None = None
    artist: str | None = None
    captured_at: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """What goes along with the pixels: an ICC profile, EXIF (with its six bytes of signature) and XMP."""

    profile: bytes | None = None
    exif: bytes = b""
    xmp: bytes = b""


NOTHING_CARRIED: Final = Carried()


@dataclass(frozen=True, slots=True)
class Embedded:
    """The metadata of a source as they lie in it: EXIF, empty where it is damaged, and XMP."""

    exif: Exif
    xmp: bytes = b""


def embedded_in(image: Image, info: Mapping[Any, Any]) -> Embedded:
    """Find the metadata of a decoded source; `info` is what its header said, which decoding takes off the image."""
    try:
        exif = image.getexif()
    except Exception:  # Pillow promises no closed set
        exif = Exif()
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return Embedded(exif, xmp if isinstance(xmp, bytes) else b"")


def read_metadata(embedded: Embedded) -> Metadata:
    """Read what EXIF says."""
    try:
        exif = embedded.exif
        details = exif.get_ifd(IFD.Exif)
        return Metadata(
            copyright=clean_text(exif.get(Base.Copyright)),
            artist=clean_text(exif.get(Base.Artist)),
            captured_at=_iso_8601(details.get(Base.DateTimeOriginal), details.get(Base.OffsetTimeOriginal)),
            camera_make=clean_text(exif.get(Base.Make)),
            camera_model=clean_text(exif.get(Base.Model)),
        )
    except Exception:  # Pillow promises no closed set
        return Metadata()


def carried(embedded: Embedded, policy: Literal["strip", "attribution", "all"], profile: bytes | None) -> Carried:
    """Return what a derivative of the source keeps; the profile is not a matter of the policy.

    `attribution` is new EXIF of copyright, artist and capture date, and nothing else. `all` is the source's EXIF and
    XMP, upright and without thumbnails; what is larger than 65 000 bytes, or damaged, is left out.
    """
    if policy == "strip":
        return Carried(profile)
    if policy == "attribution":
        return Carried(profile, _attribution(read_metadata(embedded)))
    return Carried(profile, _bounded(_upright_exif(embedded.exif)), _upright_xmp(_bounded(embedded.xmp)))


def clean_text(value: Any) -> str | None:
    """Return one line without control characters, or None where there is nothing to read.

    EXIF's texts are ASCII by its standard and UTF-8 in practice; Pillow gives their bytes as Latin-1.
    """
    if not isinstance(value, str):
        return None
    try:
        value = value.encode("latin-1").decode()
    except ValueError:
        pass
    kept = "".join(" " if unicodedata.category(character)[0] in "CZ" else character for character in value[:4_000])
    return " ".join(kept.split())[:MAX_TEXT].rstrip() or None


def _iso_8601(date: Any, offset: Any) -> str | None:
    found = EXIF_DATE.match(date) if isinstance(date, str) else None
    if found is None:
        return None
    year, month, day, time = found.groups()
    east = EXIF_OFFSET.match(offset) if isinstance(offset, str) else None
    text = f"{year}-{month}-{day}T{time}{east[0] if east else ''}"
    try:
        datetime.fromisoformat(text)
    except ValueError:  # 0000:00:00, or month 13
        return None
    return text


def _attribution(known: Metadata) -> bytes:
    exif = Exif()
    for tag, text in ((Base.Copyright, known.copyright), (Base.Artist, known.artist)):
        if text:
            exif[tag] = text.encode()
    if known.captured_at:
        date, offset = known.captured_at[:19], known.captured_at[19:]
        details = {int(Base.DateTimeOriginal): date.replace("-", ":").replace("T", " ")}
        exif[IFD.Exif] = details | ({int(Base.OffsetTimeOriginal): offset} if offset else {})
    return exif.tobytes() if len(exif) else b""


def _upright_exif(read: Exif) -> bytes:
    """Write the source's EXIF anew, without its thumbnail, and without an orientation: none means upright."""
    try:
        written = Exif()
        for tag in set(read) - DROPPED_TAGS:
            written[tag] = _as_stored(read[tag])
        for directory in (IFD.Exif, IFD.GPSInfo):
            if entries := read.get_ifd(directory):
                written[directory] = {tag: _as_stored(value) for tag, value in entries.items() if tag != IFD.Interop}
        return written.tobytes() if len(written) else b""
    except Exception:  # damaged
        return b""


def _as_stored(value: Any) -> Any:
    """Undo Pillow's reading of texts as Latin-1: it would write a question mark for what is not ASCII."""
    return value.encode("latin-1") if isinstance(value, str) and not value.isascii() else value


def _upright_xmp(xmp: bytes) -> bytes:
    for begin, end in XMP_THUMBNAILS:
        first, last = xmp.find(begin), xmp.rfind(end)
        if 0 <= first < last:
            xmp = xmp[:first] + xmp[last + len(end) :]
    return XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


def _bounded(data: bytes) -> bytes:
    return data if len(data) <= MAX_CARRIED_BYTES else b""
