"""What the status says of a source, and what it must never say."""

import dataclasses

import piexif
import pytest
from pictures import encoded, four_corners, photo
from PIL import Image, ImageCms

from udfs.imaging.render import render

EXIF = {
    "0th": {
        piexif.ImageIFD.Make: b"Fabrikam",
        piexif.ImageIFD.Model: b"F-1",
        piexif.ImageIFD.Orientation: 6,
    },
    "Exif": {piexif.ExifIFD.DateTimeOriginal: b"2024:05:06 07:08:09", piexif.ExifIFD.OffsetTimeOriginal: b"+05:30"},
    "GPS": {piexif.GPSIFD.GPSLatitudeRef: b"N", piexif.GPSIFD.GPSLatitude: ((52, 1), (31, 1), (12, 1))},
}


def facts(source):
    return render(source, []).source


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_camera_capture_date_and_orientation(format):
    known = facts(encoded(four_corners(120, 80), format, exif=piexif.dump(EXIF)))
    assert (known.width, known.height, known.orientation) == (80, 120, 6)
    assert known.captured_at == "2024-05-06T07:08:09+05:30"
    assert (known.camera_make, known.camera_model) == ("Fabrikam", "F-1")


def test_nothing_is_made_up():
    known = facts(encoded(four_corners(), "PNG"))
    assert known.orientation == 1
    assert (known.color_profile, known.captured_at, known.camera_make, known.camera_model) == (None, None, None, None)


def test_the_place_is_no_fact():
    known = facts(encoded(four_corners(), "JPEG", exif=piexif.dump(EXIF)))
    assert not [field.name for field in dataclasses.fields(known) if "gps" in field.name or "lat" in field.name]
    assert "52" not in str(dataclasses.replace(known, sha256="", bytes=0))


def test_the_name_of_the_profile():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert "sRGB" in facts(encoded(four_corners(), "PNG", icc_profile=profile)).color_profile


@pytest.mark.parametrize(("mode", "has_alpha"), [("RGB", False), ("RGBA", True), ("L", False), ("LA", True)])
def test_alpha(mode, has_alpha):
    assert facts(encoded(Image.new(mode, (9, 9)), "PNG")).has_alpha is has_alpha


def test_every_fact_survives_hostile_text():
    exif = {
        "0th": {piexif.ImageIFD.Make: b"\x1b[31m" + b"x" * 3_000 + "ü\n".encode(), piexif.ImageIFD.Model: b"\xff\xfe"}
    }
    known = facts(encoded(four_corners(), "JPEG", exif=piexif.dump(exif)))
    assert len(known.camera_make) <= 200
    assert known.camera_make.isprintable()
    assert known.camera_model == "ÿþ"


def test_a_photograph():
    known = facts(photo("rocket.jpg"))
    assert (known.format, known.width, known.height, known.frames, known.orientation) == ("jpeg", 640, 427, 1, 1)
