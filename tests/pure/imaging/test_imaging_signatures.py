import pytest
from pictures import encoded, four_corners
from PIL import Image

from udfs.imaging.errors import NotAnImage, UnsupportedFormat
from udfs.imaging.formats import FORMATS
from udfs.imaging.signatures import ALLOWED, find_format


@pytest.mark.parametrize("format", [name for name, _ in ALLOWED])
def test_every_allowed_format_is_found_from_its_content(format):
    assert find_format(encoded(four_corners(), format.upper())) == format


def test_every_signature_has_a_decoder():
    assert [name for name, _ in ALLOWED] == list(FORMATS)


def test_nothing_is_registered_with_pillow():
    Image.init()
    assert not {"HEIF", "HEIC", "JXL"} & set(Image.OPEN)


@pytest.mark.parametrize(
    ("major", "compatible", "format"),
    [
        (b"avif", b"mif1miaf", "avif"),
        (b"avis", b"msf1", "avif"),
        (b"mif1", b"mif1avifmiaf", "avif"),
        (b"mif1", b"miafMA1Bavif", "avif"),
        (b"msf1", b"avis", "avif"),
        (b"heic", b"mif1heic", "heic"),
        (b"heix", b"mif1avif", "heic"),
        (b"mif1", b"mif1heic", "heic"),
        (b"mif1", b"mif1heicavif", "heic"),
        (b"mif1", b"mif1miaf", "heic"),
    ],
)
def test_the_brands_tell_avif_from_heic(major, compatible, format):
    size = (16 + len(compatible)).to_bytes(4, "big")
    assert find_format(size + b"ftyp" + major + bytes(4) + compatible) == format


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(30), "PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>", "SVG"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\1\0\1\0\x10\x10", "icon"),
        (b"\xd7\xcd\xc6\x9a\0\0", "a Windows metafile"),
        (b"\x01\0\0\0" + bytes(36) + b" EMF", "a Windows metafile"),
        (b"II\x2a\0\x10\0\0\0CR\x02\0", "camera raw"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera raw"),
        (b"IIRO\x08\0\0\0", "camera raw"),
        (b"FUJIFILMCCD-RAW 0201", "camera raw"),
        (b"\0\0\0\x20ftypisom" + bytes(20), "video"),
        (b"\0\0\0\x14ftypqt  " + bytes(20), "video"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81", "video"),
        (b"v/1\x01\x02\0\0\0", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"II\xbc\x01\x08\0\0\0", "JPEG XR"),
        (b"DDS \x7c\0\0\0", "DirectDraw"),
        (b"qoif\0\0\0\1", "QOI"),
        (b"P6\n12 8\n255\n", "Netpbm"),
        (b"\x8aMNG\r\n\x1a\n", "MNG"),
    ],
)
def test_known_formats_off_the_list_are_named(content, name):
    with pytest.raises(UnsupportedFormat, match=f"its content is {name}, .*convert it to one of jpeg, png"):
        find_format(content)


@pytest.mark.parametrize(
    "content", [b"x", b"hello, world", b"BMW is a car, not a picture, whatever it says", b"RIFF\0\0\0\0WAVE"]
)
def test_everything_else_is_no_image(content):
    with pytest.raises(NotAnImage, match="upload one of jpeg"):
        find_format(content)
