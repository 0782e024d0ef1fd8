import numpy as np
import pytest
from pictures import encoded, mean_difference, opened, photo
from PIL import Image

from udfs.imaging.errors import UnsupportedFormat
from udfs.imaging.working_mode import BAND_PIXELS, WORKING, has_alpha, working_mode

BASE = opened(photo("rocket.jpg")).resize((60, 40))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "RGBa", "La"])
def test_common_modes_pass_without_a_copy(mode):
    image = Image.new(mode, (3, 2))
    assert working_mode(image) is image


@pytest.mark.parametrize("mode", sorted(set(WORKING) - {"I;16", "I;16B", "I;16L"}))
def test_every_mode_keeps_its_picture(mode):
    through = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}.get(mode, mode)
    source = BASE.convert(through).convert(mode)
    reference = source.convert(through).convert("RGB")
    worked = working_mode(source)
    assert worked.mode == WORKING[mode]
    straight = {"La": "LA", "RGBa": "RGBA"}.get(worked.mode, worked.mode)
    assert mean_difference(worked.convert(straight).convert("RGB"), reference) < 1


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
def test_sixteen_bits_are_scaled_not_clipped(mode):
    image = Image.frombytes("I;16", (5, 1), b"".join(n.to_bytes(2, "little") for n in (0, 128, 257, 0x8000, 65_535)))
    if mode != "I;16":
        order = "big" if mode == "I;16B" else "little"
        values = (0, 128, 257, 0x8000, 65_535)
        image = Image.frombytes(mode, (5, 1), b"".join(n.to_bytes(2, order) for n in values))
    assert list(working_mode(image).get_flattened_data()) == [0, 0, 1, 128, 255]


@pytest.mark.parametrize(
    ("mode", "key", "worked"), [("L", 0, "La"), ("RGB", (0, 0, 0), "RGBa"), ("P", 0, "RGBa"), ("1", 0, "La")]
)
def test_a_transparent_colour_becomes_alpha(mode, key, worked):
    image = opened(encoded(Image.new(mode, (4, 4)), "PNG", transparency=key))
    assert has_alpha(image)
    result = working_mode(image)
    assert result.mode == worked
    assert result.getchannel(worked[-1] if worked[-1] in result.getbands() else "A").getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("mode", "expected"), [("RGBA", True), ("LA", True), ("RGB", False), ("L", False), ("P", False)]
)
def test_has_alpha(mode, expected):
    assert has_alpha(Image.new(mode, (1, 1))) is expected


def test_many_rows_of_sixteen_bits_keep_their_places():
    levels = np.arange(0, 65_536, 40, dtype=np.uint16)
    image = Image.fromarray(np.tile(levels[:, None], (1, 1_300)))
    assert image.width * image.height > 2 * BAND_PIXELS
    expected = np.tile((levels / 257 + 0.5).astype(np.uint8)[:, None], (1, 1_300))
    assert np.array_equal(np.asarray(working_mode(image)), expected)


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [
        ((255, 128, 128), (255, 255, 255)),
        ((0, 128, 128), (0, 0, 0)),
        ((137, 128, 128), (128, 128, 128)),
        ((129, 176, 165), (200, 80, 60)),
    ],
    ids=["white", "black", "grey", "red"],
)
def test_lab_becomes_srgb(lab, rgb):
    """Lab in 8 bits, with 128 added to a and b, from the matrix for D50 at brucelindbloom.com."""
    pixel = working_mode(Image.new("LAB", (1, 1), lab)).getpixel((0, 0))
    assert all(abs(a - b) <= 4 for a, b in zip(pixel, rgb, strict=True))


@pytest.mark.parametrize("mode", ["I", "F", "HSV"])
def test_samples_without_an_agreed_white_are_refused(mode):
    with pytest.raises(UnsupportedFormat, match=f"pixels of mode {mode} have no agreed white"):
        working_mode(Image.new(mode, (2, 2)))


def test_many_rows_of_sixteen_bits_with_a_transparent_level():
    levels = np.arange(0, 65_536, 40, dtype=np.uint16)
    image = Image.fromarray(np.tile(levels[:, None], (1, 1_300)))
    image.info["transparency"] = 40_000
    assert has_alpha(image)
    alpha = np.asarray(working_mode(image).getchannel("a"))
    assert np.array_equal(alpha[:, 0], np.where(levels == 40_000, 0, 255))
    assert (alpha == alpha[:, :1]).all()
