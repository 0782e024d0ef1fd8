"""Every kind of file that is read: format x mode x option, each against the pixels that it was made from."""

import pylibjxl
import pytest
from pictures import encoded, exif_orientation, four_corners, mean_difference
from PIL import Image, ImageCms, ImageOps

from tests.format_sources import CASES, CLOSE, base
from udfs.imaging.decode import decode
from udfs.imaging.errors import CorruptImage, UnsupportedFormat
from udfs.imaging.frames import frames
from udfs.imaging.geometry import Framing, Size, fit
from udfs.imaging.limits import Limits
from udfs.imaging.probe import probe

LIMITS = Limits()


def whole(displayed: Size) -> list[Framing]:
    """Ask for everything, so that nothing is decoded smaller."""
    return [fit(displayed, *displayed)]


def flattened(image: Image.Image) -> Image.Image:
    """RGB, over white where it is transparent."""
    image = image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, image.mode))
    if image.mode not in ("RGBA", "LA"):
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


def test_the_matrix_is_large_and_each_name_is_one():
    assert len({one.name for one in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_the_pixels_are_those_that_the_file_was_made_from(case):
    expected = flattened(case.expected())
    [(image, _)] = frames(probe(case.source(), LIMITS))
    assert image.mode in ("L", "La", "RGB", "RGBa", "CMYK")
    assert image.size == expected.size
    assert mean_difference(flattened(image), expected) <= case.tolerance


@pytest.mark.parametrize("case", CASES, ids=[one.name for one in CASES])
def test_decode_gives_the_same_pixels_as_the_first_frame(case):
    source = case.source()
    [(image, _)] = frames(probe(source, LIMITS))
    decoded = decode(probe(source, LIMITS), whole)
    assert decoded.image.mode == image.mode
    assert decoded.image.tobytes() == image.tobytes()


TURNS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # from what is shown to what is stored, the inverse of what EXIF's numbers ask of a viewer


def turned(format: str, orientation: int) -> bytes:
    """A picture that shows four corners, stored as the orientation has it."""
    turn = TURNS[orientation]
    stored = four_corners() if turn is None else four_corners().transpose(turn)
    if format == "JXL":
        return pylibjxl.jpeg_to_jxl(turned("JPEG", orientation))
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(format, {})
    return encoded(stored, format, exif=exif_orientation(orientation), **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC", "JXL"])
def test_orientation_is_applied_once_and_only_once(format, orientation):
    decoded = decode(probe(turned(format, orientation), LIMITS), whole)
    image = decoded.image.convert("RGB")
    image.getexif()[0x0112] = decoded.orientation
    upright = ImageOps.exif_transpose(image)
    assert (upright.size, decoded.displayed) == ((120, 80), (120, 80))
    assert mean_difference(upright, four_corners()) < CLOSE


def test_exif_alone_does_not_turn_a_heic():
    source = encoded(four_corners(), "HEIC", exif=exif_orientation(6))
    assert source.count(b"irot\3") == 1
    decoded = decode(probe(source.replace(b"irot\3", b"irot\0"), LIMITS), whole)
    assert (decoded.orientation, decoded.displayed) == (1, (120, 80))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_samples_without_a_white_are_refused(mode):
    with pytest.raises(UnsupportedFormat, match="no agreed white; convert it to 8 or 16 bits"):
        list(frames(probe(encoded(base().convert("L").convert(mode), "TIFF"), LIMITS)))


def test_the_profile_of_a_jxl_is_read():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = encoded(base(), "JXL", lossless=True, icc=profile)
    probed = probe(source, LIMITS)
    probed.image.load()
    assert probed.image.info["icc_profile"][16:20] == b"RGB "


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIC", "JXL"])
def test_half_a_file_is_corrupt(format):
    source = encoded(base(), format)
    with pytest.raises(CorruptImage, match="upload the whole"):
        list(frames(probe(source[: len(source) // 2], LIMITS)))
