"""Profiles: which count, what they are called, and what the conversion makes of known colours."""

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from profiles import (
    COLOR_CHECKER,
    SPACES,
    chart,
    curve_tag,
    delta_e,
    gray_profile,
    in_space,
    patches_of,
    small_profile,
    vips_profile,
)

from udfs.imaging.color import MAX_NAME_CHARS, MAX_PROFILE_BYTES, conversion, profile_name, profile_of, to_srgb
from udfs.imaging.matrix_profile import cicp_profile, matrix_profile, png_profile
from udfs.imaging.press_profile import press_profile, press_rgb

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
BUILT_IN = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_for(name):
    chromaticities, gamma = SPACES[name]
    return matrix_profile(name, chromaticities, SRGB_CURVE if gamma is None else (gamma,))


def eight_bits(samples):
    return np.rint(np.asarray(samples) * 255).astype(np.uint8)


def info(profile):
    return {"icc_profile": profile}


@pytest.mark.parametrize(("name", "bound"), [("p3", 0.7), ("adobe", 0.7), ("bt2020", 1.0), ("prophoto", 1.6)])
def test_known_colours_come_back_from_a_wider_space(name, bound):
    """What is left is the rounding to 8 bits of the source, which is coarser the wider its space."""
    image = Image.fromarray(chart(eight_bits(in_space(COLOR_CHECKER, name))))
    assert delta_e(patches_of(image), COLOR_CHECKER) > 3, "the test must be able to fail"
    assert delta_e(patches_of(to_srgb(image, profile_for(name))), COLOR_CHECKER) < bound


def test_a_profile_that_others_made_gives_the_same_as_ours():
    image = Image.fromarray(chart(eight_bits(in_space(COLOR_CHECKER, "p3"))))
    ours, theirs = (to_srgb(image, profile) for profile in (profile_for("p3"), vips_profile("p3")))
    assert np.abs(np.subtract(ours, theirs, dtype=float)).max() <= 1


@pytest.mark.parametrize("space", ["p3", "cmyk"])
def test_libvips_is_of_the_same_opinion(space):
    if space == "p3":
        samples, profile = eight_bits(in_space(COLOR_CHECKER, "p3")), vips_profile("p3")
        image = Image.fromarray(chart(samples))
    else:
        profile = vips_profile("cmyk")
        there = ImageCms.buildTransform(
            BUILT_IN_PROFILE, ImageCms.ImageCmsProfile(io.BytesIO(profile)), "RGB", "CMYK", 1
        )
        image = there.apply(Image.fromarray(chart(COLOR_CHECKER)))
    pixels = np.asarray(image)
    picture = pyvips.Image.new_from_memory(pixels.tobytes(), image.width, image.height, pixels.shape[2], "uchar")
    picture = picture.copy(interpretation="cmyk" if space == "cmyk" else "srgb")
    picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    theirs = picture.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
    assert delta_e(patches_of(to_srgb(image, profile)), patches_of(theirs.numpy())) < 0.8


BUILT_IN_PROFILE = ImageCms.ImageCmsProfile(io.BytesIO(BUILT_IN))


def mean_delta_e(image):
    return np.mean([delta_e(one, other) for one, other in zip(patches_of(image), COLOR_CHECKER, strict=True)])


def test_cmyk_without_a_profile_is_nearer_to_a_press_than_the_naive_formula():
    profile = vips_profile("cmyk")
    there = ImageCms.buildTransform(BUILT_IN_PROFILE, ImageCms.ImageCmsProfile(io.BytesIO(profile)), "RGB", "CMYK", 1)
    inks = there.apply(Image.fromarray(chart(COLOR_CHECKER)))
    press, naive = to_srgb(inks, press_profile()), inks.convert("RGB")
    assert mean_delta_e(press) < 0.7 * mean_delta_e(naive)
    assert mean_delta_e(press) < 7


