"""The core as the job calls it: bytes in, derivatives and facts out."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pictures import (
    animated,
    decibels,
    encoded,
    exif_orientation,
    four_corners,
    mean_difference,
    opened,
    photo,
)
from PIL import Image, ImageOps

from darkroom.synthetic import corrupt_image, huge_dimensions_png, synthetic_image
from udfs.imaging.errors import CorruptImage, NotAnImage, SourceEmpty, TooManyPixels
from udfs.imaging.limits import Limits
from udfs.imaging.presets import Preset, parse_presets
from udfs.imaging.render import render
from udfs.imaging.signatures import ALLOWED

SHIPPED = Path(__file__).parents[3] / "jobs" / "presets.yaml"
PRESETS = parse_presets(SHIPPED.read_text(), SHIPPED.name).choose(None)

# Lossless, so that comparisons see the geometry and the scaling and not an encoder.
FIT_96 = Preset(name="fit-96", geometry="fit", width=96, height=96, format="png")
COVER_48 = Preset(name="cover-48", geometry="cover", width=48, height=48, format="png")
JPEG_96 = Preset(name="jpeg-96", geometry="fit", width=96, height=96, format="jpeg", quality=90)
TALL = Preset(name="tall", geometry="fit", width=2000, format="webp", quality=50)


def picture(source, preset):
    (derivative,) = render(source, [preset]).derivatives
    return opened(derivative.data)


def test_facts_and_derivatives_of_a_photograph():
    source = photo("flower.jpg")
    rendering = render(source, PRESETS)
    facts = rendering.source
    assert (facts.format, facts.width, facts.height, facts.frames, facts.has_alpha) == ("jpeg", 640, 427, 1, False)
    assert (facts.bytes, facts.sha256) == (len(source), hashlib.sha256(source).hexdigest())
    assert rendering.failures == ()
    assert [(d.preset, d.width, d.height) for d in rendering.derivatives] == [
        ("thumb-256", 256, 256),
        ("fit-640-webp", 640, 427),
        ("fit-640-jpeg", 640, 427),
        ("fit-1280-webp", 640, 427),
        ("fit-1280-jpeg", 640, 427),
    ]
    for derivative, preset in zip(rendering.derivatives, PRESETS, strict=True):
        image = opened(derivative.data)
        assert image.format == derivative.format.upper()
        assert image.size == (derivative.width, derivative.height)
        assert derivative.sha256 == hashlib.sha256(derivative.data).hexdigest()
        assert derivative.recipe_fingerprint == preset.recipe_fingerprint
        assert (derivative.extension, derivative.content_type) == (preset.extension, preset.content_type)
        assert derivative.cache_control == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("preset", [FIT_96, COVER_48], ids=lambda preset: preset.name)
def test_every_orientation_is_shown_upright(orientation, format, preset):
    """Encode a picture stored turned; what comes out has its corners where a viewer shows them."""
    shown = four_corners(1200, 800) if orientation < 5 else four_corners(800, 1200)
    undo = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    tagged = shown.copy()
    tagged.getexif()[0x0112] = undo
    options = {"quality": 95} if format != "PNG" else {}
    source = encoded(ImageOps.exif_transpose(tagged), format, exif=exif_orientation(orientation), **options)
    rendering = render(source, [preset])
    assert (rendering.source.width, rendering.source.height) == shown.size
    result = opened(rendering.derivatives[0].data)
    if preset is FIT_96:
        assert result.size == ((96, 64) if orientation < 5 else (64, 96))
        expected = shown.resize(result.size)
    else:
        assert result.size == (48, 48)
        expected = ImageOps.fit(shown, (48, 48))
    assert mean_difference(result, expected) < 4


@pytest.mark.parametrize("name", ["rocket.jpg", "flower.jpg", "camera.png", "clock_motion.png", "brick.png"])
@pytest.mark.parametrize("width", [500, 300, 180, 96, 40])
def test_the_pixels_are_close_to_a_full_decode_with_lanczos(name, width):
    """The bound is what an encoder at quality 80 stays under: 36 dB; reduced decoding must cost less than that."""
    preset = Preset(name="any", geometry="fit", width=width, format="png")
    result = picture(photo(name), preset)
    reference = opened(photo(name)).resize(result.size, Image.Resampling.LANCZOS)
    assert decibels(result, reference) > 36
    assert mean_difference(result, reference) < 3


@pytest.mark.parametrize("width", [500, 180, 96, 40])
def test_a_square_crop_is_close_to_the_reference_too(width):
    preset = Preset(name="any", geometry="cover", width=width, height=width, format="png")
    result = picture(photo("rocket.jpg"), preset)
    square = opened(photo("rocket.jpg")).crop((106, 0, 533, 427))
    reference = square if width > 427 else square.resize((width, width), Image.Resampling.LANCZOS)
    assert result.size == reference.size
    assert decibels(result, reference) > (36 if width < 427 else 99)


def test_a_small_source_is_never_enlarged():
    source = encoded(four_corners(50, 40), "PNG")
    assert picture(source, FIT_96).size == (50, 40)
    assert picture(source, COVER_48).size == (40, 40)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2), (7, 5)])
@pytest.mark.parametrize("format", [name for name, _ in ALLOWED])
def test_tiny_and_extreme_sources(size, format):
    rendering = render(encoded(Image.new("RGB", size, "teal"), format.upper()), PRESETS)
    assert len(rendering.derivatives) == len(PRESETS)
    assert all(derivative.width >= 1 and derivative.height >= 1 for derivative in rendering.derivatives)


MODES = [
    ("1", "PNG"), ("1", "TIFF"), ("L", "JPEG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("P", "GIF"), ("P", "BMP"),
    ("RGB", "BMP"), ("RGB", "WEBP"), ("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("CMYK", "JPEG"),
    ("CMYK", "TIFF"), ("YCbCr", "JPEG"),
    ("YCbCr", "TIFF"), ("PA", "TIFF"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "format"), MODES)
def test_every_mode_keeps_its_colours(mode, format):
    base = opened(photo("rocket.jpg"))
    source = encoded(base.convert("RGBA" if mode in ("LA", "PA") else "RGB").convert(mode), format)
    reference = base if mode not in ("1", "L", "LA") else base.convert("L").convert("RGB")
    reference = reference.resize((96, 64), Image.Resampling.LANCZOS)
    for derivative in render(source, [FIT_96, JPEG_96]).derivatives:
        difference = mean_difference(opened(derivative.data).convert("RGB"), reference)
        assert difference < (12 if mode in ("1", "P", "PA") else 4), derivative.preset


def test_sixteen_bit_grey_is_scaled():
    ramp = Image.frombytes("I;16", (256, 4), b"".join((x * 257).to_bytes(2, "little") for x in range(256)) * 4)
    wide = Preset(name="wide", geometry="fit", width=256, format="png")
    for format in ("PNG", "TIFF"):
        assert picture(encoded(ramp, format), wide).get_flattened_data()[:256] == tuple(range(256))


def test_an_inverted_adobe_cmyk_jpeg_is_not_a_negative():
    source = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG")
    assert b"Adobe" in source
    red, green, blue = picture(source, FIT_96).getpixel((32, 32))
    assert red > 240
    assert green < 15
    assert blue < 15


def test_transparency_becomes_white_for_jpeg_and_stays_for_png():
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (100, 0, 200, 200))
    rendering = render(encoded(image, "PNG"), [JPEG_96, FIT_96])
    assert rendering.source.has_alpha
    jpeg, png = (opened(derivative.data) for derivative in rendering.derivatives)
    assert min(jpeg.getpixel((10, 48))) > 250
    assert png.getpixel((10, 48))[3] == 0
    assert png.getpixel((85, 48)) == (200, 0, 0, 255)
    edge = [png.getpixel((x, 48)) for x in range(44, 52)]
    assert all(red >= 195 for red, _, _, alpha in edge if alpha > 8), "a dark fringe beside the transparent edge"
    assert all(jpeg.getpixel((x, 48))[0] > 165 for x in range(44, 52)), "chroma is halved in a JPEG, no more than that"


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_an_animation_gives_its_first_frame_and_its_count(format):
    rendering = render(animated(format, 5), [FIT_96])
    assert rendering.source.frames == 5
    first = opened(rendering.derivatives[0].data).convert("RGB")
    assert mean_difference(first, Image.new("RGB", first.size, (0, 0, 90))) < 3


def test_metadata_are_stripped_and_an_rgb_profile_is_kept():
    profile = bytes(16) + b"RGB " + bytes(108)
    source = encoded(four_corners(), "JPEG", exif=exif_orientation(3), comment=b"secret place", icc_profile=profile)
    for format in ("jpeg", "webp", "png"):
        quality = None if format == "png" else 80
        preset = Preset(name="any", geometry="fit", width=60, format=format, quality=quality)
        data = render(source, [preset]).derivatives[0].data
        info = opened(data).info
        assert b"secret" not in data
        assert not {"exif", "comment", "xmp"} & set(info)
        assert info["icc_profile"] == profile


def test_one_preset_that_cannot_be_made_leaves_the_others_alone():
    source = encoded(Image.new("L", (2, 20_000), 77), "PNG")
    rendering = render(source, [TALL, FIT_96])
    assert [failure.preset for failure in rendering.failures] == ["tall"]
    assert rendering.failures[0].reason == "RENDER_FAILED"
    assert "2x20000 px, webp ends at 16383 px" in rendering.failures[0].message
    assert [derivative.preset for derivative in rendering.derivatives] == ["fit-96"]


def test_no_presets_still_give_the_facts():
    rendering = render(photo(), [])
    assert rendering.derivatives == ()
    assert rendering.source.width == 640


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (b"", SourceEmpty),
        (b"not an image", NotAnImage),
        (b"<html><body>404</body></html>", NotAnImage),
        (corrupt_image(1), CorruptImage),
        (photo()[:3_000], CorruptImage),
        (huge_dimensions_png(), TooManyPixels),
        (b"PK\x03\x04" + photo(), NotAnImage),
    ],
    ids=["empty", "text", "html", "cut", "cut early", "200 megapixels", "picture inside a zip"],
)
def test_bad_sources_are_refused_by_type(source, kind):
    with pytest.raises(kind, match="source: "):
        render(source, PRESETS)


def test_bytes_after_the_picture_do_no_harm():
    assert render(photo() + b"PK\x03\x04 and a zip", [FIT_96]).derivatives == render(photo(), [FIT_96]).derivatives


def test_limits_are_the_callers():
    with pytest.raises(TooManyPixels, match="640x427"):
        render(photo(), PRESETS, Limits(max_pixels=640 * 427 - 1))
    assert render(photo(), PRESETS, Limits(max_pixels=640 * 427)).failures == ()


SOURCES = ("rocket.jpg", "camera.png")
IN_ANOTHER_PROCESS = """
import sys, pathlib
from udfs.imaging.presets import parse_presets
from udfs.imaging.render import render
presets = parse_presets(pathlib.Path(sys.argv[1]).read_text(), "presets")
for source in sys.argv[2:]:
    for derivative in render(pathlib.Path(source).read_bytes(), presets.choose(None)[::-1]).derivatives:
        print(derivative.preset, derivative.sha256)
"""


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_and_another_order_give_the_same_bytes(hash_seed):
    paths = [str(Path(__file__).parents[2] / "photos" / name) for name in SOURCES]
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(SHIPPED), *paths]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    there = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    here = [f"{d.preset} {d.sha256}" for name in SOURCES for d in render(photo(name), PRESETS).derivatives]
    assert sorted(there) == sorted(here)
    assert len(here) == 2 * len(PRESETS)


def test_threads_do_not_disturb_each_other():
    sources = [synthetic_image(seed, 300, 200) for seed in range(6)] * 4
    alone = [render(source, PRESETS) for source in sources]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda source: render(source, PRESETS), sources))
    assert together == alone


def test_presets_with_equal_pixels_share_them(monkeypatch):
    developed = []
    import udfs.imaging.render as module

    original = module.develop
    monkeypatch.setattr(module, "develop", lambda image, plan: developed.append(plan) or original(image, plan))
    render(synthetic_image(1), PRESETS)
    assert len(developed) == 3
