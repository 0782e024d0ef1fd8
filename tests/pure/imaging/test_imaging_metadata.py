"""What a source says about itself, and what of it a derivative may say; EXIF is planted and read back with piexif."""

import zlib

import piexif
import pytest
from pictures import encoded, four_corners, opened
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from udfs.imaging.metadata import MAX_CARRIED_BYTES, Metadata, carried, clean_text, embedded_in, read_metadata
from udfs.imaging.preset import Preset
from udfs.imaging.render import render

FORMATS = ["jpeg", "webp", "avif", "png"]
PROFILE = bytes(16) + b"RGB " + bytes(108)

EXIF = {
    "0th": {
        piexif.ImageIFD.Make: b"Fabrikam",
        piexif.ImageIFD.Model: b"F-1",
        piexif.ImageIFD.Orientation: 6,
        piexif.ImageIFD.Copyright: "© 2024 Jörg".encode(),
        piexif.ImageIFD.Artist: b"Joerg",
        piexif.ImageIFD.Software: b"Lightbox 9",
    },
    "Exif": {
        piexif.ExifIFD.DateTimeOriginal: b"2024:05:06 07:08:09",
        piexif.ExifIFD.OffsetTimeOriginal: b"+05:30",
        piexif.ExifIFD.BodySerialNumber: b"SERIAL-4711",
        piexif.ExifIFD.MakerNote: b"MAKERNOTE-SECRET",
    },
    "GPS": {
        piexif.GPSIFD.GPSLatitudeRef: b"N",
        piexif.GPSIFD.GPSLatitude: ((52, 1), (31, 1), (12, 1)),
        piexif.GPSIFD.GPSMapDatum: b"GPS-DATUM-WGS84",
    },
    "1st": {piexif.ImageIFD.Compression: 6},
    "thumbnail": encoded(Image.new("RGB", (16, 16), "red"), "JPEG", comment=b"THUMBNAIL-INSIDE"),
}
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
    b'<rdf:Description tiff:Orientation="6" exif:GPSLatitude="XMP-GPS-52N">'
    b"<xmp:Thumbnails><rdf:Alt><rdf:li><xmpGImg:image>XMPTHUMB</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
SECRETS = [b"SERIAL-4711", b"MAKERNOTE", b"GPS", b"WGS84", b"XMP-GPS", b"Lightbox", b"Fabrikam", b"THUMB", b"COMMENT"]


def planted(format="jpeg", exif=EXIF, xmp=XMP):
    image = four_corners()
    if format == "avif":  # Pillow would write its EXIF anew, with question marks, to take the orientation out of it
        exif = exif | {"0th": {tag: value for tag, value in exif["0th"].items() if tag != piexif.ImageIFD.Orientation}}
    options = {"exif": piexif.dump(exif), "icc_profile": PROFILE}
    if format == "png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Comment", "COMMENT-PLAIN")
        options["pnginfo"].add_text("Comment", "COMMENT-ZIPPED", zip=True)
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    else:
        options["xmp"] = xmp
    if format == "jpeg":
        options["comment"] = b"COMMENT-IN-JPEG"
    return encoded(image, format.upper(), **options)


def derived(source, format, policy="strip", **keys):
    quality = {} if format == "png" else {"quality": 80}
    preset = Preset(name="some", width=60, format=format, metadata=policy, **quality, **keys)
    rendering = render(source, [preset])
    assert rendering.failures == ()
    return rendering.derivatives[0].data


def exif_of(data):
    """Return what an independent reader finds."""
    raw = opened(data).info.get("exif", b"")
    return piexif.load(raw) if raw else None


def unpacked(data):
    """Return the bytes, and after them what zlib streams in them hold: the text chunks of a PNG."""
    found = bytearray(data)
    for start in range(len(data) - 1):
        if data[start] == 0x78 and (data[start] * 256 + data[start + 1]) % 31 == 0:
            try:
                found += zlib.decompressobj().decompress(data[start:])
            except zlib.error:
                continue
    return bytes(found)


