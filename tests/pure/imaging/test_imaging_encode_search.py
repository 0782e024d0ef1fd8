"""Likeness and budget: what is found does reach or fit, is the best that does, and costs few encodes."""

from functools import cache

import numpy as np
import pytest
from pictures import opened, photo
from PIL import Image
from skimage.metrics import structural_similarity

from udfs.imaging.encode import Options, Target, encode
from udfs.imaging.encode.search import highest_within, lowest_alike
from udfs.imaging.errors import ByteBudgetTooSmall, RenderFailed
from udfs.imaging.preset import Preset, QualityByFormat

IMAGE = opened(photo("flower.jpg")).resize((320, 214))
LOSSY = ["jpeg", "webp", "avif"]


def made(format, image=IMAGE, **keys):
    return encode(image, Target(format), Options(Preset(name="some", width=10, format=format, **keys))).data


def made_under(format, max_bytes, image=IMAGE):
    """Encode to a budget in a format for which the presets file may not name one yet."""
    preset = Preset(name="some", width=10, format="auto", max_bytes=max_bytes)
    return encode(image, Target(format), Options(preset)).data


def likeness(data):
    one, other = (np.asarray(image.convert("L")) for image in (IMAGE, opened(data)))
    return structural_similarity(one, other, gaussian_weights=True, use_sample_covariance=False, data_range=255)


@cache
def at_every_quality(format):
    return tuple(made(format, quality=quality) for quality in range(1, 96))


@pytest.mark.parametrize("budget", [2_500, 5_000, 12_000])
@pytest.mark.parametrize("format", LOSSY)
def test_a_budget_is_kept_and_used(format, budget):
    data = made(format, max_bytes=budget)
    assert len(data) <= budget
    all_of_them = at_every_quality(format)
    following = next((other for other in all_of_them[all_of_them.index(data) :] if other != data), None)
    assert following is None or len(following) > budget


@pytest.mark.parametrize("format", LOSSY)
def test_a_quality_beside_a_budget_is_the_most_that_is_used(format):
    assert made(format, quality=40, max_bytes=1_000_000) == made(format, quality=40)
    assert len(made(format, quality=40, max_bytes=3_000)) <= 3_000


@pytest.mark.parametrize("format", LOSSY)
@pytest.mark.parametrize("target", [0.85, 0.9, 0.95])
def test_a_likeness_is_reached_by_no_more_than_it_needs(format, target):
    """Windows are sampled, hence the tolerance; one quality less must not reach it, but for that tolerance."""
    data = made(format, target_ssim=target)
    assert likeness(data) >= target - 0.004
    index = at_every_quality(format).index(data)
    assert index == 0 or likeness(at_every_quality(format)[index - 1]) < target + 0.004


def test_more_likeness_costs_more():
    sizes = [len(made("webp", target_ssim=target)) for target in (0.85, 0.92, 0.97)]
    assert sizes == sorted(set(sizes))


def test_a_likeness_out_of_reach_is_quality_95():
    noise = Image.effect_noise((64, 64), 90)
    assert made("webp", noise, target_ssim=0.99999) == made("webp", noise, quality=95)


def test_a_likeness_sees_transparency_on_the_background():
    image = IMAGE.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    rough, fine = (made("webp", image, target_ssim=target) for target in (0.8, 0.97))
    assert len(rough) < len(fine) < len(made("webp", image, quality=95))


def test_the_budget_wins_over_the_likeness():
    alike = made("jpeg", target_ssim=0.95)
    assert made("jpeg", target_ssim=0.95, max_bytes=len(alike)) == alike
    assert len(made("jpeg", target_ssim=0.95, max_bytes=len(alike) - 1)) < len(alike)


@pytest.mark.parametrize("format", [*LOSSY, "png", "gif"])
def test_a_budget_too_small_for_anything(format):
    with pytest.raises(ByteBudgetTooSmall, match=rf"some: the smallest {format} has \d+ bytes, max_bytes is 100"):
        made_under(format, 100)
    assert issubclass(ByteBudgetTooSmall, RenderFailed)


@pytest.mark.parametrize("format", ["png", "gif"])
def test_a_budget_takes_colours_from_what_has_no_quality(format):
    whole = made_under(format, 10_000_000)
    assert whole == made(format)
    reduced = [made_under(format, len(whole) // divisor) for divisor in (2, 6)]
    assert [len(data) <= len(whole) // divisor for data, divisor in zip(reduced, (2, 6), strict=True)] == [True, True]
    colours = [len(opened(data).convert("RGB").getcolors(100_000)) for data in (whole, *reduced)]
    assert colours == sorted(set(colours), reverse=True)
    assert colours[1] <= 256


def test_a_budget_keeps_the_transparency_of_a_png():
    image = IMAGE.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 100, 100))
    fitted = opened(made_under("png", len(made("png", image)) // 4, image)).convert("RGBA")
    assert (fitted.getpixel((50, 50))[3], fitted.getpixel((200, 150))[3]) == (0, 255)


def test_a_quality_for_each_format():
    preset = Preset(name="some", width=10, format="source", quality=QualityByFormat(jpeg=30, webp=50, avif=70))
    for format, quality in (("jpeg", 30), ("webp", 50), ("avif", 70)):
        assert encode(IMAGE, Target(format), Options(preset)).data == made(format, quality=quality)


@pytest.mark.parametrize("wanted", range(-5, 110))
def test_a_search_encodes_seven_times_at_most(wanted):
    tried: list[int] = []
    assert highest_within(range(1, 96), lambda step: tried.append(step) or bytes(step), wanted) == (
        min(wanted, 95) if wanted >= 1 else None
    )
    assert len(tried) <= 7
    tried.clear()
    assert lowest_alike(range(1, 96), lambda step: tried.append(step) or step, wanted) == min(max(1, wanted), 95)
    assert len(tried) <= 7


def test_what_a_search_returns_was_tried_where_quality_is_not_monotonic():
    sizes = [5, 9, 3, 8, 2, 7, 4, 6, 1]
    for budget in range(1, 10):
        found = highest_within(range(9), lambda step: bytes(sizes[step]), budget)
        assert found is None or sizes[found] <= budget
