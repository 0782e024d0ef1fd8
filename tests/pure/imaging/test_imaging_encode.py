"""Each format: what comes out, what it can hold, and what the keys of a preset do to it."""

import struct

import numpy as np
import pytest
from pictures import decibels, four_corners, opened, photo
from PIL import Image

from udfs.imaging.encode import Options, Target, encode
from udfs.imaging.errors import RenderFailed
from udfs.imaging.metadata import Carried
from udfs.imaging.preset import Preset

PROFILE = bytes(16) + b"RGB " + bytes(108)
FORMATS = ["jpeg", "webp", "avif", "png", "gif"]
LOSSY = ["jpeg", "webp", "avif"]


def preset(format, **keys):
    quality = {"quality": keys.pop("quality", 80)} if format in LOSSY else {}
    return Preset(name="some", geometry="fit", width=10, format=format, **quality, **keys)


def made(image, format, carried=None, **keys):
    return encode(image, Target(format), Options(preset(format, **keys), carried or Carried()))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_each_format_shows_the_picture(format, mode):
    image = opened(photo("flower.jpg")).convert(mode)
    encoded = made(image, format)
    shown = opened(encoded.data)
    assert (shown.format, shown.size, encoded.frames) == (format.upper(), (encoded.width, encoded.height), 1)
    assert (encoded.format, encoded.content_type) == (format, f"image/{format}")
    assert encoded.extension == ("jpg" if format == "jpeg" else format)
    assert decibels(shown.convert("RGB"), image.convert("RGB")) > 30


@pytest.mark.parametrize("format", ["webp", "avif", "png", "gif"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_survives_where_it_can(format, mode):
    image = Image.new(mode, (9, 9), 0)
    image.paste(Image.new(mode, (9, 4), "white"), (0, 0))
    alpha = opened(made(image, format).data).convert("RGBA").getchannel("A")
    assert (alpha.getpixel((4, 1)), alpha.getpixel((4, 7))) == pytest.approx((255, 0), abs=3)


def test_a_jpeg_lies_on_the_background():
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    assert opened(made(image, "jpeg", background="#00ff00").data).getpixel((9, 9)) == pytest.approx((0, 255, 1), abs=3)


def test_a_gif_shows_a_pixel_or_does_not_and_edges_lie_on_the_background():
    image = Image.new("RGBA", (3, 1))
    for x, alpha in enumerate((127, 128, 255)):
        image.putpixel((x, 0), (200, 0, 0, alpha))
    shown = opened(made(image, "gif", background="#0000c8").data).convert("RGBA")
    hidden, half, full = shown.get_flattened_data()
    assert hidden[3] == 0
    assert half == pytest.approx((100, 0, 100, 255), abs=2)
    assert full == (200, 0, 0, 255)


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif", "png"])
def test_a_profile_goes_along(format):
    assert opened(made(four_corners(), format, Carried(PROFILE)).data).info.get("icc_profile") == PROFILE
    assert not opened(made(four_corners(), format).data).info.get("icc_profile")


@pytest.mark.parametrize("format", LOSSY)
def test_lower_quality_is_smaller(format):
    sizes = [len(made(opened(photo()), format, quality=quality).data) for quality in (20, 60, 95)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("format", ["webp", "avif", "png"])
def test_effort_makes_it_smaller(format):
    fast, thorough = (made(opened(photo()), format, effort=effort).data for effort in (0, 6))
    assert len(thorough) < len(fast)


@pytest.mark.parametrize("format", ["webp", "avif", "png"])
def test_every_effort_is_known(format):
    for effort in range(7):
        assert opened(made(four_corners(40, 30), format, effort=effort).data).size == (40, 30)


@pytest.mark.parametrize(
    ("subsampling", "factors"), [("4:2:0", (2, 2)), ("4:2:2", (2, 1)), ("4:4:4", (1, 1))], ids=lambda value: str(value)
)
def test_chroma_subsampling(subsampling, factors):
    jpeg = opened(made(four_corners(), "jpeg", chroma_subsampling=subsampling).data)
    assert jpeg.layer[0][1:3] == factors
    red_and_blue = Image.fromarray(np.tile(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), (32, 16, 1)))
    avif = opened(made(red_and_blue, "avif", chroma_subsampling=subsampling, quality=100).data)
    assert (decibels(avif, red_and_blue) > 25) == (subsampling == "4:4:4")


def test_a_progressive_jpeg_appears_in_passes():
    assert opened(made(four_corners(), "jpeg", progressive=True).data).info.get("progressive")
    assert "progressive" not in opened(made(four_corners(), "jpeg").data).info


@pytest.mark.parametrize(
    ("format", "side"), [("webp", 16_384), ("jpeg", 65_501), ("avif", 32_769), ("gif", 65_536)], ids=str
)
def test_a_side_longer_than_the_format_can_say(format, side):
    with pytest.raises(RenderFailed, match=f"preset some: 1x{side} px, {format} ends at .* bound both sides"):
        made(Image.new("L", (1, side)), format)


@pytest.mark.parametrize(
    ("format", "side"),
    [("webp", 16_383), ("jpeg", 65_500), ("avif", 32_768), ("gif", 65_535), ("png", 70_000)],
    ids=str,
)
def test_the_longest_side_that_it_can_say(format, side):
    assert opened(made(Image.new("L", (1, side)), format).data).size == (1, side)


def test_pixels_an_encoder_cannot_hold():
    with pytest.raises(RenderFailed, match="preset some: jpeg cannot hold 2x2 px HSV"):
        made(Image.new("HSV", (2, 2)), "jpeg")


def png_header(data):
    depth, colour = struct.unpack_from("BB", data, 24)
    return {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGBA"}[colour], depth


@pytest.mark.parametrize(
    ("image", "header"),
    [
        (four_corners(), ("palette", 2)),
        (four_corners().convert("RGBA"), ("palette", 2)),
        (Image.new("RGBA", (9, 9), (1, 2, 3, 77)), ("palette", 1)),
        (Image.new("L", (9, 9), 7), ("palette", 1)),
        (Image.linear_gradient("L"), ("grey", 8)),
        (Image.linear_gradient("L").convert("RGB"), ("palette", 8)),
        (opened(photo()), ("RGB", 8)),
        (opened(photo()).convert("RGBA"), ("RGBA", 8)),
    ],
    ids=["4 colours", "4, with alpha", "half transparent", "1 grey", "256 greys", "256 colours", "photo", "with alpha"],
)
def test_a_png_is_exact_and_has_a_palette_where_that_is_enough(image, header):
    data = made(image, "png").data
    assert png_header(data) == header
    assert np.array_equal(np.asarray(opened(data).convert("RGBA")), np.asarray(image.convert("RGBA")))


def test_a_gif_of_few_colours_is_exact():
    assert np.array_equal(
        np.asarray(opened(made(four_corners(), "gif").data).convert("RGB")), np.asarray(four_corners())
    )


def test_a_gif_is_dithered():
    """Averaged over 8 x 8 pixels, the error of a smooth ramp vanishes; without dithering its steps would stay."""
    ramp = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize((400, 400), 1) for turn in (0, 90, 180)])
    shown = opened(made(ramp, "gif").data).convert("RGB")
    assert decibels(shown.reduce(8), ramp.reduce(8)) > 45
