"""Colours, sharpness and exposure, on pictures whose answer is known and on photographs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import opened, photo
from PIL import Image, ImageFilter
from scipy import ndimage

from udfs.imaging.signals.exposure import Exposure, exposure
from udfs.imaging.signals.palette import palette
from udfs.imaging.signals.paper import inside, thumbnail
from udfs.imaging.signals.sharpness import sharpness


def stripes(**widths):
    """Return a picture of upright stripes, colour by name to width in pixels."""
    picture = Image.new("RGB", (sum(widths.values()), 20))
    left = 0
    for colour, width in widths.items():
        picture.paste(colour, (left, 0, left + width, 20))
        left += width
    return picture


def test_the_palette_is_exact_and_most_present_first():
    picture = stripes(red=10, blue=40, lime=20, yellow=30)
    assert palette(picture) == ("#0000ff", "#ffff00", "#00ff00", "#ff0000")


def test_the_palette_has_five_colours_at_most():
    picture = stripes(red=10, blue=11, lime=12, yellow=13, black=14, white=15, magenta=16)
    assert palette(picture) == ("#ff00ff", "#ffffff", "#000000", "#ffff00", "#00ff00")


def test_tints_of_one_colour_are_one_colour_and_count_together():
    red_tints = Image.merge(
        "RGB", [Image.linear_gradient("L").point(lambda s: 190 + s // 8), *[Image.new("L", (256, 256))] * 2]
    )
    picture = Image.new("RGB", (256, 356), "#0040ff")
    picture.paste(red_tints)
    first, second = palette(picture)
    assert first[3:] == "0000"
    assert 190 <= int(first[1:3], 16) <= 222
    assert second == "#0040ff"


def test_pixels_more_than_half_transparent_have_no_colour():
    picture = stripes(red=50, blue=10).convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 127))
    assert palette(picture) == ("#ffffff",)
    picture.putalpha(Image.new("L", picture.size, 128))
    assert palette(picture) == ("#ff0000", "#0000ff")


def test_a_flower_on_dark_leaves():
    dark, *others = palette(thumbnail(opened(photo("flower.jpg"))))
    assert max(bytes.fromhex(dark[1:])) < 64
    red, green, blue = max((bytes.fromhex(colour[1:]) for colour in others), key=lambda colour: colour[0] - colour[2])
    assert red > 150
    assert green < 110
    assert blue < 60


@pytest.mark.parametrize(
    ("size", "expected"),
    [((512, 384), (100, 75)), ((512, 1), (100, 1)), ((1, 512), (1, 100)), ((100, 99), (100, 99)), ((7, 3), (7, 3))],
)
def test_thumbnails_keep_the_shape(size, expected):
    assert inside(size, 100) == expected
    assert thumbnail(Image.new("L", size)).size == expected


@given(st.tuples(st.integers(1, 256), st.integers(1, 256)), st.integers(0, 2**32))
def test_sharpness_is_the_variance_of_the_laplacian(size, seed):
    samples = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), np.uint8)
    expected = ndimage.laplace(samples.astype(float), mode="nearest").var()
    assert sharpness(Image.fromarray(samples)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["rocket.jpg", "flower.jpg", "camera.png", "brick.png"])
def test_a_blurred_copy_is_less_sharp(name):
    picture = opened(photo(name)).convert("L")
    measured = [sharpness(picture.filter(ImageFilter.GaussianBlur(radius))) for radius in (0, 1, 2, 4, 8)]
    assert measured == sorted(measured, reverse=True)
    assert measured[-1] < measured[0] / 20


def test_sharpness_can_be_compared_between_sizes():
    picture = opened(photo("flower.jpg")).convert("L")
    large, middle = picture.resize((512, 342), Image.Resampling.BOX), picture.resize((320, 214), Image.Resampling.BOX)
    assert sharpness(middle) == pytest.approx(sharpness(large), rel=0.35)


def test_a_picture_in_motion_is_less_sharp_than_any_other():
    still = [sharpness(opened(photo(name)).convert("L")) for name in ("rocket.jpg", "flower.jpg", "brick.png")]
    assert sharpness(opened(photo("clock_motion.png")).convert("L")) < min(still) / 5


@pytest.mark.parametrize(
    ("level", "shadows", "highlights"), [(0, 1, 0), (5, 1, 0), (6, 0, 0), (249, 0, 0), (250, 0, 1), (255, 0, 1)]
)
def test_clipping_begins_two_percent_from_the_ends(level, shadows, highlights):
    measured = exposure(Image.new("L", (3, 2), level), None)
    assert measured == Exposure(mean=pytest.approx(level / 255), shadows=shadows, highlights=highlights)


def test_exposure_counts_visible_pixels_only():
    luma, alpha = Image.new("L", (4, 1), 0), Image.new("L", (4, 1), 0)
    luma.putdata([0, 0, 255, 100])
    alpha.putdata([127, 128, 255, 255])
    assert exposure(luma, alpha) == Exposure(mean=pytest.approx(355 / 3 / 255), shadows=1 / 3, highlights=1 / 3)
