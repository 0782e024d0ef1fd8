"""What `auto` and `source` become, on photographs, screenshots and logos."""

import io
from pathlib import Path

import pytest
import skimage
from pictures import opened, photo
from PIL import Image, ImageDraw

from udfs.imaging.encode import Options, Target, encode, target_of
from udfs.imaging.preset import Preset

SAMPLES = Path(skimage.__file__).parent / "data"
PHOTOGRAPHS = ["astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png", "hubble_deep_field.jpg", "moon.png"]


def auto(**keys):
    return Preset(name="some", width=10, format="auto", quality=80, **keys)


def chosen(image, source="png", animated=False, **keys):
    return target_of(auto(**keys), image, source, animated)


def sample(name):
    return Image.open(SAMPLES / name).convert("RGB")


def screenshot(width=800, height=500):
    """A window with a title bar, lines of text and a button."""
    image = Image.new("RGB", (width, height), "#f4f4f4")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 40), "#305080")
    draw.text((10, 10), "Settings of the account", "white", font_size=20)
    for line in range(12):
        draw.text((20, 60 + 30 * line), f"{line}. The quick brown fox jumps over the lazy dog", "#202020", font_size=16)
    draw.rounded_rectangle((width - 160, height - 60, width - 20, height - 20), 8, "#2a8f4a")
    return image


def logo():
    image = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((20, 20, 280, 280), "#d02030")
    ImageDraw.Draw(image).text((90, 100), "Ab", "white", font_size=90)
    return image


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("side", [2_000, 400, 100])
def test_a_photograph_is_a_jpeg(name, side):
    image = sample(name)
    image.thumbnail((side, side))
    assert chosen(image) == Target("jpeg")


def test_a_photograph_that_was_enlarged_is_no_drawing():
    image = sample("coffee.png")
    assert chosen(image.resize((1200, 800), Image.Resampling.NEAREST)) == Target("jpeg")


@pytest.mark.parametrize("name", ["rocket.jpg", "flower.jpg", "camera.png", "brick.png", "clock_motion.png"])
def test_so_are_the_photographs_of_the_tests(name):
    assert chosen(opened(photo(name))) == Target("jpeg")


def test_a_screenshot_or_a_logo_is_a_webp_without_loss():
    assert chosen(screenshot()) == chosen(logo()) == chosen(sample("horse.png")) == Target("webp", lossless=True)


def test_a_shrunk_screenshot_is_a_webp_with_loss():
    assert chosen(screenshot().resize((300, 188), Image.Resampling.LANCZOS)) == Target("webp")


def test_what_is_transparent_is_a_webp_and_what_only_could_be_is_not():
    image = opened(photo()).convert("RGBA")
    assert chosen(image) == Target("jpeg")
    image.putpixel((3, 3), (1, 2, 3, 254))
    assert chosen(image) == Target("webp")


def test_what_is_animated_is_a_webp():
    assert chosen(opened(photo()), animated=True) == Target("webp")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 2)])
def test_tiny_pictures_have_a_format_too(mode, size):
    image = Image.new(mode, size)
    assert opened(encode(image, chosen(image), Options(auto())).data).size == size


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif", "png", "gif"])
def test_the_format_of_the_source_is_kept(format):
    preset = Preset(name="some", width=10, format="source", quality=80)
    assert target_of(preset, logo(), format, False) == Target(format)


@pytest.mark.parametrize("format", ["tiff", "bmp", "heic", "jxl"])
def test_a_source_that_cannot_be_written_is_like_auto(format):
    preset = Preset(name="some", width=10, format="source", quality=80)
    assert target_of(preset, opened(photo()), format, False) == Target("jpeg")
    assert target_of(preset, screenshot(), format, False) == Target("webp", lossless=True)


def test_a_named_format_is_that_format():
    assert target_of(Preset(name="some", width=10, format="gif"), opened(photo()), "jpeg", True) == Target("gif")


def test_without_loss_means_every_pixel():
    image = screenshot()
    data = encode(image, chosen(image), Options(auto())).data
    assert opened(data).convert("RGB").tobytes() == image.tobytes()
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=80)
    assert len(data) < len(jpeg.getvalue())


def test_what_does_not_fit_without_loss_is_made_with_loss():
    image, lossless = opened(photo()), Target("webp", lossless=True)
    exact = encode(image, lossless, Options(auto())).data
    assert encode(image, lossless, Options(auto(max_bytes=len(exact)))).data == exact
    fitting = encode(image, lossless, Options(auto(max_bytes=len(exact) // 4)))
    assert fitting.format == "webp"
    assert len(fitting.data) <= len(exact) // 4
