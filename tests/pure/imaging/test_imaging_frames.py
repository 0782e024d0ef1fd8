import re
import struct
import weakref
import zlib

import pytest
from pictures import animated, encoded, four_corners, mean_difference, opened, photo, png_chunk
from PIL import Image

from udfs.imaging.errors import CorruptImage
from udfs.imaging.frames import frames
from udfs.imaging.limits import Limits
from udfs.imaging.probe import probe

LIMITS = Limits()
COLOURS = ["red", "lime", "blue", "yellow", "white"]
FORMATS = ["GIF", "WEBP", "PNG", "AVIF"]
SIZE = (40, 30)


def flags(format, **options):
    """Five frames of one colour each."""
    images = [Image.new("RGB", SIZE, colour) for colour in COLOURS]
    lossless = {"lossless": True} if format == "WEBP" else {"quality": 95} if format == "AVIF" else {}
    return encoded(images[0], format, save_all=True, append_images=images[1:], **lossless, **options)


def shown(source):
    """All frames with straight alpha, as lists."""
    straight = {"RGBa": "RGBA", "La": "LA"}
    played = list(frames(probe(source, LIMITS)))
    return [(image.convert(straight.get(image.mode, image.mode)), duration_ms) for image, duration_ms in played]


@pytest.mark.parametrize("format", FORMATS)
def test_every_frame_comes_in_order_with_its_colour_and_its_time(format):
    times = [100, 250, 40, 1_000, 70]
    played = shown(flags(format, duration=times))
    assert [duration_ms for _, duration_ms in played] == times
    for (image, _), colour in zip(played, COLOURS, strict=True):
        assert mean_difference(image.convert("RGB"), Image.new("RGB", SIZE, colour)) < 3


@pytest.mark.parametrize("format", FORMATS)
def test_frames_can_be_played_again_and_beside_each_other_and_the_probed_picture_stays(format):
    probed = probe(flags(format), LIMITS)
    probed.image.load()
    first, second = frames(probed), frames(probed)
    for one, other in zip(first, second, strict=True):
        assert one.image.tobytes() == other.image.tobytes()
    assert len(list(frames(probed))) == 5
    assert mean_difference(probed.image.convert("RGB"), Image.new("RGB", SIZE, "red")) < 3


@pytest.mark.parametrize("format", FORMATS)
def test_a_frame_that_was_kept_is_not_changed_by_the_next(format):
    images = [image for image, _ in frames(probe(flags(format), LIMITS))]
    for image, colour in zip(images, COLOURS, strict=True):
        assert mean_difference(image.convert("RGB"), Image.new("RGB", SIZE, colour)) < 3


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("loop", [0, 1, 2, 7])
def test_the_number_of_plays(format, loop):
    stored = {"GIF": loop - 1 if loop else 0}.get(format, loop)
    source = animated(format, 3) if format == "GIF" and loop == 1 else animated(format, 3, loop=stored)
    probed = probe(source, LIMITS)
    assert (probed.loop, probed.animated) == (loop, True)


def test_an_animated_avif_tells_its_plays_in_an_edit_list():
    source = animated("AVIF", 3, duration=100)
    at = source.index(b"elst") + 4
    assert probe(source, LIMITS).loop == 0
    once = source[:at] + b"\1\0\0\0" + source[at + 4 :]
    assert probe(once, LIMITS).loop == 1
    track = source.index(b"tkhd") + 4 + 28
    thrice = source[:track] + struct.pack(">Q", 3 * struct.unpack_from(">Q", source, at + 8)[0]) + source[track + 8 :]
    assert probe(thrice, LIMITS).loop == 3


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIC", "JXL", "JPEG", "BMP"])
def test_a_still_picture_has_one_frame(format):
    probed = probe(encoded(four_corners(), format), LIMITS)
    [(image, duration_ms)] = list(frames(probed))
    assert (probed.loop, duration_ms) == (None, 0)
    assert mean_difference(image.convert("RGB"), four_corners()) < 3


def test_the_pages_of_a_tiff_are_no_animation():
    probed = probe(flags("TIFF"), LIMITS)
    assert (probed.frames, probed.animated, len(list(frames(probed)))) == (5, False, 1)


@pytest.mark.parametrize("hundredths", [0, 1, 5])
def test_small_gif_delays_stay_as_the_source_says(hundredths):
    source = animated("GIF", 3, duration=50)
    assert source.count(b"!\xf9\x04") == 3
    source = re.sub(rb"(!\xf9\x04.)\x05\0", lambda found: found[1] + struct.pack("<H", hundredths), source)
    assert [duration_ms for _, duration_ms in shown(source)] == [10 * hundredths] * 3


