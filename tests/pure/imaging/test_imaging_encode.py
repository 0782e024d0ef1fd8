import pytest
from pictures import four_corners, opened
from PIL import Image

from udfs.imaging.encode import encode
from udfs.imaging.errors import RenderFailed
from udfs.imaging.preset import Preset

PROFILE = bytes(16) + b"RGB " + bytes(108)


def preset(format, quality=80):
    return Preset(name="some", geometry="fit", width=10, format=format, quality=None if format == "png" else quality)


@pytest.mark.parametrize("format", ["jpeg", "webp", "png"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_each_format_comes_out(format, mode):
    image = opened(encode(four_corners().convert(mode), preset(format), None))
    assert (image.format, image.size) == (format.upper(), (120, 80))


@pytest.mark.parametrize("format", ["webp", "png"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_survives_where_it_can(format, mode):
    image = opened(encode(Image.new(mode, (9, 9), 0), preset(format), None))
    assert image.convert("RGBA").getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("format", ["jpeg", "webp", "png"])
def test_a_profile_goes_with_rgb_pixels_only(format):
    assert opened(encode(four_corners(), preset(format), PROFILE)).info.get("icc_profile") == PROFILE
    assert "icc_profile" not in opened(encode(four_corners().convert("L"), preset(format), PROFILE)).info


def test_lower_quality_is_smaller():
    sizes = [len(encode(Image.effect_noise((99, 99), 50), preset("jpeg", quality), None)) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(("format", "side"), [("webp", 16_384), ("jpeg", 65_501)])
def test_a_side_longer_than_the_format_can_say(format, side):
    with pytest.raises(RenderFailed, match=f"preset some: 1x{side} px, {format} ends at .* bound both sides"):
        encode(Image.new("L", (1, side)), preset(format), None)


def test_pixels_an_encoder_cannot_hold():
    with pytest.raises(RenderFailed, match="preset some: jpeg cannot hold 2x2 px RGBA"):
        encode(Image.new("RGBA", (2, 2)), preset("jpeg"), None)
