from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from udfs.imaging.geometry import (
    DECODER_SCALES,
    LONGEST_SIDE_PX,
    Box,
    Canvas,
    Framing,
    Size,
    around,
    at_point,
    cover,
    decoder_scale,
    displayed,
    fill,
    fit,
    pad,
    stored_box,
    stretch,
    to_stored,
)
from udfs.imaging.parameters import HALVES

sides = st.integers(1, LONGEST_SIDE_PX) | st.sampled_from([1, 2, 3, LONGEST_SIDE_PX])
sizes = st.builds(Size, sides, sides)
orientations = st.integers(1, 8)
shares = st.floats(0, 1)
places = st.sampled_from(sorted(HALVES.values())).map(at_point) | st.builds(around, shares, shares)
MODES = [fit, fill, cover, pad, stretch]


def keeps_the_ratio(source, size):
    """Each side is the exact one for the other, to half a pixel, or one pixel where that would be none."""
    exact_height = Fraction(size.width * source.height, source.width)
    exact_width = Fraction(size.height * source.width, source.height)
    half = Fraction(1, 2)
    return abs(size.height - exact_height) <= half or abs(size.width - exact_width) <= half or 1 in size


@pytest.mark.parametrize(
    ("source", "width", "height", "enlarge", "expected"),
    [
        (Size(2040, 1404), 1280, 1280, False, Size(1280, 881)),
        (Size(1404, 2040), 1280, 1280, False, Size(881, 1280)),
        (Size(2040, 1404), 640, None, False, Size(640, 440)),
        (Size(2040, 1404), None, 440, False, Size(639, 440)),
        (Size(300, 200), 640, 640, False, Size(300, 200)),
        (Size(300, 200), 640, 640, True, Size(640, 427)),
        (Size(300, 200), None, 640, True, Size(960, 640)),
        (Size(10_000, 1), 100, 100, False, Size(100, 1)),
        (Size(1, 1), 1, 1, False, Size(1, 1)),
        (Size(1, 60_000), 100, None, True, Size(1, LONGEST_SIDE_PX)),
        (Size(100_000, 50_000), None, 60_000, False, Size(LONGEST_SIDE_PX, 32_768)),
    ],
)
def test_fit_examples(source, width, height, enlarge, expected):
    assert fit(source, width, height, enlarge=enlarge) == Framing(Box(0, 0, *source), expected)


@given(sizes, sides | st.none(), sides | st.none(), st.booleans())
def test_fit_stays_inside_the_box_touches_it_and_keeps_everything(source, width, height, enlarge):
    crop, size, canvas = fit(source, width, height, enlarge=enlarge)
    bound = Size(width or LONGEST_SIDE_PX, height or LONGEST_SIDE_PX)
    assert (crop, canvas) == (Box(0, 0, *source), None)
    assert 1 <= size.width <= bound.width
    assert 1 <= size.height <= bound.height
    assert size.width == bound.width or size.height == bound.height or (size == source and not enlarge)
    assert enlarge or (size.width <= source.width and size.height <= source.height)
    assert keeps_the_ratio(source, size)


@pytest.mark.parametrize(
    ("source", "width", "height", "enlarge", "expected"),
    [
        (Size(2040, 1404), 640, 640, False, Size(930, 640)),
        (Size(1404, 2040), 640, 640, False, Size(640, 930)),
        (Size(800, 400), 640, 640, False, Size(800, 400)),
        (Size(800, 400), 640, 640, True, Size(1280, 640)),
        (Size(1, 60_000), 100, 100, True, Size(1, LONGEST_SIDE_PX)),
    ],
)
def test_fill_examples(source, width, height, enlarge, expected):
    assert fill(source, width, height, enlarge=enlarge) == Framing(Box(0, 0, *source), expected)


@given(sizes, sides, sides, st.booleans())
def test_fill_covers_the_box_by_no_more_than_needed(source, width, height, enlarge):
    crop, size, canvas = fill(source, width, height, enlarge=enlarge)
    assert (crop, canvas) == (Box(0, 0, *source), None)
    assert 1 <= min(size) <= max(size) <= LONGEST_SIDE_PX
    assert enlarge or (size.width <= source.width and size.height <= source.height)
    assert keeps_the_ratio(source, size)
    covers = size.width >= width and size.height >= height
    touches = size.width == width or size.height == height
    assert (covers and touches) or max(size) == LONGEST_SIDE_PX or (size == source and not enlarge)


@pytest.mark.parametrize(
    ("source", "width", "height", "crop", "size"),
    [
        (Size(2040, 1404), 256, 256, Box(318, 0, 1722, 1404), Size(256, 256)),
        (Size(1404, 2040), 256, 256, Box(0, 318, 1404, 1722), Size(256, 256)),
        (Size(200, 100), 256, 256, Box(50, 0, 150, 100), Size(100, 100)),
        (Size(1000, 100), 256, 128, Box(400, 0, 600, 100), Size(200, 100)),
        (Size(256, 256), 256, 256, Box(0, 0, 256, 256), Size(256, 256)),
        (Size(9000, 1), 10, 10, Box(4499, 0, 4500, 1), Size(1, 1)),
    ],
)
def test_cover_examples(source, width, height, crop, size):
    assert cover(source, width, height) == Framing(crop, size)
    assert cover(source, width, height, enlarge=True) == Framing(crop, Size(width, height))


@given(sizes, sides, sides, places, st.booleans())
def test_cover_crops_inside_the_source_along_one_axis(source, width, height, place, enlarge):
    crop, size, canvas = cover(source, width, height, place, enlarge=enlarge)
    assert canvas is None
    assert 0 <= crop.left < crop.right <= source.width
    assert 0 <= crop.upper < crop.lower <= source.height
    assert crop.size.width == source.width or crop.size.height == source.height
    assert keeps_the_ratio(Size(width, height), crop.size)
    if enlarge or (source.width >= width and source.height >= height):
        assert size == (width, height)
    else:
        assert size.width <= crop.size.width
        assert size.height <= crop.size.height


