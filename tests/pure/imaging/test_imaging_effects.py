"""The effects on the pixels of one picture: what they change, by how much, and what they leave alone."""

import math

import numpy as np
import pytest
from pictures import four_corners, mean_difference, opened, photo
from PIL import Image

from udfs.imaging.steps import STEPS
from udfs.imaging.steps.blur import blur
from udfs.imaging.steps.grayscale import grayscale
from udfs.imaging.steps.round_corners import round_corners
from udfs.imaging.steps.sharpen import UnsharpMask, sharpen


def half_transparent(width=64, height=64, colour=(200, 40, 40)):
    """The left half is opaque, the right half transparent, with an odd colour behind it."""
    image = Image.new("RGBA", (width, height), (0, 255, 0, 0))
    image.paste((*colour, 255), (0, 0, width // 2, height))
    return image


def spread(image):
    return float(np.asarray(image, float).std())


def test_colour_goes_before_colour_comes_in_and_the_outline_is_cut_last():
    order = [getattr(step, "key", None) or step.__name__ for step in STEPS]
    assert [key for key in order if key in ("delivery_mode", "grayscale", "pad", "watermark", "text")] == [
        "delivery_mode", "grayscale", "pad", "watermark", "text",
    ]  # fmt: skip
    assert order.index("blur") < order.index("pad") > order.index("sharpen")
    assert order[-1] == "corner_radius"


@pytest.mark.parametrize(("colour", "luma"), [("red", 76), ("lime", 150), ("blue", 29), ("white", 255)])
def test_grayscale_is_the_luma_of_bt_601(colour, luma):
    assert grayscale(Image.new("RGB", (1, 1), colour), True, 1.0).getpixel((0, 0)) == luma


def test_grayscale_keeps_alpha():
    image = grayscale(Image.new("RGBA", (2, 2), (255, 0, 0, 77)), True, 1.0)
    assert (image.mode, image.getpixel((0, 0))) == ("LA", (76, 77))


@pytest.mark.parametrize("sigma", [1.0, 2.5, 6.0])
def test_blur_of_a_point_has_the_spread_of_its_gaussian(sigma):
    point = Image.new("L", (101, 101))
    point.paste(255, (48, 48, 53, 53))  # variance 2 along each side
    across = np.asarray(blur(point, sigma, 1.0), float).sum(axis=0)
    offsets = np.arange(101) - 50
    variance = (across * offsets**2).sum() / across.sum()
    assert math.sqrt(variance) == pytest.approx(math.hypot(sigma, math.sqrt(2)), rel=0.1)


def test_blur_is_wider_on_a_denser_screen():
    image = opened(photo())
    assert blur(image, 2.0, 2.0).tobytes() == blur(image, 4.0, 1.0).tobytes()
    assert spread(blur(image, 2.0, 2.0)) < spread(blur(image, 2.0, 1.0)) < spread(image)


def test_blur_takes_no_colour_from_transparent_pixels():
    blurred = np.asarray(blur(half_transparent(), 4.0, 1.0))
    seen = blurred[blurred[..., 3] > 32]
    assert np.abs(seen[:, :3].astype(int) - (200, 40, 40)).max() <= 8
    assert 100 < blurred[32, 32, 3] < 155  # the edge itself is soft


def test_blur_repeats_the_edge_instead_of_darkening_it():
    assert mean_difference(blur(Image.new("RGB", (9, 9), "white"), 30, 1.0), Image.new("RGB", (9, 9), "white")) == 0


def test_sharpen_overshoots_on_both_sides_of_an_edge_by_its_amount():
    edge = Image.new("L", (40, 10), 100)
    edge.paste(150, (20, 0, 40, 10))
    sharp = np.asarray(sharpen(edge, 100, 1.0))[5]
    soft = np.asarray(blur(edge, 1.0, 1.0), int)[5]
    expected = 2 * np.asarray(edge, int)[5] - soft
    assert np.abs(sharp - expected).max() <= 1
    assert sharp[19] < 90
    assert sharp[20] > 160
    assert sharp[0] == 100


def test_sharpen_by_a_number_is_the_mask_with_a_radius_of_one_pixel():
    image = opened(photo())
    same = sharpen(image, UnsharpMask(radius=1.0, amount=70), 1.0)
    assert sharpen(image, 70, 1.0).tobytes() == same.tobytes()
    assert spread(image) < spread(sharpen(image, 70, 1.0)) < spread(sharpen(image, 200, 1.0))


def test_sharpen_looks_further_on_a_denser_screen():
    image = opened(photo())
    wider = sharpen(image, UnsharpMask(radius=3.0, amount=70), 1.0)
    assert sharpen(image, UnsharpMask(radius=1.5, amount=70), 2.0).tobytes() == wider.tobytes()


def test_sharpen_leaves_the_outline_and_its_colour():
    image = blur(half_transparent(), 1.5, 1.0)
    sharp = np.asarray(sharpen(image, 300, 1.0))
    assert (sharp[..., 3] == np.asarray(image)[..., 3]).all()
    assert np.abs(sharp[:, :31, :3].astype(int) - (200, 40, 40)).max() <= 12


def test_round_corners_covers_the_area_that_geometry_says():
    rounded = round_corners(Image.new("RGB", (200, 120), "red"), 40, 1.0)
    area = np.asarray(rounded.getchannel("A"), float).sum() / 255
    assert rounded.mode == "RGBA"
    assert area == pytest.approx(200 * 120 - (4 - math.pi) * 40**2, abs=4)


@pytest.mark.parametrize("size", [(90, 90), (91, 91), (60, 61)])
def test_full_corners_make_a_circle_that_is_the_same_from_every_side(size):
    alpha = round_corners(Image.new("L", size, 9), "full", 1.0).getchannel("A")
    coverage = np.asarray(alpha)
    side = min(size)
    assert (coverage == coverage[::-1]).all()
    assert (coverage == coverage[:, ::-1]).all()
    pill = math.pi * side**2 / 4 + side * (max(size) - side)
    assert coverage.sum() / 255 == pytest.approx(pill, rel=0.002)
    assert coverage[0, 0] == 0
    assert coverage[size[1] // 2, size[0] // 2] == 255


def test_round_corners_are_smooth():
    alpha = np.asarray(round_corners(Image.new("RGB", (200, 200)), 100, 1.0).getchannel("A"))
    assert len(np.unique(alpha)) > 30


def test_the_radius_grows_with_the_pixel_ratio_and_ends_at_half_the_side():
    image = Image.new("RGB", (100, 60), "red")
    assert round_corners(image, 10, 2.0).tobytes() == round_corners(image, 20, 1.0).tobytes()
    assert round_corners(image, 8000, 4.0).tobytes() == round_corners(image, "full", 1.0).tobytes()


def test_round_corners_keep_the_transparency_there_was():
    rounded = round_corners(half_transparent(), 10, 1.0)
    alpha = np.asarray(rounded.getchannel("A"))
    assert alpha[0, 0] == 0
    assert alpha[32, 16] == 255
    assert (alpha[:, 32:] == 0).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_an_effect_leaves_the_picture_it_was_given_as_it_was(mode):
    image = four_corners().convert(mode)
    before = image.tobytes()
    for apply, wanted in ((blur, 3.0), (sharpen, 100), (round_corners, 20), (grayscale, True)):
        apply(image, wanted, 1.0)
        assert (image.mode, image.tobytes()) == (mode, before)
