"""Smart crops of photographs whose subject is off-centre: their places are told by hand, in pixels."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import skimage
from pictures import PHOTOS
from PIL import Image

from udfs.imaging.attention import SIDE, interest_of, most_interesting
from udfs.imaging.gaze import Gaze
from udfs.imaging.geometry import Box, Size, cover

FACE = Box(153, 15, 296, 187)
FLOWER = Box(170, 85, 445, 355)
ROCKET = Box(303, 120, 340, 420)
CLOCK = Box(144, 95, 282, 215)

# The photograph, what of it is the source, the subject, and the aspect ratio of the crop.
CASES = {
    "a face above a suit in orange": ("astronaut.png", Box(0, 0, 512, 512), FACE, (2, 1)),
    "a face on the left": ("astronaut.png", Box(140, 0, 512, 512), FACE, (1, 2)),
    "a face on the right": ("astronaut.png", Box(0, 0, 310, 512), FACE, (1, 3)),
    "a cup on the left": ("coffee.png", Box(60, 0, 600, 400), Box(76, 17, 455, 389), (1, 1)),
    "a dark head in grey": ("camera.png", Box(0, 0, 512, 512), Box(172, 63, 258, 172), (2, 1)),
    "a flower on the left": ("flower.jpg", Box(160, 70, 640, 370), FLOWER, (1, 1)),
    "a flower on the right": ("flower.jpg", Box(0, 70, 460, 370), FLOWER, (1, 1)),
    "a rocket on the left": ("rocket.jpg", Box(285, 0, 640, 427), ROCKET, (1, 2)),
    "a rocket on the right": ("rocket.jpg", Box(0, 0, 355, 427), ROCKET, (1, 2)),
    "a blurred clock on the left": ("clock_motion.png", Box(120, 0, 400, 300), CLOCK, (1, 2)),
    "a blurred clock on the right": ("clock_motion.png", Box(0, 0, 300, 300), CLOCK, (1, 2)),
    "a motorcycle's front": ("motorcycle_left.png", Box(0, 0, 741, 500), Box(330, 90, 685, 450), (1, 1)),
    "a bright disc": ("retina.jpg", Box(0, 0, 1411, 1411), Box(105, 500, 316, 760), (1, 2)),
    "an eye": ("chelsea.png", Box(120, 0, 451, 300), Box(135, 80, 215, 150), (1, 2)),
}


def photograph(name):
    here = PHOTOS / name
    return Image.open(here if here.exists() else Path(skimage.__file__).parent / "data" / name).convert("RGB")


def share(crop, subject):
    width = min(crop.right, subject.right) - max(crop.left, subject.left)
    height = min(crop.lower, subject.lower) - max(crop.upper, subject.upper)
    return max(0, width) * max(0, height) / (subject.size.width * subject.size.height)


def smart(image):
    return Gaze(image, (0, 0, *image.size), 1).smart


@pytest.mark.parametrize("case", CASES)
def test_the_subject_stays_where_a_centred_crop_loses_it(case):
    name, source, subject, ratio = CASES[case]
    image = photograph(name).crop(source)
    subject = subject.moved(-source.left, -source.upper)
    centred = cover(source.size, *ratio).crop
    kept = cover(source.size, *ratio, smart(image)).crop
    assert share(kept, subject) > 0.9
    assert share(centred, subject) < 0.9


def test_a_mirrored_picture_has_the_mirrored_crop():
    image = photograph("flower.jpg").crop((0, 70, 460, 370))
    size = Size(*image.size)
    crop = cover(size, 1, 1, smart(image)).crop
    mirrored = cover(size, 1, 1, smart(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).crop
    assert abs(crop.left - (size.width - mirrored.right)) <= 2 * size.width / SIDE


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBa", "La", "CMYK"])
def test_where_nothing_is_interesting_the_crop_is_centred(mode):
    place = smart(Image.new(mode, (400, 100), 0))
    assert place(Size(400, 100), Size(100, 100)) == (150, 0)


@pytest.mark.parametrize("dot", [(40, 50), (200, 50), (350, 50)])
@pytest.mark.parametrize("mode", ["L", "La", "RGB", "RGBa", "CMYK"])
def test_the_one_thing_there_is_is_in_the_middle(mode, dot):
    """Also black on transparent, which premultiplied is as black as nothing."""
    transparent = mode in ("La", "RGBa")
    image = Image.new("RGBA", (400, 100), (0, 0, 0, 0) if transparent else "white")
    image.paste((0, 0, 0, 255), (dot[0] - 15, dot[1] - 15, dot[0] + 15, dot[1] + 15))
    image = image.convert("LA").convert("La") if mode == "La" else image.convert("RGB" if mode == "CMYK" else mode)
    image = image.convert("CMYK") if mode == "CMYK" else image
    left, upper = smart(image)(Size(400, 100), Size(100, 100))
    assert abs(left + 50 - min(max(dot[0], 50), 350)) <= 20
    assert upper == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (5000, 3)])
def test_odd_sizes_have_a_place_inside(size):
    outer = Size(*size)
    for ratio in ((1, 1), (3, 1), (1, 3)):
        crop = cover(outer, *ratio, smart(Image.new("RGB", size, "teal"))).crop
        assert 0 <= crop.left < crop.right <= outer.width
        assert 0 <= crop.upper < crop.lower <= outer.height


def test_interest_is_in_whole_numbers_and_the_same_in_any_thread():
    images = [photograph(name) for name in ("rocket.jpg", "flower.jpg", "astronaut.png")]
    expected = [interest_of(image) for image in images]
    assert all(levels.dtype == np.int64 and levels.shape == (SIDE, SIDE) for levels in expected)
    with ThreadPoolExecutor(4) as pool:
        for levels, again in zip(expected * 8, pool.map(interest_of, images * 8), strict=True):
            assert np.array_equal(levels, again)


def test_colours_of_skin_saturation_and_edges_each_attract():
    for colour in ((200, 145, 112), (30, 30, 250)):
        image = Image.new("RGB", (320, 80), (128, 128, 128))
        image.paste(colour, (250, 20, 290, 60))
        assert most_interesting(interest_of(image))(Size(320, 80), Size(80, 80))[0] > 200
    striped = np.full((80, 320), 128, np.uint8)
    striped[10:70, 20:60:20] = striped[10:70, 30:60:20] = 60
    image = Image.fromarray(striped).convert("RGB")
    assert most_interesting(interest_of(image))(Size(320, 80), Size(80, 80))[0] < 40
