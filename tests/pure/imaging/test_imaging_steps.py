"""Each step alone, on pictures small enough to reason about."""

import pytest
from pictures import exif_orientation, four_corners, mean_difference
from PIL import Image, ImageOps

from udfs.imaging.geometry import Box, Framing, Size, displayed, to_stored
from udfs.imaging.plan import Plan
from udfs.imaging.steps import STEPS
from udfs.imaging.steps.delivery_mode import delivery_mode
from udfs.imaging.steps.flatten import flatten
from udfs.imaging.steps.orient import orient
from udfs.imaging.steps.shrink import shrink


def plan(size=(10, 10), box=None, orientation=1, flatten=False):
    return Plan(box=box or (0, 0, *size), size=size, orientation=orientation, flatten=flatten)


def test_the_pipeline_is_this_tuple():
    assert STEPS == (shrink, orient, delivery_mode, flatten)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_with_nothing_to_do_returns_the_same_image(step):
    image = four_corners()
    assert step(image, plan(size=image.size)) is image


def test_shrink_takes_only_the_box():
    upper_right = shrink(four_corners(120, 80), plan(size=(6, 4), box=(60, 0, 120, 40)))
    assert upper_right.size == (6, 4)
    assert mean_difference(upper_right.crop((1, 0, 6, 3)), Image.new("RGB", (5, 3), "lime")) < 1  # edges blend


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orient_agrees_with_pillow(orientation):
    stored = four_corners()
    tagged = stored.copy()
    tagged.getexif()[0x0112] = orientation
    expected = ImageOps.exif_transpose(tagged)
    assert orient(stored, plan(orientation=orientation)).tobytes() == expected.tobytes()
    assert exif_orientation(orientation)


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


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_flatten_puts_transparency_on_white(mode):
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 255))
    flat = flatten(image.convert(mode), plan(flatten=True)).convert("RGB")
    assert list(flat.get_flattened_data()) == [(255, 255, 255), (0, 0, 0)]


def test_flatten_leaves_transparency_where_the_format_can_hold_it():
    image = Image.new("RGBA", (2, 1))
    assert flatten(image, plan(flatten=False)) is image


def test_shrinking_premultiplied_pixels_leaves_no_dark_fringe():
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 31, 64))
    small = delivery_mode(shrink(image.convert("RGBa"), plan(size=(8, 8), box=(0, 0, 64, 64))), plan())
    reds = {pixel[:3] for pixel in small.get_flattened_data() if pixel[3] > 8}
    assert all(red > 247 and green == blue == 0 for red, green, blue in reds)
    naive = image.resize((8, 8), Image.Resampling.BOX)
    assert mean_difference(small, naive) < 40
