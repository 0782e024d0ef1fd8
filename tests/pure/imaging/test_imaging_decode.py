import struct
import zlib

import numpy as np
import pylibjxl
import pytest
from pictures import animated, encoded, exif_orientation, four_corners, mean_difference, photo, png_chunk
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin
from profiles import COLOR_CHECKER, SPACES, chart, delta_e, gray_profile, in_space, patches_of, vips_profile

from udfs.imaging.color import to_srgb
from udfs.imaging.decode import decode, read_orientation
from udfs.imaging.errors import CorruptImage, UnsupportedFormat
from udfs.imaging.geometry import Size, fit
from udfs.imaging.limits import Limits
from udfs.imaging.plan import Plan
from udfs.imaging.press_profile import press_profile
from udfs.imaging.probe import probe
from udfs.imaging.steps.orient import orient

PILLOW = ["jpeg", "png", "webp", "gif", "tiff", "bmp"]

# 24x16 pixels, the left half red and the right half blue, stored upright and said to be turned by 6: made with
# pillow-jxl-plugin, its orientation put in by hand (ISO/IEC 18181-1, D.3: three bits, here the 12th to the 14th).
JXL = bytes.fromhex("ff0a032d10130800010068004b188b1500d4881983c10b8400b0492452e6dfcf79b0ed8ffc0f")


def decoded(source, width=10_000):
    return decode(probe(source, Limits()), lambda size: [fit(size, width, None)])


def jxl(orientation):
    bits = int.from_bytes(JXL[2:], "little") & ~(0b111 << 11)
    return JXL[:2] + (bits | (orientation - 1) << 11).to_bytes(len(JXL) - 2, "little")


