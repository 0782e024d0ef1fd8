"""All signals together: well-formed for every picture, the same everywhere, and never black where it is transparent."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import opened, photo
from PIL import Image

from udfs.imaging.signals import Exposure, measure

COLOUR = re.compile(r"#[0-9a-f]{6}")
MODES = ("L", "LA", "RGB", "RGBA")


@st.composite
def displayed_pictures(draw):
    mode = draw(st.sampled_from(MODES))
    width, height = draw(st.tuples(st.integers(1, 512), st.integers(1, 512)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    samples = random.integers(0, 256, (height, width, len(mode)), np.uint8)
    if draw(st.booleans()):
        samples[:] = samples[:1, :1]
    if draw(st.booleans()):
        samples[..., -1] = draw(st.sampled_from((0, 127, 128, 255)))
    return Image.frombytes(mode, (width, height), samples.tobytes())


@settings(max_examples=150)
@given(displayed_pictures())
def test_every_picture_has_well_formed_signals(picture):
    signals = measure(picture)
    assert len(signals.blurhash) in (4 + 2 * 9, 4 + 2 * 12)
    assert re.fullmatch(r"[A-Za-z0-9+/]{20,36}={0,2}", signals.thumbhash)
    assert re.fullmatch(r"[0-9a-f]{16}", signals.perceptual_hash)
    assert 1 <= len(set(signals.palette)) == len(signals.palette) <= 5
    assert all(COLOUR.fullmatch(colour) for colour in signals.palette)
    assert signals.dominant_color == signals.palette[0]
    assert 0 <= signals.sharpness <= (4 * 255) ** 2
    exposure = signals.exposure
    assert all(0 <= share <= 1 for share in (exposure.mean, exposure.shadows, exposure.highlights))
    assert exposure.shadows + exposure.highlights <= 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(1, 1), (512, 1), (1, 512), (2, 3), (101, 100), (512, 512)])
def test_extreme_sizes_have_the_components_of_their_shape(mode, size):
    across_and_down = {"0123456789ABCDEFGHIJKLMNOPQRSTU".index(measure(Image.new(mode, size)).blurhash[0])}
    width, height = size
    assert across_and_down == {(3 if width > height else 2) + 9 * (3 if height > width else 2)}


def test_the_picture_is_not_changed():
    picture = opened(photo()).convert("RGBA")
    before = picture.tobytes()
    measure(picture)
    assert picture.tobytes() == before


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_hidden_under_transparency_has_no_say(mode):
    black, loud = (Image.new("RGBA", (120, 80), colour).convert(mode) for colour in ("#00000000", "#ff8000"))
    loud.putalpha(0)
    for canvas in (black, loud):
        canvas.paste(Image.new("RGBA", (60, 80), "#3366cc").convert(mode), (0, 0))
    assert measure(black) == measure(loud)


def test_transparent_is_not_black():
    picture = Image.new("RGBA", (120, 80), "#00000000")
    picture.paste("#3366cc", (0, 0, 20, 80))
    signals = measure(picture)
    assert signals.palette == ("#3366cc",)
    assert signals.exposure == Exposure(mean=pytest.approx(98 / 255), shadows=0, highlights=0)
    on_white = Image.new("RGB", picture.size, "white")
    on_white.paste(picture, mask=picture)
    assert signals.blurhash == measure(on_white).blurhash
    assert signals.perceptual_hash == measure(on_white).perceptual_hash
    assert signals.sharpness == measure(on_white).sharpness


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_a_picture_with_nothing_visible_is_white_paper(mode):
    invisible, paper = measure(Image.new(mode, (30, 20))), measure(Image.new("RGB", (30, 20), "white"))
    assert invisible.palette == ("#ffffff",)
    assert invisible.exposure == Exposure(mean=1, shadows=0, highlights=1)
    assert (invisible.blurhash, invisible.perceptual_hash) == (paper.blurhash, paper.perceptual_hash)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_an_opaque_alpha_channel_changes_nothing(mode):
    picture = opened(photo()).convert(mode)
    picture.thumbnail((512, 512))
    with_alpha = picture.convert({"L": "LA", "RGB": "RGBA"}[mode])
    assert measure(with_alpha) == measure(picture)


def test_threads_and_processes_agree():
    picture = opened(photo()).resize((512, 342))
    here = measure(picture)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(measure, [picture] * 16)) == {here}
    elsewhere = subprocess.run(
        [sys.executable, "-c", _MEASURE, *map(str, picture.size)],
        input=picture.tobytes(),
        capture_output=True,
        check=True,
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path)},
    )
    assert elsewhere.stdout.decode().strip() == repr(here)


_MEASURE = """
import sys
from PIL import Image
from udfs.imaging.signals import measure
print(measure(Image.frombytes("RGB", (int(sys.argv[1]), int(sys.argv[2])), sys.stdin.buffer.read())))
"""
