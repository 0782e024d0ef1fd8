"""Animations that are kept: every frame, its time and the loop, within bounds of size, time and memory."""

import io
import subprocess
import sys

import numpy as np
import pytest
from pictures import decibels, encoded, four_corners, opened, photo
from PIL import Image

from udfs.imaging.animate import StepFailed
from udfs.imaging.encode import Animation, Options, Shown, Target, encode_animation
from udfs.imaging.errors import RenderFailed
from udfs.imaging.limits import Limits
from udfs.imaging.preset import PRESET_MODEL, Preset
from udfs.imaging.render import render

DURATIONS_MS = [40, 70, 100, 200, 50, 90]
ANIMATED = ["webp", "gif", "png", "avif"]
LOSSY = ("webp", "avif", "jpeg", "auto", "source")


def keep(format, **keys):
    quality = {"quality": 90} if format in LOSSY and not {"max_bytes", "target_ssim"} & set(keys) else {}
    return PRESET_MODEL(name="kept", format=format, animation="keep", **{"width": 80, **quality, **keys})


def moving(alpha=False, frames=6, size=(160, 100)):
    """A red bar wanders over a photograph; with alpha, a hole grows in it."""
    still = opened(photo("flower.jpg")).convert("RGB").resize(size)
    for index in range(frames):
        image = still.copy()
        image.paste("red", (20 * index, 20, 20 * index + 20, 70))
        if alpha:
            image.putalpha(255)
            image.paste((0, 0, 0, 0), (40, 0, 60 + 12 * index, 60))
        yield image


def source(format, alpha=False, loop=0, frames=6):
    first, *others = moving(alpha, frames)
    lossless = {"lossless": True} if format == "WEBP" else {"quality": 100} if format == "AVIF" else {}
    durations = (DURATIONS_MS * frames)[:frames]
    return encoded(first, format, save_all=True, append_images=others, duration=durations, loop=loop, **lossless)


def derived(source, preset, limits=None):
    rendering = render(source, [preset], limits or Limits())
    assert rendering.failures == ()
    return rendering.derivatives[0]


def shown(data):
    """Return the frames as a player composes them, each with its duration."""
    image = Image.open(io.BytesIO(data))
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        yield image.convert("RGBA"), image.info.get("duration")


@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
@pytest.mark.parametrize("format", ANIMATED)
@pytest.mark.parametrize("origin", ["PNG", "WEBP"])
def test_every_frame_is_there_at_its_time(origin, format, alpha):
    derivative = derived(source(origin, alpha), keep(format))
    result = list(shown(derivative.data))
    assert (derivative.frames, derivative.format, len(result)) == (6, format, 6)
    assert [duration for _, duration in result] == DURATIONS_MS
    for (image, _), original in zip(result, moving(alpha), strict=True):
        assert image.size == (derivative.width, derivative.height) == (80, 50)
        expected = original.convert("RGBa" if alpha else "RGB").resize((80, 50), Image.Resampling.LANCZOS)
        on_grey = [Image.new("RGBA", (80, 50), "grey") for _ in range(2)]
        for paper, picture in zip(on_grey, (image, expected.convert("RGBA")), strict=True):
            paper.alpha_composite(picture)
        assert decibels(*(paper.convert("RGB") for paper in on_grey)) > (24 if format == "gif" else 28)


@pytest.mark.parametrize("origin", ["GIF", "AVIF"])
@pytest.mark.parametrize("format", ["webp", "png"])
def test_other_animated_sources(origin, format):
    derivative = derived(source(origin), keep(format))
    assert [duration for _, duration in shown(derivative.data)] == DURATIONS_MS


@pytest.mark.parametrize("loop", [0, 1, 3])
@pytest.mark.parametrize("format", ["webp", "png", "gif"])
@pytest.mark.parametrize("origin", ["PNG", "WEBP"])
def test_the_loop_is_kept(origin, format, loop):
    """The three formats count plays; Pillow tells a GIF's repeats, one less, and nothing for a GIF that plays once."""
    found = Image.open(io.BytesIO(derived(source(origin, loop=loop), keep(format)).data)).info.get("loop")
    assert found == ({0: 0, 1: None, 3: 2}[loop] if format == "gif" else loop)


