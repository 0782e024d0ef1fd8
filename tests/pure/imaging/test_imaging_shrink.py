"""Cropping and shrinking, with and without linear light, against resampling in full precision."""

import tracemalloc

import numpy as np
import pytest
from pictures import four_corners, mean_difference, opened, photo
from PIL import Image
from profiles import decode_srgb, encode_srgb

from udfs.imaging.linear_light import LINEAR_MODES, STRIP_PIXELS
from udfs.imaging.plan import Plan
from udfs.imaging.shrink import shrink

LANCZOS = Image.Resampling.LANCZOS


def plan(size, box, linear_light=False):
    return Plan(box=box, size=size, linear_light=linear_light)


def whole(image, size, linear_light=True):
    return shrink(image, plan(size, (0, 0, *image.size), linear_light))


def checkerboard(width=800, height=600):
    return Image.fromarray(((np.indices((height, width)).sum(axis=0) % 2) * 255).astype(np.uint8))


def in_light(image, size, box=None):
    """Lanczos over the whole picture in linear light, in floats."""
    bands = [Image.fromarray(band.astype(np.float32)) for band in np.moveaxis(decode_srgb(np.atleast_3d(image)), -1, 0)]
    return encode_srgb(np.stack([np.asarray(band.resize(size, LANCZOS, box=box)) for band in bands], axis=-1)).squeeze()


def db(one, other):
    return 10 * np.log10(255**2 / np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2))


@pytest.mark.parametrize("linear_light", [False, True])
def test_nothing_to_do_returns_the_same_image(linear_light):
    image = four_corners()
    assert whole(image, image.size, linear_light) is image


@pytest.mark.parametrize("linear_light", [False, True])
def test_only_the_box_is_taken(linear_light):
    upper_right = shrink(four_corners(120, 80), plan((6, 4), (60, 0, 120, 40), linear_light))
    assert upper_right.size == (6, 4)
    assert mean_difference(upper_right.crop((1, 0, 6, 3)), Image.new("RGB", (5, 3), "lime")) < (
        3 if linear_light else 1
    )  # edges blend


@pytest.mark.parametrize("size", [(400, 300), (333, 251), (700, 500), (80, 60), (7, 5), (1, 1)])
def test_linear_light_keeps_the_brightness_of_a_fine_checkerboard(size):
    """Half the light is code 188. Without it a checkerboard becomes 128, which is 22 % of the light."""
    linear, naive = (np.asarray(whole(checkerboard(), size, way)) for way in (True, False))
    assert decode_srgb(linear).mean() == pytest.approx(0.5, abs=0.005)
    assert naive.mean() == pytest.approx(127.5, abs=0.6)
    if size == (400, 300):
        assert np.median(linear) == 188


@pytest.mark.parametrize("name", ["rocket.jpg", "flower.jpg", "brick.png"])
@pytest.mark.parametrize(("width", "bound"), [(600, 58), (300, 58), (170, 58), (96, 46), (40, 42)])
def test_linear_light_follows_full_precision(name, width, bound):
    """Above a quarter of the size the only difference is the rounding to 8 bits: 59 dB."""
    image = opened(photo(name))
    size = (min(width, image.width - 1), width * image.height // image.width)
    result = whole(image, size)
    assert result.mode == LINEAR_MODES[image.mode]
    assert db(result, in_light(image, size)) > bound


@pytest.mark.parametrize(
    "box", [(100, 50, 500, 350), (100.5, 50.25, 500.75, 350.5), (0, 0, 3, 427), (601, 400, 640, 427)]
)
@pytest.mark.parametrize("size", [(150, 111), (3, 400)])
def test_linear_light_crops_where_it_should(box, size):
    image = opened(photo("rocket.jpg"))
    result = shrink(image, plan(size, box, linear_light=True))
    assert db(result, in_light(image, size, box)) > (58 if (box[2] - box[0]) / size[0] < 4 else 33)


def test_linear_light_is_the_same_in_strips(monkeypatch):
    image = opened(photo("rocket.jpg"))
    for size in ((500, 333), (100, 66)):
        at_once = np.asarray(whole(image, size), int)
        monkeypatch.setattr("udfs.imaging.linear_light.STRIP_PIXELS", 640 * 23)
        in_strips = np.asarray(whole(image, size), int)
        monkeypatch.undo()
        assert np.abs(at_once - in_strips).max() <= 1


@pytest.mark.parametrize("size", [(3000, 2000), (300, 200), (2, 2)])
def test_linear_light_never_holds_all_pixels_as_floats(size):
    image = Image.new("RGB", (4000, 3000))
    tracemalloc.start()
    whole(image, size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    result = size[0] * size[1] * 3
    assert peak < 2 * result + 10 * STRIP_PIXELS * 3 * 4 < 4000 * 3000 * 3 * 4 + result


@pytest.mark.parametrize("mode", ["RGBa", "La"])
def test_linear_light_weighs_colours_by_their_alpha(mode):
    """A red disc on transparent green: whatever is seen of it is red, and the edge is as wide as the alpha says."""
    straight = Image.new("RGBA", (200, 200), (0, 255, 0, 0))
    straight.paste((255, 0, 0, 255), (0, 0, 101, 200))
    result = whole(straight.convert("RGBA" if mode == "RGBa" else "LA").convert(mode), (20, 20))
    pixels = np.asarray(result).astype(int)
    seen = pixels[..., -1] > 8
    if mode == "RGBa":
        assert pixels[seen][:, :3].tolist() == [[255, 0, 0]] * int(seen.sum())
    else:
        assert set(pixels[seen][:, 0]) == {76}
    alpha = Image.fromarray(np.asarray(straight.getchannel("A"), np.float32)).resize((20, 20), LANCZOS, reducing_gap=2)
    assert np.abs(pixels[..., -1] - np.clip(alpha, 0, 255)).max() <= 1


def test_linear_light_of_half_transparent_pixels_keeps_their_colour():
    image = Image.new("RGBA", (90, 90), (200, 100, 50, 128))
    assert np.abs(np.asarray(whole(image.convert("RGBa"), (31, 17)), int) - (200, 100, 50, 128)).max() <= 1


def test_cmyk_is_resampled_as_it_is():
    image = Image.new("CMYK", (9, 9), (10, 20, 30, 40))
    assert whole(image, (3, 3)).tobytes() == whole(image, (3, 3), linear_light=False).tobytes()
    assert whole(image, (3, 3)).mode == "CMYK"


@pytest.mark.parametrize("linear_light", [False, True])
def test_what_is_enlarged_is_nearer_to_the_original_than_with_bicubic(linear_light):
    original = opened(photo("flower.jpg")).crop((0, 0, 640, 424))
    half = original.resize((320, 212), LANCZOS)
    enlarged = whole(half, (640, 424), linear_light)
    assert db(enlarged, original) > 31
    if not linear_light:
        assert db(enlarged, original) > db(half.resize((640, 424), Image.Resampling.BICUBIC), original)
