import io

import pytest
from PIL import Image

from darkroom.synthetic import corrupt_image, huge_dimensions_png, synthetic_image
from udfs.imaging.errors import CorruptImage, TooManyPixels
from udfs.imaging.render import render


def test_a_seed_gives_one_picture():
    assert synthetic_image(7, 320, 200) == synthetic_image(7, 320, 200)
    assert synthetic_image(7, 320, 200) != synthetic_image(8, 320, 200)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "gif", "tiff", "bmp"])
@pytest.mark.parametrize("size", [(320, 200), (200, 320), (1, 1), (5, 300)])
def test_size_and_format_are_as_asked(format, size):
    with Image.open(io.BytesIO(synthetic_image(3, *size, format=format))) as image:
        assert (image.format, image.size) == (format.upper(), size)


def test_it_has_the_detail_of_a_photograph():
    assert 300_000 < len(synthetic_image(5)) < 1_200_000


def test_the_broken_ones_are_refused_for_their_reason():
    with pytest.raises(CorruptImage):
        render(corrupt_image(1), [])
    with pytest.raises(TooManyPixels):
        render(huge_dimensions_png(), [])
    assert len(huge_dimensions_png()) < 100
    assert corrupt_image(1) != corrupt_image(2)
