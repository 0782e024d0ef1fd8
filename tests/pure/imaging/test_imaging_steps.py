"""Each step of the pipeline that comes before the effects, on pictures small enough to reason about."""

import pytest
from pictures import four_corners, mean_difference
from PIL import Image, ImageOps
from profiles import gray_profile, vips_profile

from udfs.imaging.geometry import Box, Framing, Size, displayed, to_stored
from udfs.imaging.plan import Plan
from udfs.imaging.press_profile import press_profile
from udfs.imaging.shrink import shrink
from udfs.imaging.steps import STEPS, develop
from udfs.imaging.steps.delivery_mode import delivery_mode
from udfs.imaging.steps.orient import orient
from udfs.imaging.steps.to_srgb import to_srgb


def plan(size=(10, 10), box=None, **parameters):
    return Plan(box=box or (0, 0, *size), size=size, **parameters)


def test_the_pixels_are_upright_in_srgb_with_straight_alpha_before_any_effect():
    assert STEPS[:3] == (orient, to_srgb, delivery_mode)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: getattr(step, "key", getattr(step, "__name__", "")))
def test_a_step_with_nothing_to_do_returns_the_same_image(step):
    image = four_corners()
    assert step(image, plan(size=image.size)) is image


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orient_agrees_with_pillow(orientation):
    stored = four_corners()
    tagged = stored.copy()
    tagged.getexif()[0x0112] = orientation
    expected = ImageOps.exif_transpose(tagged)
    assert orient(stored, plan(orientation=orientation)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_cropping_before_turning_equals_turning_before_cropping(orientation):
    stored = Image.effect_noise((37, 23), 90)
    turned = orient(stored, plan(orientation=orientation))
    crop = Box(3, 5, 16, 20)
    framing = to_stored(Framing(crop, Size(13, 15)), Size(*stored.size), orientation)
    assert displayed(framing.size, orientation) == (13, 15)
    cut = orient(stored.crop(framing.crop), plan(orientation=orientation))
    assert cut.tobytes() == turned.crop(crop).tobytes()


@pytest.mark.parametrize(("mode", "delivered"), [("RGBa", "RGBA"), ("La", "LA"), ("CMYK", "RGB"), ("L", "L")])
def test_delivery_mode(mode, delivered):
    assert delivery_mode(Image.new(mode, (2, 2)), plan()).mode == delivered


@pytest.mark.parametrize(
    ("mode", "profile", "delivered"),
    [
        ("RGB", vips_profile("p3"), "RGB"),
        ("RGBa", vips_profile("p3"), "RGBA"),
        ("L", gray_profile(1.0), "L"),
        ("La", gray_profile(1.0), "LA"),
        ("CMYK", press_profile(), "RGB"),
    ],
)
def test_every_mode_is_delivered_in_srgb_without_a_change_of_what_came_in(mode, profile, delivered):
    image = Image.new(
        mode, (2, 2), 200 if mode == "L" else tuple([100, 200, 40, 255][: len(Image.new(mode, (1, 1)).getbands())])
    )
    before = image.tobytes()
    result = develop(image, plan(size=(2, 2), profile=profile))
    assert result.mode == delivered
    assert result.tobytes() != delivery_mode(image, plan()).tobytes()
    assert image.tobytes() == before, "other derivatives are made from it"


def test_a_profile_that_does_not_fit_leaves_the_pixels_to_the_next_step():
    inks = Image.new("CMYK", (2, 2), (0, 255, 255, 0))
    assert develop(inks, plan(size=(2, 2), profile=vips_profile("p3"))).getpixel((0, 0)) == (255, 0, 0)


def test_shrinking_premultiplied_pixels_leaves_no_dark_fringe():
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 31, 64))
    small = delivery_mode(shrink(image.convert("RGBa"), plan(size=(8, 8), box=(0, 0, 64, 64))), plan())
    reds = {pixel[:3] for pixel in small.get_flattened_data() if pixel[3] > 8}
    assert all(red > 247 and green == blue == 0 for red, green, blue in reds)
    naive = image.resize((8, 8), Image.Resampling.BOX)
    assert mean_difference(small, naive) < 40