@pytest.mark.parametrize("format", PILLOW)
@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_file_cut_at_any_tenth_is_corrupt(format, tenths):
    whole = encoded(Image.effect_noise((300, 200), 60).convert("RGB"), format.upper())
    with pytest.raises(CorruptImage):
        decoded(whole[: len(whole) * tenths // 10])


@pytest.mark.parametrize("options", [{"progressive": True}, {"progressive": False}])
@pytest.mark.parametrize("width", [10_000, 20])
def test_a_cut_jpeg_is_corrupt_at_every_scale(options, width):
    whole = encoded(Image.effect_noise((300, 200), 60).convert("RGB"), "JPEG", **options)
    for cut in (len(whole) // 2, len(whole) - 300):
        with pytest.raises(CorruptImage):
            decoded(whole[:cut], width)


@pytest.mark.parametrize(("width", "scale"), [(640, 1), (180, 2), (90, 4), (45, 8)])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_a_jpeg_is_decoded_only_as_large_as_needed(width, scale, mode):
    source = encoded(Image.new(mode, (640, 427)), "JPEG")
    copy = decoded(source, width)
    assert copy.scale == scale
    assert copy.image.size == (-(-640 // scale), -(-427 // scale))
    assert (copy.stored, copy.displayed) == (Size(640, 427), Size(640, 427))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIC", "JXL"])
def test_other_formats_have_no_smaller_scale(format):
    source = encoded(four_corners(), format)
    copy = decoded(source, 10)
    assert (copy.scale, copy.image.size) == (1, (120, 80))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC", "JXL"])
def test_every_orientation_of_every_format_is_applied_once(format, orientation):
    """Whether Pillow, its plugin or our step turns it: what is shown is what EXIF's table says; the fact is kept."""
    stored = four_corners()
    if format == "JXL":
        stored = Image.new("RGB", (24, 16), "red")
        stored.paste((0, 0, 255), (12, 0, 24, 16))
        copy = decoded(jxl(orientation))
    else:
        quality = {"quality": 95} if format in ("JPEG", "WEBP", "AVIF", "HEIC") else {}
        copy = decoded(encoded(stored, format, exif=exif_orientation(orientation), **quality))
    tagged = stored.copy()
    tagged.getexif()[0x0112] = orientation
    expected = ImageOps.exif_transpose(tagged)
    shown = orient(copy.image, Plan(box=(0, 0, 1, 1), size=(1, 1), orientation=copy.orientation))
    assert copy.displayed == shown.size == expected.size
    assert mean_difference(shown, expected) < 4
    assert copy.exif_orientation == (1 if format == "JXL" else orientation)


def in_container(codestream, exif):
    """A JPEG XL file with boxes. Source: ISO/IEC 18181-2."""
    boxes = [
        (b"JXL ", b"\r\n\x87\n"),
        (b"ftyp", b"jxl \0\0\0\0jxl "),
        (b"Exif", bytes(4) + exif),
        (b"jxlc", codestream),
    ]
    return b"".join(struct.pack(">I4s", 8 + len(body), kind) + body for kind, body in boxes)


def test_exif_does_not_turn_a_jpeg_xl_a_second_time():
    copy = decoded(in_container(jxl(6), exif_orientation(6).removeprefix(b"Exif\0\0")))
    assert (copy.orientation, copy.exif_orientation, copy.displayed) == (1, 6, (16, 24))


def test_a_jpeg_packed_as_jpeg_xl_is_turned_once():
    source = encoded(four_corners(), "JPEG", exif=exif_orientation(6), quality=95)
    copy = decoded(pylibjxl.jpeg_to_jxl(source))
    assert (copy.orientation, copy.displayed) == (1, (80, 120))
    assert mean_difference(copy.image, four_corners().transpose(Image.Transpose.ROTATE_270)) < 4


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    copy = decoded(encoded(four_corners(), "JPEG", exif=exif_orientation(orientation)))
    assert (copy.orientation, copy.exif_orientation) == (1, 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_metadata_do_not_refuse_a_picture():
    assert decoded(encoded(four_corners(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff")).orientation == 1
    assert read_orientation(Image.new("L", (1, 1))) == 1


def test_the_decoded_copy_carries_no_metadata():
    assert decoded(photo("rocket.jpg")).image.info == {}  # this file has a comment


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_decoded(format):
    copy = decoded(animated(format, 5))
    assert mean_difference(copy.image.convert("RGB"), Image.new("RGB", (40, 30), (0, 0, 90))) < 3


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_an_agreed_white_are_refused(mode):
    with pytest.raises(UnsupportedFormat, match=f"pixels of mode {mode} .* convert it"):
        decoded(encoded(Image.new(mode, (4, 4)), "TIFF"))


def in_p3():
    return Image.fromarray(chart(np.rint(in_space(COLOR_CHECKER, "p3") * 255).astype(np.uint8)))


def test_the_profile_of_rgb_is_found_named_and_kept():
    copy = decoded(encoded(in_p3(), "JPEG", icc_profile=vips_profile("p3")))
    assert copy.profile == copy.kept_profile == vips_profile("p3")
    assert copy.color_profile == "sP3C"


def test_srgb_is_named_and_not_converted():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    copy = decoded(encoded(four_corners(), "PNG", icc_profile=profile))
    assert (copy.profile, copy.kept_profile, copy.color_profile) == (None, None, "sRGB built-in")
    assert decoded(encoded(four_corners(), "PNG")).color_profile is None


@pytest.mark.parametrize(
    ("mode", "profile", "name"),
    [("L", gray_profile(1.5, "Scanner"), "Scanner"), ("CMYK", vips_profile("cmyk"), "Chemical proof")],
)
def test_profiles_of_grey_and_of_inks_are_used_and_never_kept(mode, profile, name):
    copy = decoded(encoded(Image.new(mode, (9, 9)), "TIFF", icc_profile=profile))
    assert (copy.profile, copy.kept_profile, copy.color_profile) == (profile, None, name)


def test_inks_without_a_profile_are_those_of_a_press():
    copy = decoded(encoded(Image.new("CMYK", (9, 9)), "JPEG"))
    assert (copy.profile, copy.kept_profile, copy.color_profile) == (press_profile(), None, None)


def test_a_damaged_profile_is_as_good_as_none():
    copy = decoded(encoded(four_corners(), "PNG", icc_profile=bytes(16) + b"RGB " + bytes(108)))
    assert (copy.profile, copy.color_profile) == (None, None)


def png_with(image, *chunks):
    data = encoded(image, "PNG")
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return data[:33] + b"".join(packed) + data[33:]


def chromaticities(space):
    return struct.pack(">8I", *(round(value * 100_000) for value in SPACES[space][0]))


def coded_sources():
    yield "PNG cICP", png_with(in_p3(), (b"cICP", bytes((12, 13, 0, 1))))
    yield "PNG cHRM", png_with(in_p3(), (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", chromaticities("p3")))
    numbers = {"color_primaries": 12, "transfer_characteristics": 13}
    yield "HEIC nclx", encoded(in_p3(), "HEIC", quality=-1, chroma=444, **numbers)
    avif = encoded(in_p3(), "AVIF", quality=100, subsampling="4:4:4")
    yield "AVIF nclx", avif.replace(b"colrnclx\0\1", b"colrnclx\0\14")


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in coded_sources()])
def test_colours_told_by_numbers_are_colours(source):
    copy = decoded(source)
    assert copy.profile is not None
    assert delta_e(patches_of(copy.image), COLOR_CHECKER) > 3
    assert delta_e(patches_of(to_srgb(copy.image, copy.profile)), COLOR_CHECKER) < 1.7


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"cICP", bytes((1, 13, 0, 1)))],
        [(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))],
        [(b"gAMA", struct.pack(">I", 45455)), (b"cHRM", chromaticities("srgb"))],
        [(b"gAMA", struct.pack(">I", 0)), (b"cHRM", bytes(32))],
    ],
)
def test_what_says_srgb_or_nonsense_is_srgb(chunks):
    assert decoded(png_with(in_p3(), *chunks)).profile is None


def test_an_embedded_profile_comes_before_the_numbers():
    source = encoded(in_p3(), "PNG", icc_profile=vips_profile("p3"))
    packed = struct.pack(">I", 4) + b"cICP" + bytes((9, 16, 0, 1))
    source = source[:33] + packed + struct.pack(">I", zlib.crc32(packed[4:])) + source[33:]
    assert decoded(source).profile == vips_profile("p3")


def png_of(row, depth, kind, key):
    """A PNG of four pixels in one row with a transparent colour."""
    header = struct.pack(">IIBBBBB", 4, 1, depth, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"tRNS", key), (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize(
    ("depth", "kind", "key", "row"),
    [
        (1, 0, "0001", "c0"),
        (2, 0, "0003", "f0"),
        (2, 0, "0001", "50"),
        (4, 0, "000f", "ff00"),
        (4, 0, "0007", "7700"),
        (4, 0, "fff7", "7700"),
        (8, 0, "00ff", "ffff0000"),
        (16, 0, "ffff", "ffffffff00000000"),
        (16, 0, "8081", "80818081808080ff"),
        (16, 2, "80ff00000000", "80ff00000000" * 2 + "0000ffff0000" * 2),
    ],
)
def test_the_transparent_colour_of_every_depth(depth, kind, key, row):
    """Of its key only the bits of the depth count; two greys of 16 bits may look the same in 8 and differ in alpha."""
    copy = decoded(png_of(bytes.fromhex(row), depth, kind, bytes.fromhex(key)))
    alpha = copy.image.getchannel("a")
    assert (copy.has_alpha, list(alpha.get_flattened_data())) == (True, [0, 0, 255, 255])


def test_a_fault_of_the_framing_is_not_the_sources():
    def faulty(size):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decode(probe(encoded(four_corners(), "JPEG"), Limits()), faulty)


def test_a_fault_of_the_profiles_is_not_the_sources(monkeypatch):
    def faulty(*facts):
        raise KeyError

    monkeypatch.setattr("udfs.imaging.decode.profile_of", faulty)
    with pytest.raises(KeyError):
        decoded(encoded(four_corners(), "PNG"))


@pytest.mark.parametrize(("kind", "value"), [(3, 7), (2, "text"), (5, 0.5)])
def test_a_profile_that_is_no_bytes_is_none(kind, value):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[34_675] = kind
    tags[34_675] = value
    source = encoded(four_corners(), "TIFF", tiffinfo=tags)
    assert probe(source, Limits()).image.info["icc_profile"]
    assert (decoded(source).profile, decoded(source).color_profile) == (None, None)


@pytest.mark.parametrize("length", [32, 36])
@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"\x80"])
def test_nonsense_for_primaries_does_not_refuse_a_picture(length, filling):
    chunks = (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", filling * length)
    assert decoded(png_with(four_corners(), *chunks)).image.size == (120, 80)