def test_the_loop_of_a_gif_is_kept():
    data = derived(source("GIF", loop=2), keep("gif")).data
    assert Image.open(io.BytesIO(data)).info["loop"] == 2


@pytest.mark.parametrize(("format", "origin", "expected"), [("auto", "GIF", "webp"), ("source", "GIF", "gif")])
def test_open_formats(format, origin, expected):
    derivative = derived(source(origin), keep(format))
    assert (derivative.format, derivative.frames) == (expected, 6)


def test_a_jpeg_shows_the_first_frame_and_so_does_what_does_not_keep_animations():
    for preset in (keep("source"), Preset(name="first", width=80, format="webp", quality=90)):
        still = derived(photo() if preset.name == "kept" else source("GIF"), preset)
        assert (still.frames, len(list(shown(still.data)))) == (1, 1)
    preset = Preset(name="first", width=80, format="jpeg", quality=95)
    first = next(moving()).resize((80, 50), Image.Resampling.LANCZOS)
    assert decibels(opened(derived(source("PNG"), preset).data), first) > 25


def test_effects_are_done_to_every_frame():
    for image, _ in shown(derived(source("PNG"), keep("png", grayscale=True)).data):
        red, green, blue, _ = image.split()
        assert red.tobytes() == green.tobytes() == blue.tobytes()


def test_frames_that_do_not_change_keep_their_time():
    still = four_corners()
    data = encoded(still, "WEBP", save_all=True, append_images=[still, still.rotate(180)], duration=70, lossless=True)
    for format in ANIMATED:
        frames = list(shown(derived(data, keep(format)).data))
        assert sum(duration for _, duration in frames) == pytest.approx(sum(d for _, d in shown(data)), abs=10)


def test_short_delays_of_a_gif_are_rounded_but_not_their_sum():
    first, *others = moving(frames=6)
    data = encoded(first, "WEBP", save_all=True, append_images=others, duration=33, quality=60)
    delays = [duration for _, duration in shown(derived(data, keep("gif")).data)]
    assert set(delays) == {30, 40}
    assert sum(delays) == pytest.approx(6 * 33, abs=5)


def test_what_did_not_change_is_not_stored_again():
    for format in ("gif", "png"):
        one = derived(source("PNG"), Preset(name="first", width=80, format=format))
        assert len(derived(source("PNG"), keep(format)).data) < 3 * len(one.data)


@pytest.mark.parametrize("format", ANIMATED)
def test_a_budget_is_kept_by_all_frames_together(format):
    whole = derived(source("PNG"), keep(format))
    preset = keep("auto", max_bytes=len(whole.data) // 2)
    frames = [Shown(image.resize((80, 50)), 50) for image in moving()]
    animation = Animation(lambda: iter(frames), (80, 50), 6, 0)
    reduced = encode_animation(frames[0].image, animation, Target(format), Options(preset))
    assert len(reduced.data) <= len(whole.data) // 2
    assert len(list(shown(reduced.data))) == 6


def test_a_likeness_is_that_of_the_first_frame():
    rough, fine = (derived(source("PNG"), keep("webp", target_ssim=target)) for target in (0.8, 0.98))
    assert len(rough.data) < len(fine.data)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_animation_frames=5), "6 frames, an animation that is kept may have 5"),
        (Limits(max_animation_pixels=80 * 50 * 6 - 1), "6 frames of 80x50 px are 24000 pixels, the limit is 23999"),
    ],
)
def test_caps(limits, message):
    first = Preset(name="first", width=80, format="webp", quality=90)
    rendering = render(source("PNG"), [keep("webp"), first], limits)
    assert [derivative.preset.name for derivative in rendering.derivatives] == ["first"]
    (failure,) = rendering.failures
    assert failure.reason == "ANIMATION_TOO_LARGE"
    assert message in failure.message
    exact = Limits(max_animation_frames=6, max_animation_pixels=80 * 50 * 6)
    assert derived(source("PNG"), keep("webp"), exact).frames == 6


