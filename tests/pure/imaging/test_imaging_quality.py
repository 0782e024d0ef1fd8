"""How near the pictures come to what they should be, from encoded bytes to encoded bytes, with a bound for each claim.

References are computed here in floating point: Lanczos in full precision, and colours by their definitions.
"""

import inspect
import io

import numpy as np
import pytest
from pictures import encoded, opened, photo
from PIL import Image, ImageCms
from profiles import (
    COLOR_CHECKER,
    SPACES,
    chart,
    decode_srgb,
    delta_e,
    gray_profile,
    in_space,
    patches_of,
    vips_profile,
)
from skimage.metrics import structural_similarity

from udfs.imaging import cascade, color, decode, linear_light, shrink, steps
from udfs.imaging.color import profile_of, to_srgb
from udfs.imaging.matrix_profile import matrix_profile
from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.render import render

LANCZOS = Image.Resampling.LANCZOS
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def preset(**keys):
    return PRESET_MODEL(**{"name": "any", "format": "png", **keys})


def picture(source, **keys):
    (derivative,) = render(source, [preset(**keys)]).derivatives
    image = opened(derivative.data)
    return image if image.mode != "P" else image.convert("RGBA" if "transparency" in image.info else "RGB")


def db(one, other):
    return 10 * np.log10(255**2 / max(np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2), 1e-9))


def ssim(one, other):
    one, other = np.asarray(one, float), np.asarray(other, float)
    return structural_similarity(one, other, data_range=255, channel_axis=-1 if one.ndim == 3 else None)


def shown(source):
    """The pixels of a source in sRGB, converted at full size; rocket.jpg is in Adobe RGB."""
    image = opened(source)
    profile = profile_of(image.info, image.mode)
    return to_srgb(image, profile) if profile else image


def lanczos(image, size, box=None):
    """Lanczos over all pixels, in floats, rounded nowhere."""
    bands = [Image.fromarray(np.asarray(band, np.float32)).resize(size, LANCZOS, box=box) for band in image.split()]
    return np.clip(np.stack([np.asarray(band) for band in bands], axis=-1), 0, 255).squeeze()


def zone_plate(side):
    """Rings that are finest, two pixels, in the middle of each side."""
    y, x = np.mgrid[0:side, 0:side] - side / 2
    return Image.fromarray(np.rint(127.5 + 127.5 * np.cos(np.pi * (x * x + y * y) / side)).astype(np.uint8))


def profile_for(name):
    chromaticities, gamma = SPACES[name]
    return matrix_profile(name, chromaticities, SRGB_CURVE if gamma is None else (gamma,))


def chart_in(name):
    return Image.fromarray(chart(np.rint(in_space(COLOR_CHECKER, name) * 255).astype(np.uint8)))


def colour_sources():
    plain = Image.fromarray(chart(COLOR_CHECKER))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    yield "no profile, PNG", encoded(plain, "PNG"), 0.01
    yield "no profile, JPEG", encoded(plain, "JPEG", quality=95, subsampling=0), 1.2
    yield "sRGB, PNG", encoded(plain, "PNG", icc_profile=srgb.tobytes()), 0.01
    yield "Display P3, PNG", encoded(chart_in("p3"), "PNG", icc_profile=vips_profile("p3")), 0.7
    yield "Display P3, JPEG", encoded(chart_in("p3"), "JPEG", icc_profile=vips_profile("p3"), quality=95), 1.7
    yield "Display P3, WebP", encoded(chart_in("p3"), "WEBP", icc_profile=vips_profile("p3"), lossless=True), 0.7
    yield "Adobe RGB, TIFF", encoded(chart_in("adobe"), "TIFF", icc_profile=profile_for("adobe")), 0.7
    yield "ProPhoto RGB, PNG", encoded(chart_in("prophoto"), "PNG", icc_profile=profile_for("prophoto")), 1.6
    with_alpha = chart_in("adobe").convert("RGBA")
    yield "Adobe RGB with alpha, PNG", encoded(with_alpha, "PNG", icc_profile=profile_for("adobe")), 0.7
    palette = chart_in("p3").quantize(64, dither=Image.Dither.NONE)
    yield "Display P3 in a palette, PNG", encoded(palette, "PNG", icc_profile=vips_profile("p3")), 1.2