@pytest.mark.parametrize("source", FORMATS)
def test_the_secrets_are_in_the_source(source):
    data = unpacked(planted(source))
    missing = [secret for secret in SECRETS if secret not in data]
    assert missing == ([] if source in ("jpeg", "png") else [b"COMMENT"])


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("format", [*FORMATS, "gif"])
def test_strip_leaves_nothing(source, format):
    quality = {} if format in ("png", "gif") else {"quality": 80}
    (derivative,) = render(planted(source), [Preset(name="some", width=60, format=format, **quality)]).derivatives
    data = unpacked(derivative.data)
    for trace in (*SECRETS, b"Exif", b"eXIf", b"adobe", b"xmp", b"XML:", b"ICC", b"iCCP", b"EXIF", b"tEXt", b"2024"):
        assert trace not in data, trace
    assert not {"exif", "xmp", "comment", "icc_profile", "photoshop", "dpi"} & set(opened(derivative.data).info)


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("format", FORMATS)
def test_attribution_is_who_and_when_and_nothing_else(source, format):
    data = derived(planted(source), format, "attribution")
    exif = exif_of(data)
    exif["0th"].pop(piexif.ImageIFD.ExifTag)
    assert exif["0th"] == {
        piexif.ImageIFD.Copyright: "© 2024 Jörg".encode(),
        piexif.ImageIFD.Artist: b"Joerg",
    }
    assert exif["Exif"] == {
        piexif.ExifIFD.DateTimeOriginal: b"2024:05:06 07:08:09",
        piexif.ExifIFD.OffsetTimeOriginal: b"+05:30",
    }
    assert (exif["GPS"], exif["1st"], exif["thumbnail"]) == ({}, {}, None)
    for secret in SECRETS:
        assert secret not in unpacked(data), secret


def test_attribution_of_nobody_is_no_exif():
    data = derived(
        planted(exif={"GPS": EXIF["GPS"], "0th": {piexif.ImageIFD.Make: b"Fabrikam"}}), "jpeg", "attribution"
    )
    assert b"Exif" not in data


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("format", FORMATS)
def test_all_is_what_the_source_says_upright_and_without_thumbnails(source, format):
    data = derived(planted(source), format, "all")
    exif = exif_of(data)
    assert piexif.ImageIFD.Orientation not in exif["0th"]  # which means 1
    for tag in (piexif.ImageIFD.Make, piexif.ImageIFD.Model, piexif.ImageIFD.Copyright, piexif.ImageIFD.Software):
        assert exif["0th"][tag] == EXIF["0th"][tag]
    assert exif["GPS"] == EXIF["GPS"]
    assert exif["Exif"][piexif.ExifIFD.BodySerialNumber] == b"SERIAL-4711"
    assert (exif["1st"], exif["thumbnail"]) == ({}, None)
    xmp = opened(data).info["xmp"]
    assert b"XMP-GPS-52N" in xmp
    assert b'tiff:Orientation="1"' in xmp
    assert b"THUMB" not in unpacked(data)
    assert b"COMMENT" not in unpacked(data)


@pytest.mark.parametrize("format", FORMATS)
def test_the_picture_is_upright_whatever_the_policy(format):
    sizes = {opened(derived(planted(), format, policy)).size for policy in ("strip", "attribution", "all")}
    assert sizes == {(60, 90)}


def test_a_tiff_keeps_no_tag_of_how_its_pixels_are_stored():
    tags = Image.Exif()
    tags[piexif.ImageIFD.Make] = "Fabrikam"
    tags[piexif.ImageIFD.Artist] = "Joerg"
    data = derived(encoded(four_corners(), "TIFF", exif=tags), "jpeg", "all")
    assert exif_of(data)["0th"] == {
        piexif.ImageIFD.Make: b"Fabrikam",
        piexif.ImageIFD.Artist: b"Joerg",
    }


