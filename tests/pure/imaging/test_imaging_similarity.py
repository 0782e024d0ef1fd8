import numpy as np
import pytest
from pictures import encoded, opened, photo
from PIL import Image, ImageFilter
from skimage.metrics import structural_similarity

from udfs.imaging.similarity import Reference

NAMES = ["rocket.jpg", "flower.jpg", "camera.png", "brick.png"]


def plane(image):
    return np.asarray(image.convert("L"), np.float32)


def reference_ssim(one, other):
    """Wang's settings; scikit-image also leaves the windows out that do not lie inside."""
    return structural_similarity(
        one.astype(float), other.astype(float), gaussian_weights=True, use_sample_covariance=False, data_range=255
    )


def damaged(image):
    yield opened(encoded(image.convert("L"), "JPEG", quality=10))
    yield opened(encoded(image.convert("RGB"), "WEBP", quality=60))
    yield image.convert("L").filter(ImageFilter.GaussianBlur(2))
    yield image.convert("L").point(lambda level: level // 2 + 60)
    yield image.convert("L").point(lambda level: 255 - level)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_scikit_image_says(name):
    image = opened(photo(name))
    reference = Reference(plane(image))
    for other in damaged(image):
        expected = reference_ssim(plane(image), plane(other))
        assert reference.ssim(plane(other)) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_fourth_window_tells_nearly_the_same(name):
    image = opened(photo(name))
    reference = Reference(plane(image), stride=4)
    for other in damaged(image):
        assert reference.ssim(plane(other)) == pytest.approx(reference_ssim(plane(image), plane(other)), abs=0.006)


def test_the_same_picture_is_one():
    assert Reference(plane(opened(photo()))).ssim(plane(opened(photo()))) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (10, 10), (11, 11), (12, 13)])
@pytest.mark.parametrize("stride", [1, 4])
def test_pictures_smaller_than_a_window(size, stride):
    black, white = (plane(Image.new("L", size, level)) for level in (0, 255))
    assert Reference(black, stride).ssim(black) == pytest.approx(1, abs=1e-6)
    assert Reference(black, stride).ssim(white) < 0.01
