"""The core as the job calls it: bytes in, derivatives and facts out."""

import hashlib
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
from profiles import vips_profile

from darkroom.synthetic import corrupt_image, huge_dimensions_png, synthetic_image
from udfs.imaging.errors import CorruptImage, NotAnImage, RenderFailed, SourceEmpty, TooManyPixels
from udfs.imaging.limits import Limits
from udfs.imaging.preset import PRESET_MODEL as Preset
from udfs.imaging.presets import parse_presets
from udfs.imaging.render import RenderFailure, render
from udfs.imaging.signatures import ALLOWED

SHIPPED = Path(__file__).parents[3] / "jobs" / "presets.yaml"
PRESETS = parse_presets(SHIPPED.read_text(), SHIPPED.name).choose(None)

# Lossless, so that comparisons see the geometry and the scaling and not an encoder.
FIT_96 = Preset(name="fit-96", geometry="fit", width=96, height=96, format="png")
COVER_48 = Preset(name="cover-48", geometry="cover", width=48, height=48, format="png")
JPEG_96 = Preset(name="jpeg-96", geometry="fit", width=96, height=96, format="jpeg", quality=90)
TALL = Preset(name="tall", geometry="fit", width=2000, format="webp", quality=50)


def pixels(derivative):
    """Return the pixels; those of a PNG of few colours come out of its palette."""
    image = opened(derivative.data)
    return image.convert("RGBA" if image.has_transparency_data else "RGB") if image.mode == "P" else image


def untagged(name):
    """Return a photograph of the tests without its profile, in its own format, so that its samples are sRGB."""
    image = opened(photo(name))
    options = {"quality": 95} if image.format == "JPEG" else {}
    return encoded(image, image.format, icc_profile=None, **options)


def picture(source, preset):
    (derivative,) = render(source, [preset]).derivatives
    return pixels(derivative)


def test_facts_and_derivatives_of_a_photograph():
    source = photo("flower.jpg")
    rendering = render(source, PRESETS)
    facts = rendering.source
    assert (facts.format, facts.width, facts.height, facts.frames, facts.has_alpha) == ("jpeg", 640, 427, 1, False)
    assert (facts.bytes, facts.sha256) == (len(source), hashlib.sha256(source).hexdigest())
    assert rendering.failures == ()
    assert [(d.preset.name, d.width, d.height) for d in rendering.derivatives] == [
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
        assert derivative.preset == preset
        assert derivative.content_type == f"image/{derivative.format}"
        assert (derivative.extension, derivative.frames) == (
            {"jpeg": "jpg"}.get(derivative.format, derivative.format),
            1,
        )


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
    result = pixels(rendering.derivatives[0])
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
    result = picture(untagged(name), preset)
    reference = opened(untagged(name)).resize(result.size, Image.Resampling.LANCZOS)
    assert decibels(result, reference) > 36
    assert mean_difference(result, reference) < 3


@pytest.mark.parametrize("width", [500, 180, 96, 40])
def test_a_square_crop_is_close_to_the_reference_too(width):
    preset = Preset(name="any", geometry="cover", width=width, height=width, format="png")
    result = picture(untagged("rocket.jpg"), preset)
    square = opened(untagged("rocket.jpg")).crop((106, 0, 533, 427))
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
    ("RGB", "BMP"), ("RGB", "WEBP"), ("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF"), ("YCbCr", "JPEG"),
    ("YCbCr", "TIFF"), ("PA", "TIFF"),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "format"), MODES)
def test_every_mode_keeps_its_colours(mode, format):
    base = opened(untagged("rocket.jpg"))
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
    assert red > 190
    assert max(green, blue) < 70


def test_transparency_becomes_white_for_jpeg_and_stays_for_png():
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (100, 0, 200, 200))
    rendering = render(encoded(image, "PNG"), [JPEG_96, FIT_96])
    assert rendering.source.has_alpha
    jpeg, png = (pixels(derivative) for derivative in rendering.derivatives)
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


