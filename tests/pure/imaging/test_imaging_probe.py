import struct
import tracemalloc

import pytest
from pictures import animated, encoded, four_corners, photo
from PIL import Image

from darkroom.synthetic import huge_dimensions_png
from udfs.imaging.errors import CorruptImage, NotAnImage, SourceEmpty, SourceTooLarge, TooManyPixels
from udfs.imaging.limits import Limits
from udfs.imaging.probe import probe
from udfs.imaging.signatures import ALLOWED

LIMITS = Limits()
FORMATS = [name for name, _ in ALLOWED]


def huge_gif(width, height):
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\0;"


def huge_webp(width, height):
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sizes


def huge_bmp(width, height):
    return (
        b"BM"
        + struct.pack("<IHHI", 58, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    )


def huge_jpeg(width, height):
    small = bytearray(encoded(four_corners(), "JPEG"))
    at = small.index(b"\xff\xc0") + 5
    small[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(small)


def huge_tiff(width, height):
    return (
        encoded(four_corners(16, 16), "TIFF")
        .replace(struct.pack("<HHII", 256, 4, 1, 16), struct.pack("<HHII", 256, 4, 1, width))
        .replace(struct.pack("<HHII", 257, 4, 1, 16), struct.pack("<HHII", 257, 4, 1, height))
    )


@pytest.mark.parametrize("format", FORMATS)
def test_a_header_is_read_without_decoding_a_pixel(format):
    probed = probe(encoded(four_corners(), format.upper()), LIMITS)
    assert (probed.format, probed.image.size, probed.frames) == (format, (120, 80), 1)
    assert probed.image._im is None


@pytest.mark.parametrize(
    "source",
    [
        huge_dimensions_png(),
        huge_gif(20_000, 10_000),
        huge_webp(16_000, 12_500),
        huge_bmp(20_000, 10_000),
        huge_jpeg(20_000, 10_000),
        huge_tiff(20_000, 10_000),
    ],
    ids=["png", "gif", "webp", "bmp", "jpeg", "tiff"],
)
def test_200_megapixels_are_refused_before_any_memory_is_taken(source):
    tracemalloc.start()
    with pytest.raises(TooManyPixels, match=r"200000000 pixels, the limit is 100000000; upload a smaller picture"):
        probe(source, LIMITS)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1_000_000


def test_pillows_own_limit_does_not_reach_in_below_ours():
    between = huge_dimensions_png(10_000, 9_900)  # more than Pillow warns at, less than our limit
    assert 10_000 * 9_900 > (Image.MAX_IMAGE_PIXELS or 0)
    assert probe(between, LIMITS).image.size == (10_000, 9_900)


def test_a_gif_frame_far_beyond_its_screen_is_refused():
    source = bytearray(huge_gif(1, 1))
    source[18:22] = struct.pack("<HH", 60_000, 60_000)
    with pytest.raises(TooManyPixels):
        probe(bytes(source), LIMITS)


def test_a_side_too_long_is_refused():
    with pytest.raises(TooManyPixels, match="65536x1 px, the longest side may be 65535 px"):
        probe(huge_dimensions_png(65_536, 1), LIMITS)


def test_no_bytes():
    with pytest.raises(SourceEmpty, match="0 bytes"):
        probe(b"", LIMITS)


def test_too_many_bytes_are_told_before_looking_inside():
    with pytest.raises(SourceTooLarge, match="101 bytes, the limit is 100;"):
        probe(bytes(101), Limits(max_source_bytes=100))
    with pytest.raises(NotAnImage):
        probe(bytes(100), Limits(max_source_bytes=100))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_frames_are_counted(format):
    assert probe(animated(format, 5), LIMITS).frames == 5


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_too_many_frames_are_refused(format):
    with pytest.raises(TooManyPixels, match="more than 4 frames"):
        probe(animated(format, 5), Limits(max_frames=4))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_pixels_of_all_frames_count_together(format):
    with pytest.raises(TooManyPixels, match="5 frames of 40x30 px are 6000 pixels, the limit is 5999"):
        probe(animated(format, 5), Limits(max_pixels_all_frames=5_999))


def test_a_tiff_whose_pages_form_a_ring_ends():
    pages = bytearray(animated("TIFF", 2))
    first = struct.unpack_from("<I", pages, 4)[0]
    entries = struct.unpack_from("<H", pages, first)[0]
    second = struct.unpack_from("<I", pages, first + 2 + 12 * entries)[0]
    last_link = second + 2 + 12 * struct.unpack_from("<H", pages, second)[0]
    struct.pack_into("<I", pages, last_link, first)
    assert probe(bytes(pages), LIMITS).frames == 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_signature_and_nothing_else_is_corrupt(format):
    head = encoded(four_corners(), format.upper())[:18]
    with pytest.raises(CorruptImage, match="upload the whole"):
        probe(head, LIMITS)


def test_a_phone_picture_with_a_second_frame_is_plain_jpeg():
    second = Image.new("RGB", (8, 8))
    source = encoded(Image.new("RGB", (64, 48)), "MPO", save_all=True, append_images=[second])
    probed = probe(source, LIMITS)
    assert (probed.format, probed.frames) == ("jpeg", 1)


def test_content_decides_not_the_name():
    assert probe(photo("camera.png"), LIMITS).format == "png"
