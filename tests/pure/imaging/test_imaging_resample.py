"""Lanczos in SIMD, against Lanczos in full precision."""

import cykooz_resizer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import opened, photo
from PIL import Image

from udfs.imaging import resample as module
from udfs.imaging.resample import resample

MODES = ("L", "La", "RGB", "RGBa", "CMYK", "F")
BOXES = ((0, 0, 640, 427), (10.5, 20.25, 600.75, 400.5), (300, 200, 310, 208))
SIZES = ((200, 133), (639, 426), (900, 40), (1, 1))


def picture(mode):
    image = opened(photo("rocket.jpg"))
    straight = {"La": "LA", "RGBa": "RGBA"}.get(mode)
    if straight is None:
        return image.convert(mode)
    image = image.convert(straight)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image.convert(mode)


def precise(image, size, box):
    """Lanczos in floats, rounded once."""
    bands = np.moveaxis(np.atleast_3d(np.asarray(image, np.float32)), -1, 0)
    floats = [np.asarray(Image.fromarray(band).resize(size, Image.Resampling.LANCZOS, box)) for band in bands]
    stacked = np.stack(floats, axis=-1)
    return stacked if image.mode == "F" else np.clip(np.rint(stacked), 0, 255)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("size", SIZES)
def test_it_is_lanczos(mode, box, size):
    image = picture(mode)
    found = resample(image, size, box)
    assert (found.mode, found.size) == (mode, size)
    difference = np.abs(np.atleast_3d(np.asarray(found, float)) - precise(image, size, box))
    assert difference.mean() < 0.5
    assert difference.max() <= 10  # between its two passes, what overshoots 255 is cut


@pytest.mark.parametrize("mode", MODES)
def test_every_instruction_set_gives_the_same_bytes(mode, monkeypatch):
    image, size, box = picture(mode), (211, 97), (3.5, 0, 600, 427)
    expected = resample(image, size, box).tobytes()
    for extensions in (cykooz_resizer.CpuExtensions.none, cykooz_resizer.CpuExtensions.sse4_1):

        def resizer(extensions=extensions):
            made = cykooz_resizer.Resizer()
            made.cpu_extensions = extensions
            return made

        monkeypatch.setattr(module, "Resizer", resizer)
        assert resample(image, size, box).tobytes() == expected


@given(st.floats(0, 99), st.floats(0, 99), st.floats(1e-3, 100), st.floats(1e-3, 100), st.integers(1, 40))
def test_any_box_inside_the_picture_is_taken(left, upper, width, height, side):
    image = Image.new("RGB", (100, 100), (1, 2, 3))
    found = resample(image, (side, side), (left, upper, min(left + width, 100), min(upper + height, 100)))
    assert found.getcolors() == [(side * side, (1, 2, 3))]