@pytest.mark.parametrize(
    ("source", "bound"), [pytest.param(data, bound, id=name) for name, data, bound in colour_sources()]
)
@pytest.mark.parametrize("width", [240, 120])
def test_known_patches_keep_their_colour(source, bound, width):
    """CIEDE2000 of the worst of the 24 patches; 1 is what a trained eye just sees."""
    result = picture(source, width=width)
    assert "icc_profile" not in result.info
    assert delta_e(patches_of(result.convert("RGB")), COLOR_CHECKER) < bound


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_known_patches_keep_their_colour_through_a_press(format):
    """To CMYK and back by the press's own profile: what its inks cannot do is lost on the way there."""
    there = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(vips_profile("cmyk"))),
        "RGB",
        "CMYK",
        1,
        0x2000,
    )
    inks = there.apply(Image.fromarray(chart(COLOR_CHECKER)))
    options = {"quality": 98, "subsampling": 0} if format == "JPEG" else {}
    source = encoded(inks, format, icc_profile=vips_profile("cmyk"), **options)
    if format == "JPEG":
        assert b"Adobe" in source, "its samples are inverted, as Photoshop writes them"
    differences = [
        delta_e(one, other) for one, other in zip(patches_of(picture(source, width=240)), COLOR_CHECKER, strict=True)
    ]
    assert np.median(differences) < 1.5
    assert delta_e(patches_of(inks.convert("RGB")), COLOR_CHECKER) > 2 * max(differences)


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_sixteen_bit_grey_with_a_profile(gamma):
    neutral = np.rint(COLOR_CHECKER[18:].mean(axis=1))
    samples = np.rint(decode_srgb(neutral) ** (1 / gamma) * 65_535).astype(np.uint16)
    image = Image.fromarray(np.kron(samples.reshape(1, 6), np.ones((40, 40), np.uint16)))
    result = picture(encoded(image, "PNG", icc_profile=gray_profile(gamma)), width=240)
    red, green, blue = np.moveaxis(np.asarray(result.convert("RGB"), float)[20, 20::40], -1, 0)
    assert (red == green).all()
    assert (blue == green).all()
    assert np.abs(green - neutral).max() <= (3 if gamma == 1 else 1)


@pytest.mark.parametrize("name", ["rocket.jpg", "flower.jpg", "camera.png", "clock_motion.png", "brick.png"])
@pytest.mark.parametrize("width", [300, 160, 96, 48])
def test_photographs_follow_full_precision(name, width):
    """From a full decode: what is lost to reduced decoding, averaging and 8 bits stays below what an encoder takes."""
    result = picture(photo(name), width=width)
    reference = lanczos(shown(photo(name)), result.size)
    jpeg = name.endswith("jpg")
    assert db(result, reference) > (38 if jpeg else 42)
    assert ssim(result, reference) > (0.98 if jpeg else 0.99)


@pytest.mark.parametrize("width", range(48, 600, 37))
def test_a_zone_plate_shows_no_rings_of_its_own(width):
    """Moire is what full precision has not: 32 dB below white or less, and no pixel is off by a quarter of white."""
    plate = zone_plate(600)
    result = np.asarray(picture(encoded(plate, "PNG"), width=width), float)
    reference = lanczos(plate, (width, width))
    assert db(result, reference) > 32
    assert np.abs(result - reference).max() < 64
    assert result.std() <= reference.std() * 1.01
    nearest = np.asarray(plate.resize((width, width), Image.Resampling.NEAREST), float)
    assert db(nearest, reference) < 20, "the test must be able to fail"