@pytest.mark.parametrize("format", ANIMATED)
def test_a_damaged_frame_fails_what_keeps_the_animation_only(format):
    data = source("PNG")
    damaged = data[:-200]
    first = Preset(name="first", width=80, format="webp", quality=90)
    rendering = render(damaged, [keep(format), first])
    assert [derivative.preset.name for derivative in rendering.derivatives] == ["first"]
    assert [failure.reason for failure in rendering.failures] == ["RENDER_FAILED"]


@pytest.mark.parametrize("format", ["webp", "avif"])
def test_frames_that_are_announced_and_not_there(format):
    """The writers of the other two take what comes; for them it is counted where the frames come from."""
    frames = [Shown(four_corners(), 50)] * 3
    animation = Animation(lambda: iter(frames), (120, 80), 4, 0)
    with pytest.raises(RenderFailed, match="the animation ends after 3 of 4 frames"):
        encode_animation(frames[0].image, animation, Target(format), Options(keep(format)))


@pytest.mark.parametrize("format", ANIMATED)
@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_animations(format, mode):
    frames = [Shown(image.convert(mode), 50) for image in moving(alpha=mode == "LA")]
    animation = Animation(lambda: iter(frames), (160, 100), 6, 0)
    result = list(shown(encode_animation(frames[0].image, animation, Target(format), Options(keep(format))).data))
    for (image, _), frame in zip(result, frames, strict=True):
        visible = np.asarray(frame.image.convert("RGBA"))[..., 3] > 0
        difference = np.abs(np.asarray(image, float) - np.asarray(frame.image.convert("RGBA"), float))
        assert difference[visible].mean() < 4


@pytest.mark.parametrize("format", ANIMATED)
def test_a_hole_in_a_later_frame_only(format):
    frames = [Shown(image, 50) for image in (four_corners(), Image.new("RGBA", (120, 80), (9, 9, 9, 0)))]
    animation = Animation(lambda: iter(frames), (120, 80), 2, 0)
    options = Options(keep(format, background="#00ff00"))
    _, (second, _) = shown(encode_animation(frames[0].image, animation, Target(format), options).data)
    red, green, blue, alpha = second.getpixel((20, 20))
    assert alpha == 0 or (green > 200 and red < 60 and blue < 60)


@pytest.mark.parametrize("policy", ["strip", "all"])
@pytest.mark.parametrize("format", ["webp", "png", "avif"])
def test_metadata_of_an_animation(format, policy):
    exif = Image.Exif()
    exif[0x8298] = "Joerg"
    first, *others = moving()
    data = encoded(first, "WEBP", save_all=True, append_images=others, exif=exif.tobytes())
    assert (b"Joerg" in derived(data, keep(format, metadata=policy)).data) == (policy == "all")


def alike(*levels):
    """Frames of one colour each, too like each other for an encoder with loss."""
    first, *others = (Image.new("RGB", (32, 32), (level, 0, 99)) for level in levels)
    return encoded(first, "PNG", save_all=True, append_images=others, duration=100)


@pytest.mark.parametrize("format", ANIMATED)
@pytest.mark.parametrize("levels", [(0, 1, 2, 200), (0, 1, 2)], ids=["two differ", "none differs"])
def test_what_is_announced_is_what_is_in_the_file(format, levels):
    """libwebp makes one frame of those that look alike, and a still of one frame; the other three do not."""
    derivative = derived(alike(*levels), keep(format, width=16, **({"quality": 50} if format in LOSSY else {})))
    assert derivative.frames == len(list(shown(derivative.data)))
    if format != "webp":
        assert derivative.frames == len(levels)


@pytest.mark.parametrize("format", ANIMATED)
def test_frames_that_are_the_same_are_announced_as_they_are_stored(format):
    still = four_corners()
    data = encoded(still, "WEBP", save_all=True, append_images=[still.rotate(180)], duration=70, lossless=True)
    assert derived(data, keep(format)).frames == 2
    frames = [Shown(still, 50)] * 3
    animation = Animation(lambda: iter(frames), still.size, 3, 0)
    made = encode_animation(still, animation, Target(format), Options(keep(format)))
    assert made.frames == len(list(shown(made.data))) == (1 if format == "webp" else 3)