WIDE_GAMUT = vips_profile("p3")


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif", "png"])
def test_a_profile_goes_along_only_where_a_wide_gamut_is_kept(format):
    source = encoded(four_corners(), "PNG", icc_profile=WIDE_GAMUT)
    quality = {} if format == "png" else {"quality": 80}
    for kept in ("srgb", "keep"):
        preset = Preset(name="any", width=60, format=format, color_profile=kept, **quality)
        info = opened(render(source, [preset]).derivatives[0].data).info
        assert info.get("icc_profile") == (WIDE_GAMUT if kept == "keep" else None)


def test_a_grey_derivative_carries_no_profile_of_colours():
    source = encoded(four_corners(), "PNG", icc_profile=WIDE_GAMUT)
    preset = Preset(name="any", width=60, format="png", grayscale=True)
    image = opened(render(source, [preset]).derivatives[0].data)
    assert image.convert("RGB").getpixel((5, 5))[0] == image.convert("RGB").getpixel((5, 5))[2]
    assert "icc_profile" not in image.info


def test_a_step_that_fails_leaves_the_other_presets_alone(monkeypatch):
    import udfs.imaging.render as module

    original, message = module.develop, "text: nothing here shapes this script"

    def develop(image, plan):
        if plan.size == (48, 48):
            raise RenderFailed(message)
        return original(image, plan)

    monkeypatch.setattr(module, "develop", develop)
    rendering = render(photo(), [COVER_48, FIT_96])
    assert [derivative.preset.name for derivative in rendering.derivatives] == ["fit-96"]
    assert rendering.failures == (RenderFailure("cover-48", "RENDER_FAILED", message),)


def test_signals_are_measured_upright_and_whatever_the_presets():
    upright = encoded(opened(photo("flower.jpg")), "PNG")
    tagged = encoded(opened(photo("flower.jpg")).transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif_orientation(6))
    alone = render(upright, []).signals
    turned = render(tagged, []).signals
    assert (turned.blurhash, turned.perceptual_hash) == (alone.blurhash, alone.perceptual_hash)
    assert alone == render(upright, [FIT_96, COVER_48]).signals
    assert alone.blurhash != render(photo("rocket.jpg"), []).signals.blurhash


def test_one_preset_that_cannot_be_made_leaves_the_others_alone():
    source = encoded(Image.new("L", (2, 20_000), 77), "PNG")
    rendering = render(source, [TALL, FIT_96])
    assert [failure.preset for failure in rendering.failures] == ["tall"]
    assert rendering.failures[0].reason == "RENDER_FAILED"
    assert "2x20000 px, webp ends at 16383 px" in rendering.failures[0].message
    assert [derivative.preset.name for derivative in rendering.derivatives] == ["fit-96"]


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
    assert len(developed) == 3 + 1  # the fourth is what the signals are measured on


def test_a_narrow_strip_is_not_enlarged_without_end():
    strip = encoded(Image.new("RGB", (10, 164), "teal"), "PNG")
    (failure,) = render(strip, [Preset(name="wide", width=4000, enlarge=True, format="webp", quality=80)]).failures
    assert failure.reason == "RENDER_FAILED"
    assert "a derivative may have 100000000; bound both sides in the preset" in failure.message


@pytest.mark.parametrize("keys", [{}, {"linear_light": True}, {"enlarge": True}], ids=["gamma", "linear", "enlarged"])
@pytest.mark.parametrize("others", [(), (Preset(name="whole", width=300, format="png"),)], ids=["alone", "cascade"])
def test_nothing_of_a_trimmed_border_is_left(keys, others):
    framed = Image.new("RGB", (500, 400), "white")
    framed.paste((0, 90, 200), (50, 50, 450, 350))
    trimmed = Preset(name="trimmed", width=600 if keys.get("enlarge") else 100, trim=5, format="png", **keys)
    *_, derivative = render(encoded(framed, "PNG"), [*others, trimmed]).derivatives
    assert opened(derivative.data).convert("RGB").getcolors() == [(derivative.width * derivative.height, (0, 90, 200))]