@given(sizes, sides, sides)
def test_the_nine_points_are_the_edges_and_the_middle(source, width, height):
    for name, halves in HALVES.items():
        crop = cover(source, width, height, at_point(halves)).crop
        assert crop.left == 0 or "west" not in name
        assert crop.right == source.width or "east" not in name
        assert crop.upper == 0 or "north" not in name
        assert crop.lower == source.height or "south" not in name
        if "st" not in name:
            assert 0 <= (source.width - crop.right) - crop.left <= 1
        if name in ("center", "east", "west"):
            assert 0 <= (source.height - crop.lower) - crop.upper <= 1


@given(sizes, sides, sides, shares, shares)
@example(Size(1000, 100), 100, 100, 0.5, 0.5)
def test_a_focal_crop_has_its_point_in_the_middle_or_ends_at_an_edge(source, width, height, x, y):
    crop = cover(source, width, height, around(x, y)).crop
    for start, end, whole, share in (
        (crop.left, crop.right, source.width, x),
        (crop.upper, crop.lower, source.height, y),
    ):
        off = (start + end) / 2 - share * whole
        assert abs(off) <= 0.501 or (off > 0 and start == 0) or (off < 0 and end == whole)


@given(sizes, sides, sides, places, st.booleans())
def test_padding_fits_and_lies_inside_a_canvas_of_the_size_of_the_box(source, width, height, place, enlarge):
    crop, size, canvas = pad(source, width, height, place, enlarge=enlarge)
    assert (crop, size) == fit(source, width, height, enlarge=enlarge)[:2]
    assert canvas.size == (width, height)
    assert 0 <= canvas.left <= width - size.width
    assert 0 <= canvas.upper <= height - size.height


def test_padding_is_laid_by_the_compass():
    assert pad(Size(100, 100), 50, 30, at_point((2, 0))).canvas == Canvas(Size(50, 30), 20, 0)
    assert pad(Size(100, 100), 30, 50, at_point((0, 2))).canvas == Canvas(Size(30, 50), 0, 20)
    assert pad(Size(10, 10), 31, 50).canvas == Canvas(Size(31, 50), 10, 20)


@given(sizes, sides, sides)
def test_stretching_gives_the_box_and_enlarges_no_side_unasked(source, width, height):
    assert stretch(source, width, height, enlarge=True) == Framing(Box(0, 0, *source), Size(width, height))
    size = stretch(source, width, height).size
    assert size == (min(width, source.width), min(height, source.height))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("enlarge", [False, True])
def test_every_small_size_in_every_small_box(mode, enlarge):
    """Rounding goes wrong at small numbers first: all of them."""
    for number in range(9**4):
        number, width, height = number // 81, number // 9 % 9 + 1, number % 9 + 1
        source = Size(number // 9 + 1, number % 9 + 1)
        crop, size, canvas = mode(source, width, height, enlarge=enlarge)
        assert 0 <= crop.left < crop.right <= source.width
        assert 0 <= crop.upper < crop.lower <= source.height
        assert min(size) >= 1
        assert enlarge or (size.width <= source.width and size.height <= source.height)
        assert canvas is None or mode is pad


@given(sizes, sides, sides, places, orientations)
def test_a_framing_carried_to_storage_keeps_its_area_and_stays_inside(source, width, height, place, orientation):
    stored = displayed(source, orientation)
    framing = cover(source, width, height, place)
    crop, size, _ = to_stored(framing, stored, orientation)
    assert 0 <= crop.left < crop.right <= stored.width
    assert 0 <= crop.upper < crop.lower <= stored.height
    assert displayed(crop.size, orientation) == framing.crop.size
    assert displayed(size, orientation) == framing.size


def test_a_box_is_carried_to_storage():
    box = Box(1, 2, 4, 8)
    assert [stored_box(box, displayed(Size(10, 20), orientation), orientation) for orientation in range(1, 9)] == [
        Box(1, 2, 4, 8),
        Box(6, 2, 9, 8),
        Box(6, 12, 9, 18),
        Box(1, 12, 4, 18),
        Box(2, 1, 8, 4),
        Box(2, 6, 8, 9),
        Box(12, 6, 18, 9),
        Box(12, 1, 18, 4),
    ]


def test_the_canvas_is_not_carried():
    framing = pad(Size(100, 50), 40, 40)
    assert to_stored(framing, Size(50, 100), 6).canvas == Canvas(Size(40, 40), 0, 10)


@given(st.lists(st.builds(cover, sizes, sides, sides), max_size=4))
def test_the_decoder_scale_oversamples_every_framing_by_three_halves(framings):
    scale = decoder_scale(framings)
    assert scale in (1, *DECODER_SCALES)
    if scale > 1:
        for crop, (width, height), _ in framings:
            assert crop.size.width / scale >= 1.5 * width
            assert crop.size.height / scale >= 1.5 * height


@pytest.mark.parametrize(("width", "expected"), [(1280, 1), (640, 2), (512, 2), (256, 4), (128, 8), (16, 8), (2040, 1)])
def test_decoder_scales_of_a_phone_picture(width, expected):
    assert decoder_scale([fit(Size(2040, 1404), width, None)]) == expected
    assert decoder_scale([fit(Size(2040, 1404), 16, None), fit(Size(2040, 1404), width, None)]) == expected


def test_where_nothing_is_asked_for_the_smallest_decode_will_do():
    assert decoder_scale([]) == 8