def test_the_press_keeps_paper_and_the_table_follows_its_formula():
    assert to_srgb(Image.new("CMYK", (1, 1)), press_profile()).getpixel((0, 0)) == (255, 255, 255)
    assert max(to_srgb(Image.new("CMYK", (1, 1), (255,) * 4), press_profile()).getpixel((0, 0))) < 16
    inks = np.random.default_rng(7).integers(0, 256, (64, 64, 4), np.uint8)
    table = np.asarray(to_srgb(Image.frombytes("CMYK", (64, 64), inks.tobytes()), press_profile()), float)
    assert np.abs(table - 255 * press_rgb(inks / 255)).mean() < 0.7


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_a_curve(mode):
    image = (
        Image.merge("LA", [Image.linear_gradient("L")] * 2).convert("La")
        if mode == "LA"
        else Image.linear_gradient("L")
    )
    converted = to_srgb(image, gray_profile(gamma=1.0))
    assert converted.mode == mode
    rows = np.asarray(converted.getchannel("L"))[:, 0]
    assert rows[[64, 128, 192]] == pytest.approx([137, 188, 225], abs=1)


def test_grey_pixels_of_an_rgb_profile_stay_grey():
    assert profile_of(info(profile_for("adobe")), "L") is not None
    assert to_srgb(Image.new("L", (1, 1), 20), profile_for("prophoto")).getpixel((0, 0)) == pytest.approx(26, abs=1)


def test_alpha_is_left_alone_and_does_not_tint():
    straight = Image.fromarray(
        np.dstack([chart(eight_bits(in_space(COLOR_CHECKER, "p3"))), np.full((160, 240), 128, np.uint8)])
    )
    converted = to_srgb(straight.convert("RGBa"), profile_for("p3"))
    assert converted.mode == "RGBA"
    assert converted.getchannel("A").getextrema() == (128, 128)
    assert delta_e(patches_of(converted.convert("RGB")), COLOR_CHECKER) < 1.5


def test_a_converted_picture_carries_no_profile_along():
    assert to_srgb(Image.new("RGB", (2, 2)), profile_for("p3")).info == {}
    assert to_srgb(Image.new("L", (2, 2)), gray_profile()).info == {}


@pytest.mark.parametrize("profile", [BUILT_IN, profile_for("srgb")], ids=["LittleCMS", "ours"])
def test_srgb_costs_nothing(profile):
    assert profile_of(info(profile), "RGB") is None


def test_the_srgb_of_others_costs_nothing():
    assert profile_of(info(vips_profile("srgb")), "RGB") is None


@pytest.mark.parametrize(
    ("profile", "mode"),
    [(profile_for(name), "RGB") for name in ("p3", "adobe", "prophoto", "bt2020")] + [(gray_profile(), "L")],
)
def test_everything_else_is_converted(profile, mode):
    assert profile_of(info(profile), mode) == profile


DAMAGED = {
    "nothing": b"",
    "a word": b"garbage",
    "a header": bytes(16) + b"RGB " + bytes(108),
    "cut": profile_for("p3")[:300],
    "no tags": small_profile(b"RGB ", {}),
    "half its tags": small_profile(b"RGB ", {b"rTRC": curve_tag(2.2)}),
    "a size beyond its end": small_profile(b"RGB ", {b"rTRC": curve_tag(2.2)}, size=2**32 - 1),
    "a table of 255 to the fourth": small_profile(
        b"RGB ", {b"A2B0": struct.pack(">4sI4B", b"mft2", 0, 3, 3, 255, 0) + bytes(60)}
    ),
    "another space": gray_profile(),
    "too large": profile_for("p3") + bytes(MAX_PROFILE_BYTES),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_profile_that_cannot_be_used_is_ignored(damage):
    assert profile_of(info(DAMAGED[damage]), "RGB") is None
    image = Image.new("RGB", (2, 2), "teal")
    assert to_srgb(image, DAMAGED[damage]) is image


def test_a_damaged_profile_leaves_cmyk_to_the_press():
    assert profile_of(info(b"garbage"), "CMYK") == profile_of({}, "CMYK") == press_profile()
    assert profile_of(info(vips_profile("cmyk")), "CMYK") == vips_profile("cmyk")


@settings(max_examples=300)
@given(st.integers(0, 555), st.binary(min_size=1, max_size=12))
def test_no_profile_can_do_harm(at, garbage):
    sound = profile_for("p3")
    profile = sound[:at] + garbage + sound[at + len(garbage) :]
    assert profile_of(info(profile), "RGB") in (None, profile)
    assert to_srgb(Image.new("RGB", (1, 1)), profile).mode == "RGB"
    profile_name(profile)


def test_one_transform_serves_many_threads():
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (400, 400, 3), np.uint8))
    alone = to_srgb(image, profile_for("p3")).tobytes()
    with ThreadPoolExecutor(8) as pool:
        assert all(
            pixels == alone for pixels in pool.map(lambda _: to_srgb(image, profile_for("p3")).tobytes(), range(64))
        )