@pytest.mark.parametrize("width", [97, 150, 210])
def test_a_set_of_presets_shows_no_rings_either(width):
    plate = zone_plate(600)
    rendering = render(encoded(plate, "PNG"), [preset(name="large", width=424), preset(name="small", width=width)])
    result = opened(rendering.derivatives[1].data)
    assert db(result, lanczos(plate, result.size)) > 37


@pytest.mark.parametrize("linear_light", [False, True])
@pytest.mark.parametrize("format", ["png", "webp"])
def test_transparent_colours_leave_no_fringe(linear_light, format):
    """A red disc on transparent green stays red at its edge, and on white it has no green or dark line around it."""
    y, x = np.mgrid[0:300, 0:300]
    disc = np.where(((x - 150) ** 2 + (y - 150) ** 2 < 110**2)[..., None], (255, 0, 0, 255), (0, 255, 0, 0)).astype(
        np.uint8
    )
    quality = {} if format == "png" else {"quality": 95}
    source = encoded(Image.fromarray(disc), "PNG")
    pixels = np.asarray(picture(source, width=60, format=format, linear_light=linear_light, **quality), int)
    edge = (pixels[..., 3] > 16) & (pixels[..., 3] < 240)
    assert edge.sum() > 60
    tolerance = 1 if format == "png" else 50  # WebP halves the resolution of its colours
    assert pixels[edge][:, 0].min() >= 255 - tolerance
    assert pixels[edge][:, 1:3].max() <= tolerance


@pytest.mark.parametrize("keys", [{"width": 400, "height": 400}, {"width": 400, "height": 400, "geometry": "cover"}])
def test_nothing_is_enlarged_unless_asked(keys):
    source = encoded(zone_plate(80), "PNG")
    assert max(picture(source, **keys).size) == 80
    assert picture(source, **keys, enlarge=True).size == (400, 400)


def test_a_picture_that_keeps_its_size_keeps_its_pixels():
    for source in (photo("camera.png"), photo("rocket.jpg")):
        assert picture(source, width=5000).tobytes() == shown(source).tobytes()


def test_a_jpeg_is_encoded_once():
    """A derivative of the same size and quality is one generation from the decoded pixels, no more."""
    source = photo("flower.jpg")
    result = picture(source, width=5000, format="jpeg", quality=80)
    once = opened(encoded(opened(source), "JPEG", quality=80))
    twice = opened(encoded(once.resize((639, 426)).resize((640, 427)), "JPEG", quality=80))
    assert db(result, opened(source)) > db(once, opened(source)) - 0.1
    assert db(twice, opened(source)) < db(once, opened(source)) - 1


def test_the_steps_before_the_encoder_know_no_format():
    for module in (cascade, color, decode, linear_light, shrink, steps):
        assert ".save(" not in inspect.getsource(module)


@pytest.mark.parametrize("name", ["p3", "adobe"])
def test_a_wide_gamut_is_kept_where_a_preset_asks(name):
    profile = vips_profile("p3") if name == "p3" else profile_for(name)
    source = encoded(chart_in(name), "PNG", icc_profile=profile)
    kept, converted = (picture(source, width=120, color_profile=policy) for policy in ("keep", "srgb"))
    assert kept.info["icc_profile"] == profile
    assert np.abs(patches_of(kept) - in_space(COLOR_CHECKER, name) * 255).max() <= 1
    assert "icc_profile" not in converted.info


@pytest.mark.parametrize("policy", ["keep", "srgb"])
def test_only_profiles_of_rgb_are_kept(policy):
    inks = encoded(Image.new("CMYK", (40, 40), (0, 200, 200, 20)), "JPEG", icc_profile=vips_profile("cmyk"))
    result = picture(inks, width=20, color_profile=policy)
    assert "icc_profile" not in result.info
    assert result.getpixel((9, 9)) == pytest.approx((219, 69, 56), abs=8)
    grey = encoded(Image.new("L", (40, 40), 60), "PNG", icc_profile=gray_profile(1.0))
    result = picture(grey, width=20, color_profile=policy)
    assert "icc_profile" not in result.info
    assert result.convert("RGB").getpixel((9, 9)) == (133, 133, 133)