def gif_of(*parts):
    """A GIF of 4 x 4 px; a part is (left, top, width, height, colour, disposal) and colour 0 is transparent."""
    palette = bytes((9, 9, 9, 255, 0, 0, 0, 255, 0, 0, 0, 255))
    data = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x91, 0, 0) + palette
    for left, top, width, height, colour, disposal in parts:
        frame = Image.new("P", (width, height), colour)
        frame.putpalette(palette)
        stored = encoded(frame, "GIF", optimize=False)
        pixels = stored[stored.rindex(b",\0\0\0\0") + 10 :]
        pixels = pixels[pixels.index(b"\x08") if pixels[0] != 8 else 0 : -1]
        data += struct.pack("<BBBBHBB", 0x21, 0xF9, 4, disposal << 2 | 1, 10, 0, 0)
        data += struct.pack("<BHHHHB", 0x2C, left, top, width, height, 0) + pixels
    return data + b";"


RED, GREEN, BLUE, CLEAR = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), None


@pytest.mark.parametrize(
    ("disposal", "expected"),
    [(1, [(GREEN, BLUE, RED)]), (2, [(CLEAR, BLUE, RED)]), (3, [(RED, BLUE, RED)])],
    ids=["keep", "clear", "restore"],
)
def test_gif_disposal(disposal, expected):
    source = gif_of((0, 0, 4, 4, 1, 1), (0, 0, 2, 2, 2, disposal), (2, 0, 2, 2, 3, 1))
    last = shown(source)[-1][0].convert("RGBA")
    [(left, right, bottom)] = expected
    pixel = last.getpixel((0, 0))
    assert (pixel[3] == 0) if left is CLEAR else (pixel == left)
    assert (last.getpixel((3, 0)), last.getpixel((3, 3))) == (right, bottom)


def apng_of(*parts, plays=0, size=(4, 4), hidden_first=False):
    """An APNG of RGBA; a part is (left, top, width, height, colour, disposal, blend)."""
    header = struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)
    count = len(parts)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"acTL", struct.pack(">II", count, plays))
    if hidden_first:
        data += png_chunk(b"IDAT", deflated(Image.new("RGBA", size, "white")))
    sequence = 0
    for index, (left, top, width, height, colour, disposal, blend) in enumerate(parts):
        control = struct.pack(">IIIIIHHBB", sequence, width, height, left, top, 1, 20, disposal, blend)
        data += png_chunk(b"fcTL", control)
        pixels = deflated(Image.new("RGBA", (width, height), colour))
        first = index == 0 and not hidden_first
        data += png_chunk(b"IDAT", pixels) if first else png_chunk(b"fdAT", struct.pack(">I", sequence + 1) + pixels)
        sequence += 1 if first else 2
    return data + png_chunk(b"IEND", b"")


def deflated(image):
    png = encoded(image, "PNG")
    at = png.index(b"IDAT")
    return png[at + 4 : at + 4 + struct.unpack_from(">I", png, at - 4)[0]]


HALF_GREEN = (0, 255, 0, 128)


@pytest.mark.parametrize(
    ("disposal", "blend", "left", "right"),
    [
        (0, 0, HALF_GREEN, (0, 0, 255, 255)),
        (0, 1, (127, 128, 0, 255), (0, 0, 255, 255)),
        (1, 1, (0, 0, 0, 0), (0, 0, 255, 255)),
        (2, 1, (255, 0, 0, 255), (0, 0, 255, 255)),
    ],
    ids=["source", "over", "over and clear", "over and restore"],
)
def test_apng_blending_and_disposal(disposal, blend, left, right):
    parts = [(0, 0, 4, 4, "red", 0, 0), (0, 0, 2, 2, HALF_GREEN, disposal, blend), (2, 0, 2, 2, "blue", 0, 0)]
    played = shown(apng_of(*parts))
    assert [duration_ms for _, duration_ms in played] == [50, 50, 50]
    last = played[-1][0]
    assert all(abs(a - b) <= 2 for a, b in zip(last.getpixel((0, 0)), left, strict=True))
    assert last.getpixel((3, 0)) == right
    assert last.getpixel((0, 3)) == (255, 0, 0, 255)


def test_a_semi_transparent_frame_over_an_opaque_one_stays_opaque():
    middle = shown(apng_of((0, 0, 4, 4, "red", 0, 0), (0, 0, 4, 4, HALF_GREEN, 0, 1)))[1][0]
    assert middle.getpixel((1, 1))[3] == 255