def test_few_transforms_are_kept():
    for gamma in range(30):
        assert conversion(gray_profile(1 + gamma / 10), "L")
    assert conversion.cache_info().currsize <= 8


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Display P3", "Display P3"),
        ("", None),
        ("a\0b", "a"),
        ("line\nline\t\x1b[31m", "line line [31m"),
        ("\u202egnp.exe", "gnp.exe"),
        ("x" * 500, "x" * MAX_NAME_CHARS),
        ("Été 色", "Été 色"),
    ],
)
def test_the_name_of_a_profile_is_one_clean_line(written, read):
    assert profile_name(matrix_profile(written, SPACES["p3"][0], SRGB_CURVE)) == read


def test_what_has_no_name_has_none():
    assert [profile_name(profile) for profile in (None, b"", b"garbage", bytes(200))] == [None] * 4
    assert profile_name(gray_profile(name="Gray Gamma 2.2")) == "Gray Gamma 2.2"


@pytest.mark.parametrize(
    ("primaries", "transfer", "space"),
    [(1, 13, None), (2, 2, None), (1, 1, None), (12, 13, "p3"), (12, 16, "p3"), (9, 1, "bt2020"), (200, 13, None)],
)
def test_code_points(primaries, transfer, space):
    profile = cicp_profile(primaries, transfer)
    if space is None:
        assert profile is None
    else:
        image = Image.fromarray(chart(eight_bits(in_space(COLOR_CHECKER, space))))
        assert delta_e(patches_of(to_srgb(image, profile)), COLOR_CHECKER) < 1


def test_gamma_and_chromaticities_of_a_png():
    adobe = png_profile(1 / 2.2, SPACES["adobe"][0])
    assert adobe is not None
    assert png_profile(0.45455, SPACES["srgb"][0]) is not None
    assert profile_of({"gamma": 0.45455, "chromaticity": SPACES["srgb"][0]}, "RGB") is None, "this is how sRGB was told"
    linear = profile_of({"gamma": 1.0}, "RGB")
    assert to_srgb(Image.new("RGB", (1, 1), (55, 55, 55)), linear).getpixel((0, 0)) == pytest.approx((128,) * 3, abs=1)
    assert profile_of({"gamma": 1.0, "srgb": 0}, "RGB") is None
    assert to_srgb(Image.new("L", (1, 1), 55), profile_of({"gamma": 1.0}, "L")).getpixel((0, 0)) in (127, 128, 129)


@pytest.mark.parametrize("gamma", [0.0, 1e-5, 50.0, float("nan")])
@pytest.mark.parametrize("chromaticities", [None, (0.0,) * 8, (1.0,) * 8, (0.3127, 0.329) * 4, (40_000.0,) * 8, (0.3,)])
def test_a_png_that_says_nonsense_is_srgb(gamma, chromaticities):
    assert png_profile(gamma, chromaticities) is None
    if chromaticities:
        assert png_profile(0.45455, chromaticities) is None
