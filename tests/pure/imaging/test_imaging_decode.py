from functools import partial

import pytest
from pictures import encoded, exif_orientation, four_corners, photo
from PIL import Image, ImageOps

from udfs.imaging.decode import decode, read_orientation
from udfs.imaging.errors import CorruptImage, UnsupportedFormat
from udfs.imaging.geometry import Size, fit
from udfs.imaging.limits import Limits
from udfs.imaging.probe import probe
from udfs.imaging.signatures import ALLOWED


def decoded(source, width=10_000):
    return decode(probe(source, Limits()), lambda size: [fit(size, width, None)])


@pytest.mark.parametrize("format", [name for name, _ in ALLOWED])
@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_file_cut_at_any_tenth_is_corrupt(format, tenths):
    whole = encoded(Image.effect_noise((300, 200), 60).convert("RGB"), format.upper())
    with pytest.raises(CorruptImage):
        decoded(whole[: len(whole) * tenths // 10])


@pytest.mark.parametrize("options", [{"progressive": True}, {"progressive": False}])
@pytest.mark.parametrize("width", [10_000, 20])
def test_a_cut_jpeg_is_corrupt_at_every_scale(options, width):
    whole = encoded(Image.effect_noise((300, 200), 60).convert("RGB"), "JPEG", **options)
    for cut in (len(whole) // 2, len(whole) - 300):
        with pytest.raises(CorruptImage):
            decoded(whole[:cut], width)


@pytest.mark.parametrize(("width", "scale"), [(640, 1), (180, 2), (90, 4), (45, 8)])
def test_a_jpeg_is_decoded_only_as_large_as_needed(width, scale):
    copy = decoded(photo(), width)
    assert copy.scale == scale
    assert copy.image.size == (-(-640 // scale), -(-427 // scale))
    assert (copy.stored, copy.displayed) == (Size(640, 427), Size(640, 427))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_displayed_size_follows_the_orientation(format, orientation):
    copy = decoded(encoded(four_corners(), format, exif=exif_orientation(orientation)))
    assert copy.displayed == ((80, 120) if orientation > 4 else (120, 80))


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    assert decoded(encoded(four_corners(), "JPEG", exif=exif_orientation(orientation))).orientation == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_metadata_do_not_refuse_a_picture():
    assert decoded(encoded(four_corners(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff")).orientation == 1
    assert read_orientation(Image.new("L", (1, 1))) == 1


def test_the_decoded_copy_carries_no_metadata():
    assert decoded(photo("rocket.jpg")).image.info == {}  # this file has a comment


def test_an_rgb_profile_is_kept_and_a_grey_or_huge_one_is_not():
    rgb, grey = bytes(16) + b"RGB " + bytes(108), bytes(16) + b"GRAY" + bytes(108)
    keep = partial(encoded, four_corners(), "JPEG")
    assert decoded(keep(icc_profile=rgb)).rgb_profile == rgb
    assert decoded(keep(icc_profile=grey)).rgb_profile is None
    assert decoded(keep(icc_profile=rgb + bytes(70_000))).rgb_profile is None


@pytest.mark.parametrize("mode", ["I", "F", "LAB"])
def test_pixels_without_an_agreed_white_are_refused(mode):
    with pytest.raises(UnsupportedFormat, match=f"pixels of mode {mode} .* convert it"):
        decoded(encoded(Image.new(mode, (4, 4)), "TIFF"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once(orientation):
    source = encoded(four_corners(), "TIFF", exif=exif_orientation(orientation))
    tagged = four_corners()
    tagged.getexif()[0x0112] = orientation
    copy = decoded(source)
    assert copy.orientation == 1
    assert copy.image.tobytes() == ImageOps.exif_transpose(tagged).tobytes()
