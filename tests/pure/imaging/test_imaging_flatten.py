import pytest
from PIL import Image

from udfs.imaging.flatten import flatten

WHITE = (255, 255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_opaque_picture_stays_as_it_is(mode):
    image = Image.new(mode, (3, 3), "teal")
    assert flatten(image, WHITE) is image


@pytest.mark.parametrize(
    ("alpha", "expected"), [(255, (200, 100, 0)), (0, (0, 0, 200)), (128, (100, 50, 100)), (64, (50, 25, 150))]
)
def test_colours_mix_by_alpha(alpha, expected):
    flat = flatten(Image.new("RGBA", (1, 1), (200, 100, 0, alpha)), (0, 0, 200, 255))
    assert flat.mode == "RGB"
    assert flat.getpixel((0, 0)) == pytest.approx(expected, abs=1)


def test_grey_on_grey_stays_grey_and_on_colour_becomes_colour():
    image = Image.new("LA", (1, 1), (100, 128))
    assert flatten(image, WHITE).mode == "L"
    assert flatten(image, WHITE).getpixel((0, 0)) == pytest.approx(177, abs=1)
    assert flatten(image, (0, 255, 0, 255)).getpixel((0, 0)) == pytest.approx((50, 177, 50), abs=1)


def test_the_alpha_of_the_background_is_not_looked_at():
    image = Image.new("RGBA", (1, 1), (9, 9, 9, 0))
    assert flatten(image, (10, 20, 30, 0)).getpixel((0, 0)) == (10, 20, 30)
