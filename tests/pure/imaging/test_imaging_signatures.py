import pytest
from pictures import encoded, four_corners

from udfs.imaging.errors import NotAnImage, UnsupportedFormat
from udfs.imaging.probe import DECODERS
from udfs.imaging.signatures import ALLOWED, find_format


@pytest.mark.parametrize("format", [name for name, _ in ALLOWED])
def test_every_allowed_format_is_found_from_its_content(format):
    assert find_format(encoded(four_corners(), format.upper())) == format


def test_every_signature_has_a_decoder():
    assert [name for name, _ in ALLOWED] == list(DECODERS)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\0\0\0\x20ftypavif" + bytes(40), "AVIF"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (b"\xff\x0a" + bytes(40), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"%PDF-1.7\n", "PDF"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>", "SVG"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\1\0\1\0\x10\x10", "icon"),
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