def test_the_picture_for_players_without_animation_is_no_frame():
    parts = [(0, 0, 4, 4, "red", 0, 0), (0, 0, 4, 4, "blue", 0, 0)]
    source = apng_of(*parts, hidden_first=True)
    probed = probe(source, LIMITS)
    assert probed.frames == 2
    assert [image.getpixel((0, 0)) for image, _ in shown(source)] == [(255, 0, 0, 255), (0, 0, 255, 255)]
    probed.image.load()
    assert probed.image.getpixel((0, 0)) == (255, 255, 255, 255)


def test_apng_frames_with_a_palette():
    images = [Image.new("P", SIZE, index) for index in (1, 2)]
    for image in images:
        image.putpalette((0, 0, 0, 255, 0, 0, 0, 0, 255))
    played = shown(encoded(images[0], "PNG", save_all=True, append_images=images[1:]))
    assert [image.convert("RGB").getpixel((5, 5)) for image, _ in played] == [(255, 0, 0), (0, 0, 255)]


@pytest.mark.parametrize("format", ["WEBP", "PNG", "AVIF"])
def test_alpha_is_premultiplied(format):
    images = [Image.new("RGBA", SIZE, (200, 100, 50, alpha)) for alpha in (128, 64)]
    options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format == "AVIF" else {"blend": 0}
    source = encoded(images[0], format, save_all=True, append_images=images[1:], **options)
    for (image, _), alpha in zip(frames(probe(source, LIMITS)), (128, 64), strict=True):
        assert image.mode == "RGBa"
        expected = (200 * alpha / 255, 100 * alpha / 255, 50 * alpha / 255, alpha)
        assert all(abs(a - b) <= 3 for a, b in zip(image.tobytes()[:4], expected, strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_a_cut_animation_is_corrupt_at_the_frame_that_is_missing(format):
    source = noisy(format)
    cut = source[: len(source) * 6 // 10]
    with pytest.raises(CorruptImage, match=r"frames|ends inside|cannot be decoded"):
        list(frames(probe(cut, LIMITS)))


def noisy(format):
    images = [Image.effect_noise((64, 64), 80).convert("RGB") for _ in range(6)]
    return encoded(images[0], format, save_all=True, append_images=images[1:])


@pytest.mark.parametrize("format", FORMATS)
def test_no_more_than_two_frames_are_in_memory(format):
    played: list[weakref.ref[Image.Image]] = []
    for frame in frames(probe(animated(format, 30), LIMITS)):
        played.append(weakref.ref(frame.image))
        assert sum(image() is not None for image in played) <= 2
    assert len(played) == 30


def test_a_photograph_moves():
    picture = opened(photo("rocket.jpg")).resize((160, 107))
    images = [picture, picture.rotate(90), picture.rotate(180)]
    played = shown(encoded(picture, "WEBP", save_all=True, append_images=images[1:], quality=95, duration=40))
    for (image, _), expected in zip(played, images, strict=True):
        assert mean_difference(image.convert("RGB"), expected) < 4


def grey_apng(depth, rows, key=None):
    """An APNG of grey, a row of four pixels in each frame."""
    header = struct.pack(">IIBBBBB", 4, 1, depth, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"acTL", struct.pack(">II", len(rows), 0))
    data += png_chunk(b"tRNS", key) if key else b""
    for index, row in enumerate(rows):
        data += png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", max(0, 2 * index - 1), 4, 1, 0, 0, 1, 20, 0, 0))
        pixels = zlib.compress(b"\0" + row)
        sequence = struct.pack(">I", 2 * index)
        data += png_chunk(b"fdAT", sequence + pixels) if index else png_chunk(b"IDAT", pixels)
    return data + png_chunk(b"IEND", b"")


def test_apng_frames_of_sixteen_bits_are_scaled_not_clipped():
    rows = [struct.pack(">4H", 0, 16_448, 32_896, 65_535), struct.pack(">4H", 65_535, 0, 0, 257)]
    played = shown(grey_apng(16, rows))
    assert [list(image.getchannel("R").get_flattened_data()) for image, _ in played] == [
        [0, 64, 128, 255],
        [255, 0, 0, 1],
    ]


@pytest.mark.parametrize(
    ("depth", "key", "row"), [(2, "0001", "50"), (4, "0007", "7700"), (16, "8081", "80818081808080ff")]
)
def test_the_transparent_colour_of_apng_frames(depth, key, row):
    rows = [bytes.fromhex(row)] * 2
    for image, _ in shown(grey_apng(depth, rows, bytes.fromhex(key))):
        assert list(image.getchannel("A").get_flattened_data()) == [0, 0, 255, 255]
