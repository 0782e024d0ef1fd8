import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.imaging.geometry import (
    DECODER_SCALES,
    Box,
    Framing,
    Size,
    cover,
    decoder_scale,
    displayed,
    fit,
    to_stored,
)

sides = st.integers(1, 65_535)
sizes = st.builds(Size, sides, sides)
orientations = st.integers(1, 8)


@pytest.mark.parametrize(
    ("source", "width", "height", "expected"),
    [
        (Size(2040, 1404), 1280, 1280, Size(1280, 881)),
        (Size(1404, 2040), 1280, 1280, Size(881, 1280)),
        (Size(2040, 1404), 640, None, Size(640, 440)),
        (Size(2040, 1404), None, 440, Size(639, 440)),
        (Size(300, 200), 640, 640, Size(300, 200)),
        (Size(10_000, 1), 100, 100, Size(100, 1)),
        (Size(1, 1), 1, 1, Size(1, 1)),
    ],
)
def test_fit_examples(source, width, height, expected):
    assert fit(source, width, height).size == expected


@given(sizes, sides, sides)
def test_fit_stays_inside_the_box_keeps_everything_and_never_enlarges(source, width, height):
    crop, size = fit(source, width, height)
    assert crop == Box(0, 0, *source)
    assert 1 <= size.width <= min(width, source.width)
    assert 1 <= size.height <= min(height, source.height)
    assert size.width == min(width, source.width) or size.height == min(height, source.height)


@given(sizes, sides, sides)
def test_fit_keeps_the_aspect_ratio_to_half_a_pixel(source, width, height):
    size = fit(source, width, height).size
    exact_height = size.width * source.height / source.width
    exact_width = size.height * source.width / source.height
    assert abs(size.height - exact_height) <= 0.5 + 1e-6 or abs(size.width - exact_width) <= 0.5 + 1e-6 or 1 in size


@pytest.mark.parametrize(
    ("source", "width", "height", "crop", "size"),
    [
        (Size(2040, 1404), 256, 256, Box(318, 0, 1722, 1404), Size(256, 256)),
        (Size(1404, 2040), 256, 256, Box(0, 318, 1404, 1722), Size(256, 256)),
        (Size(200, 100), 256, 256, Box(50, 0, 150, 100), Size(100, 100)),
        (Size(1000, 100), 256, 128, Box(400, 0, 600, 100), Size(200, 100)),
        (Size(256, 256), 256, 256, Box(0, 0, 256, 256), Size(256, 256)),
    ],
)
def test_cover_examples(source, width, height, crop, size):
    assert cover(source, width, height) == Framing(crop, size)


@given(sizes, sides, sides)
def test_cover_crops_centred_inside_the_source_and_never_enlarges(source, width, height):
    crop, size = cover(source, width, height)
    assert 0 <= crop.left < crop.right <= source.width
    assert 0 <= crop.upper < crop.lower <= source.height
    assert abs(crop.left - (source.width - crop.right)) <= 1
    assert abs(crop.upper - (source.height - crop.lower)) <= 1
    assert size.width <= min(width, crop.right - crop.left)
    assert size.height <= min(height, crop.lower - crop.upper)
    assert crop.right - crop.left == source.width or crop.lower - crop.upper == source.height


@given(sizes, sides, sides, orientations)
def test_a_framing_carried_to_storage_keeps_its_area_and_stays_inside(source, width, height, orientation):
    stored = displayed(source, orientation)
    framing = cover(source, width, height)
    (left, upper, right, lower), size = to_stored(framing, stored, orientation)
    assert 0 <= left < right <= stored.width
    assert 0 <= upper < lower <= stored.height
    assert displayed(Size(right - left, lower - upper), orientation) == Size(
        framing.crop.right - framing.crop.left, framing.crop.lower - framing.crop.upper
    )
    assert displayed(size, orientation) == framing.size


@given(st.lists(st.builds(cover, sizes, sides, sides), max_size=4))
def test_the_decoder_scale_oversamples_every_framing_by_seven_quarters(framings):
    scale = decoder_scale(framings)
    assert scale in (1, *DECODER_SCALES)
    if scale > 1:
        for (left, upper, right, lower), (width, height) in framings:
            assert (right - left) / scale >= 1.75 * width
            assert (lower - upper) / scale >= 1.75 * height


@pytest.mark.parametrize(("width", "expected"), [(1280, 1), (640, 1), (512, 2), (256, 4), (128, 8), (16, 8), (2040, 1)])
def test_decoder_scales_of_a_phone_picture(width, expected):
    assert decoder_scale([fit(Size(2040, 1404), width, None)]) == expected
    assert decoder_scale([fit(Size(2040, 1404), 16, None), fit(Size(2040, 1404), width, None)]) == expected


def test_where_nothing_is_asked_for_the_smallest_decode_will_do():
    assert decoder_scale([]) == 8
