import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from udfs.imaging import trim
from udfs.imaging.geometry import Box
from udfs.imaging.trim import content_box

MODES = {"L": (200, 30), "RGB": ("#c8c8c8", "#202880"), "CMYK": ((0, 0, 0, 50), (90, 10, 0, 0))}


def bordered(mode="RGB", size=(60, 40), box=(10, 5, 45, 38)):
    outside, inside = MODES[mode]
    image = Image.new(mode, size, outside)
    image.paste(inside, box)
    return image


@pytest.mark.parametrize("mode", MODES)
def test_an_even_border_is_found(mode):
    assert content_box(bordered(mode), (0, 0), 0) == Box(10, 5, 45, 38)
    assert content_box(bordered(mode), (59, 39), 10) == Box(10, 5, 45, 38)


@pytest.mark.parametrize("inside", [(201, 200, 200), (200, 199, 200), (200, 200, 201)])
def test_one_level_in_one_sample_is_a_difference(inside):
    image = Image.new("RGB", (60, 40), (200, 200, 200))
    image.paste(inside, (10, 5, 45, 38))
    assert content_box(image, (0, 0), 0) == Box(10, 5, 45, 38)


@pytest.mark.parametrize("mode", ["La", "RGBa"])
def test_a_transparent_border_is_trimmed_and_black_on_transparent_is_not(mode):
    image = Image.new({"La": "LA", "RGBa": "RGBA"}[mode], (60, 40))
    image.paste(Image.new(image.mode, (35, 33), (0, 255) if mode == "La" else (0, 0, 0, 255)), (10, 5))
    assert content_box(image.convert(mode), (0, 0), 0) == Box(10, 5, 45, 38)


def test_what_colour_a_transparent_pixel_has_does_not_matter():
    image = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    image.paste((0, 255, 0, 0), (30, 0, 60, 40))
    image.paste((0, 0, 255, 255), (20, 10, 25, 15))
    assert content_box(image.convert("RGBa"), (0, 0), 0) == Box(20, 10, 25, 15)


@pytest.mark.parametrize("mode", [*MODES, "La", "RGBa"])
def test_a_picture_of_one_colour_stays_whole(mode):
    assert content_box(Image.new(mode, (30, 20)), (0, 0), 0) == Box(0, 0, 30, 20)


@pytest.mark.parametrize(("tolerance", "trimmed"), [(9, False), (10, True), (11, True)])
def test_the_tolerance_is_in_percent_of_the_range(tolerance, trimmed):
    """A frame 25 levels off, of 255, in one sample only."""
    image = Image.new("RGB", (40, 40), (100, 100, 100))
    image.paste((100, 100, 125), (5, 5, 35, 35))
    image.paste((0, 0, 0), (10, 10, 30, 30))
    assert content_box(image, (0, 0), tolerance) == (Box(10, 10, 30, 30) if trimmed else Box(5, 5, 35, 35))


def test_with_a_tolerance_of_everything_nothing_is_content():
    assert content_box(bordered(), (0, 0), 100) == Box(0, 0, 60, 40)


@given(
    st.integers(1, 23),
    st.integers(1, 17),
    st.lists(st.tuples(st.integers(0, 22), st.integers(0, 16)), max_size=4),
    st.sampled_from([1, 7, 40, 1 << 20]),
)
def test_any_few_pixels_are_found_whatever_the_strips(width, height, pixels, strip):
    image = Image.new("L", (width, height), 9)
    dots = [(x % width, y % height) for x, y in pixels if (x % width, y % height) != (0, 0)]
    for dot in dots:
        image.putpixel(dot, 200)
    xs, ys = [x for x, _ in dots], [y for _, y in dots]
    expected = Box(min(xs), min(ys), max(xs) + 1, max(ys) + 1) if dots else Box(0, 0, width, height)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trim, "STRIP_PIXELS", strip)
        assert content_box(image, (0, 0), 0) == expected


def test_no_second_copy_of_a_large_picture_is_made():
    """Pillow's own memory is not traced: count what it allocates by the sizes it is asked for."""
    asked = []

    class Watched(Image.Image):
        def crop(self, box=None):
            asked.append((box[2] - box[0]) * (box[3] - box[1]))
            return super().crop(box)

    large = Image.fromarray(np.zeros((3000, 4000), np.uint8))
    large.paste(255, (2000, 1500, 2001, 1501))
    watched = Watched()
    watched._im, watched._mode, watched._size = large.im, large.mode, large.size
    assert content_box(watched, (0, 0), 0) == Box(2000, 1500, 2001, 1501)
    assert max(asked) <= trim.STRIP_PIXELS
    assert len(asked) > 2
