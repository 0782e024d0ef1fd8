"""The algebra against pixels: what Pillow turns step by step is what the one orientation gives."""

from itertools import product

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.Image import Transpose

from udfs.imaging.geometry import DISPLAYED_TO_STORED, Box, Size, stored_box
from udfs.imaging.steps.orient import TRANSPOSES
from udfs.imaging.turning import FLIPS, ROTATIONS, inverse, stored_point, then, turn

ORIENTATIONS = range(1, 9)
PICTURE = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40)  # six different pixels, two rows of three


def shown(image, orientation):
    transpose = TRANSPOSES.get(orientation)
    return image if transpose is None else image.transpose(transpose)


def same(one, other):
    return one.size == other.size and one.tobytes() == other.tobytes()


def test_the_steps_table_is_what_pillow_calls_upright():
    for orientation in ORIENTATIONS:
        tagged = PICTURE.copy()
        tagged.getexif()[0x0112] = orientation
        assert same(shown(PICTURE, orientation), ImageOps.exif_transpose(tagged))


@pytest.mark.parametrize(("first", "second"), list(product(ORIENTATIONS, repeat=2)))
def test_two_turns_are_one(first, second):
    assert same(shown(PICTURE, then(first, second)), shown(shown(PICTURE, first), second))


def test_it_is_a_group():
    for a, b, c in product(ORIENTATIONS, repeat=3):
        assert then(then(a, b), c) == then(a, then(b, c))
    for a in ORIENTATIONS:
        assert then(a, 1) == then(1, a) == a
        assert then(a, inverse(a)) == then(inverse(a), a) == 1
        assert {then(a, b) for b in ORIENTATIONS} == set(ORIENTATIONS)
    assert len(DISPLAYED_TO_STORED) == len(set(DISPLAYED_TO_STORED.values())) == 8


@pytest.mark.parametrize(("rotate", "flip"), list(product(ROTATIONS, FLIPS)))
def test_a_preset_rotates_clockwise_and_then_flips(rotate, flip):
    expected = PICTURE.rotate(-(rotate or 0), expand=True)
    if flip:
        across = flip == "horizontal"
        expected = expected.transpose(Transpose.FLIP_LEFT_RIGHT if across else Transpose.FLIP_TOP_BOTTOM)
    assert same(shown(PICTURE, turn(rotate, flip)), expected)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_points_and_boxes_are_carried_to_where_the_pixel_is_stored(orientation):
    upright = shown(PICTURE, orientation)
    for x, y in product(range(upright.width), range(upright.height)):
        pixel = upright.getpixel((x, y))
        share_x, share_y = stored_point((x + 0.5) / upright.width, (y + 0.5) / upright.height, orientation)
        assert PICTURE.getpixel((int(share_x * PICTURE.width), int(share_y * PICTURE.height))) == pixel
        box = stored_box(Box(x, y, x + 1, y + 1), Size(*PICTURE.size), orientation)
        assert box.size == (1, 1)
        assert PICTURE.getpixel((box.left, box.upper)) == pixel
        back = stored_point(share_x, share_y, inverse(orientation))
        assert back == pytest.approx(((x + 0.5) / upright.width, (y + 0.5) / upright.height))