def test_too_much_xmp_or_exif_is_left_out():
    heavy = {"0th": {piexif.ImageIFD.ImageDescription: b"d" * 40_000, piexif.ImageIFD.Artist: b"a" * 24_000}}
    source = planted("png", heavy, b"<x>" + b" " * MAX_CARRIED_BYTES)
    kept = carried(embedded(source), "all", None)
    assert kept.xmp == b""
    assert 64_000 < len(kept.exif) < MAX_CARRIED_BYTES
    assert exif_of(derived(source, "jpeg", "all"))["0th"][piexif.ImageIFD.Artist] == b"a" * 24_000
    heavy["0th"][piexif.ImageIFD.Copyright] = b"c" * 2_000
    assert carried(embedded(planted("png", heavy)), "all", None).exif == b""


def embedded(source):
    image = opened(source)
    return embedded_in(image, image.info)


def read(exif):
    return read_metadata(embedded(planted(exif=exif)))


@pytest.mark.parametrize("format", [*FORMATS, "tiff"])
def test_what_every_format_tells(format):
    ascii_only = {"0th": EXIF["0th"] | {piexif.ImageIFD.Copyright: b"(c) 2024 Joerg"}, "Exif": EXIF["Exif"]}
    if format == "tiff":
        tags = Image.Exif()
        tags.load(piexif.dump(ascii_only))
        source = encoded(four_corners(), "TIFF", exif=tags)
    else:
        source = planted(format, ascii_only)
    assert read_metadata(embedded(source)) == Metadata(
        "(c) 2024 Joerg", "Joerg", "2024-05-06T07:08:09+05:30", "Fabrikam", "F-1"
    )


@pytest.mark.parametrize(
    ("date", "offset", "expected"),
    [
        (b"2024:05:06 07:08:09", None, "2024-05-06T07:08:09"),
        (b"2024:05:06 07:08:09", b"-08:00", "2024-05-06T07:08:09-08:00"),
        (b"2024:05:06 07:08:09", b"nowhere", "2024-05-06T07:08:09"),
        (b"0000:00:00 00:00:00", None, None),
        (b"2024:13:06 07:08:09", None, None),
        (b"    :  :     :  :  ", None, None),
        (b"yesterday", b"+01:00", None),
    ],
)
def test_dates(date, offset, expected):
    details = {piexif.ExifIFD.DateTimeOriginal: date}
    if offset:
        details[piexif.ExifIFD.OffsetTimeOriginal] = offset
    known = read({"0th": {piexif.ImageIFD.Make: b"Fabrikam"}, "Exif": details})
    assert known.captured_at == expected
    assert known.camera_make == "Fabrikam"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("  a \x00\x1b[31m\r\nb\u202e ", "a [31m b"),
        ("J\xc3\xb6rg", "Jörg"),
        ("J\xf6rg", "Jörg"),
        ("x" * 5_000, "x" * 200),
        ("\x00\x00", None),
        ("", None),
        (b"bytes", None),
        (7, None),
        (None, None),
        (("a", "b"), None),
    ],
)
def test_hostile_text_becomes_one_clean_line(value, expected):
    assert clean_text(value) == expected


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning", "ignore:T:UserWarning")
def test_damaged_exif_is_no_metadata():
    """Cut and overwritten at every place: never an exception, and a picture each time."""
    whole = piexif.dump(EXIF)
    for place in range(6, len(whole), 7):
        for damaged in (whole[:place], whole[:place] + b"\xff\xfe\x00\xff" + whole[place + 4 :]):
            found = embedded(encoded(four_corners(), "JPEG", exif=damaged))
            assert len(read_metadata(found).artist or "") <= 200
            for policy in ("attribution", "all"):
                assert len(carried(found, policy, None).exif) <= MAX_CARRIED_BYTES


def test_a_profile_is_carried_when_it_is_to_be_kept():
    found = embedded(planted())
    assert carried(found, "strip", PROFILE).profile == PROFILE
    assert carried(found, "strip", None).profile is None