def lasting(*durations_ms, plays=0):
    colours = [Image.new("RGB", (16, 16), ("red", "lime", "blue")[index % 3]) for index in range(len(durations_ms))]
    frames = [Shown(image, duration_ms) for image, duration_ms in zip(colours, durations_ms, strict=True)]
    return frames[0].image, Animation(lambda: iter(frames), (16, 16), len(frames), plays)


def durations(format, *durations_ms):
    made = encode_animation(*lasting(*durations_ms), Target(format), Options(keep(format)))
    return [duration_ms for _, duration_ms in shown(made.data)]


def test_a_webp_is_played_as_often_as_it_can_say():
    made = encode_animation(*lasting(100, 100, plays=100_000), Target("webp"), Options(keep("webp")))
    assert Image.open(io.BytesIO(made.data)).info["loop"] == 65_535


@pytest.mark.parametrize("format", ["webp", "avif"])
def test_frames_are_shown_as_long_as_a_webp_can_say(format):
    longest = 2**24 - 1
    assert durations(format, longest, longest + 1, 65_535_000) == [longest] * 3
    assert sum(durations(format, *[16_000_000] * 200)) == (2**31 - 1) // 200 * 200


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        (65_535, 65_535),
        (65_536, 65_540),
        (100_000, 100_000),
        (655_350, 655_350),
        (655_360, 655_400),
        (6_553_600, 6_554_000),
        (65_535_000, 65_535_000),
        (99_999_999, 65_535_000),
    ],
)
def test_long_delays_of_a_png_are_told_in_coarser_fractions(asked, written):
    assert durations("png", asked, 40) == [written, 40]


@pytest.mark.parametrize("fault", [ValueError, OSError, KeyError])
@pytest.mark.parametrize("format", ANIMATED)
def test_a_fault_of_a_step_is_no_refusal_of_the_encoder(monkeypatch, format, fault):
    """The first frame is developed elsewhere; this one comes while an encoder asks for the frames."""

    def faulty(*frame):
        raise fault(7)

    monkeypatch.setattr("udfs.imaging.animate.develop", faulty)
    with pytest.raises(StepFailed, match=f"{fault.__name__}: 7"):
        render(source("PNG"), [keep(format)])


@pytest.mark.parametrize("fault", [RenderFailed("preset some: no"), MemoryError()])
def test_what_a_step_may_raise_stays_what_it_is(monkeypatch, fault):
    def failing(*frame):
        raise fault

    monkeypatch.setattr("udfs.imaging.animate.shrink", failing)
    if isinstance(fault, MemoryError):
        with pytest.raises(MemoryError):
            render(source("PNG"), [keep("png")])
    else:
        (failure,) = render(source("PNG"), [keep("png")]).failures
        assert (failure.reason, failure.message) == ("RENDER_FAILED", "preset some: no")


IN_ANOTHER_PROCESS = """
import sys
from PIL import Image
from udfs.imaging.encode import Animation, Options, Shown, Target, encode, encode_animation
from udfs.imaging.preset import Preset

format, count, side = sys.argv[1], int(sys.argv[2]), 500
picture = Image.effect_noise((side * 2, side), 20).convert("RGB").resize((side * 2, side), 3, (0, 0, side, side / 2))

def frames():
    for index in range(count):
        yield Shown(picture.crop((index, 0, index + side, side)), 40)

def peak_bytes():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))

quality = {"quality": 60} if format in ("webp", "avif") else {}
effort = {} if format == "gif" else {"effort": 0}
options = Options(Preset(name="kept", width=side, format=format, animation="keep", **effort, **quality))
first = next(frames()).image
encode(first, Target(format), options)
before = peak_bytes()
made = encode_animation(first, Animation(frames, (side, side), count, 0), Target(format), options)
print(peak_bytes() - before - len(made.data), len(made.data))
"""


@pytest.mark.parametrize("format", ANIMATED)
def test_memory_does_not_grow_with_the_frames(format):
    """Of 300 frames of 500x500, 286 MiB of pixels as RGBA, only a few and the encoded bytes may be in memory."""
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, format, "300"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    beside_the_bytes, encoded_bytes = (int(word) for word in output.split())
    assert beside_the_bytes < 24 * 2**20 + encoded_bytes // 4
