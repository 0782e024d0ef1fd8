import io
import os
import struct
import tracemalloc
import zlib

import pillow_heif
import pytest
from pictures import animated, boxed, encoded, four_corners, photo, png_chunk, with_png_chunks
from PIL import Image

from darkroom.synthetic import huge_dimensions_png
from udfs.imaging.errors import (
    CorruptImage,
    DecompressionBomb,
    ExtremeAspectRatio,
    MetadataTooLarge,
    NotAnImage,
    SourceEmpty,
    SourceTooLarge,
    TooManyFrames,
    TooManyPixels,
)
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


def huge_heif(format, width, height):
    return encoded(four_corners(), format).replace(struct.pack(">II", 120, 80), struct.pack(">II", width, height))


def huge_jxl(width, height):
    bits = 3 << 1 | height - 1 << 3 | 3 << 36 | width - 1 << 38
    return b"\xff\x0a" + bits.to_bytes(14, "little")


@pytest.mark.parametrize("format", FORMATS)
def test_a_header_is_read_without_decoding_a_pixel(format):
    probed = probe(encoded(four_corners(), format.upper()), LIMITS)
    assert (probed.format, probed.image.size, probed.frames) == (format, (120, 80), 1)
    assert probed.image._im is None
    assert (probed.animated, probed.loop) == (False, None)


@pytest.mark.parametrize(
    "source",
    [
        huge_dimensions_png(),
        huge_gif(20_000, 10_000),
        huge_webp(16_000, 12_500),
        huge_bmp(20_000, 10_000),
        huge_jpeg(20_000, 10_000),
        huge_tiff(20_000, 10_000),
        huge_heif("AVIF", 20_000, 10_000),
        huge_heif("HEIC", 20_000, 10_000),
        huge_jxl(20_000, 10_000),
    ],
    ids=["png", "gif", "webp", "bmp", "jpeg", "tiff", "avif", "heic", "jxl"],
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


def test_a_later_gif_frame_far_beyond_its_screen_is_refused():
    calm = animated("GIF", 3)
    assert probe(calm, LIMITS).image.size == (40, 30)
    at = calm.rindex(b"\0,", 0, -10) + 1
    with pytest.raises(TooManyPixels, match="65535x65535"):
        probe(calm[: at + 1] + struct.pack("<HHHH", 65_534, 65_534, 1, 1) + calm[at + 9 :], LIMITS)


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


ANIMATED = ["GIF", "WEBP", "PNG", "TIFF", "AVIF"]


@pytest.mark.parametrize("format", ANIMATED)
def test_frames_are_counted(format):
    assert probe(animated(format, 5), LIMITS).frames == 5


@pytest.mark.parametrize("format", ANIMATED)
def test_too_many_frames_are_refused(format):
    with pytest.raises(TooManyFrames, match="more than 4 frames"):
        probe(animated(format, 5), Limits(max_frames=4))


@pytest.mark.parametrize("format", ANIMATED)
def test_pixels_of_all_frames_count_together(format):
    with pytest.raises(TooManyFrames, match="5 frames of 40x30 px are 6000 pixels, the limit is 5999"):
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
    head = encoded(four_corners(), format.upper())[: 3 if format == "jxl" else 18]
    with pytest.raises(CorruptImage, match="upload the whole"):
        probe(head, LIMITS)


def test_a_phone_picture_with_a_second_frame_is_plain_jpeg():
    second = Image.new("RGB", (8, 8))
    source = encoded(Image.new("RGB", (64, 48)), "MPO", save_all=True, append_images=[second])
    probed = probe(source, LIMITS)
    assert (probed.format, probed.frames) == ("jpeg", 1)


def test_content_decides_not_the_name():
    assert probe(photo("camera.png"), LIMITS).format == "png"


@pytest.mark.parametrize("size", [(1, 5_000), (5_000, 1), (10_000, 1), (3, 30_000)])
def test_a_long_gradient_passes(size):
    assert probe(encoded(Image.new("L", size), "PNG"), LIMITS).image.size == size


@pytest.mark.parametrize("size", [(1, 10_001), (10_001, 1), (2, 20_001)])
def test_an_extreme_aspect_ratio_is_refused(size):
    with pytest.raises(ExtremeAspectRatio, match="one side may be 10000 times the other"):
        probe(encoded(Image.new("L", size), "PNG"), LIMITS)


def flat(mode, side, format="PNG", **options):
    return encoded(Image.new(mode, (side, side), 1), format, **options)


@pytest.mark.parametrize(
    ("mode", "options"),
    [("L", {}), ("P", {"bits": 1}), ("1", {})],
    ids=["grey", "two colours", "bilevel"],
)
def test_an_empty_page_that_deflate_can_pack_passes_however_large(mode, options):
    assert probe(flat(mode, 8_500, compress_level=9, **options), LIMITS).image.size == (8_500, 8_500)


def test_an_empty_fax_passes():
    assert probe(flat("1", 9_900, "TIFF", compression="group4"), LIMITS).image.size == (9_900, 9_900)


def test_a_large_picture_from_next_to_nothing_is_a_bomb():
    header = struct.pack(">IIBBBBB", 10_000, 9_900, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    source = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
    with pytest.raises(DecompressionBomb, match=f"{len(source)} bytes become 396000000 in memory"):
        probe(source, LIMITS)


def test_a_flat_lossless_webp_is_a_bomb_only_when_it_is_large():
    assert probe(flat("RGB", 4_000, "WEBP", lossless=True), LIMITS).image.size == (4_000, 4_000)
    with pytest.raises(DecompressionBomb):
        probe(flat("RGB", 5_000, "WEBP", lossless=True), LIMITS)


def test_frames_that_are_stored_whole_count_together():
    frame = encoded(Image.new("L", (1_000, 1_000)), "GIF")
    at = frame.index(b",\0\0\0\0")
    loud = frame[:at] + frame[at:-1] * 200 + b";"
    assert probe(loud, LIMITS).frames == 200
    with pytest.raises(DecompressionBomb, match="200000000 in memory, the limit is 100 times"):
        probe(loud, Limits(max_decompression_ratio=100))
    spot = struct.pack("<BHHHHB", 0x2C, 5, 5, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    calm = frame[:-1] + spot * 900 + b";"
    assert probe(calm, Limits(max_decompression_ratio=100)).frames == 901


APP_BYTES = 65_533


def jpeg_with_segments(count):
    jpeg = encoded(four_corners(), "JPEG")
    return jpeg[:2] + (b"\xff\xe5\xff\xff" + bytes(APP_BYTES)) * count + jpeg[2:]


def test_metadata_of_a_jpeg_are_limited():
    assert probe(jpeg_with_segments(250), LIMITS).format == "jpeg"
    with pytest.raises(MetadataTooLarge, match="bytes of metadata or more, the limit is 16777216"):
        probe(jpeg_with_segments(260), LIMITS)


def test_large_honest_metadata_pass():
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0" + b"<x/>" * 1_000_000
    profile = b"icc\0\0" + zlib.compress(os.urandom(900_000))
    assert probe(with_png_chunks(four_corners(), (b"iTXt", xmp), (b"iCCP", profile)), LIMITS).image.size == (120, 80)


@pytest.mark.parametrize("format", ["WEBP", "JXL"])
def test_metadata_in_chunks_are_limited(format):
    source = encoded(four_corners(), format)
    limits = Limits(max_metadata_bytes=1_000)
    if format == "WEBP":
        large = encoded(four_corners(), format, xmp=bytes(1_001))
    else:
        mark = b"\0\0\0\x0cJXL \r\n\x87\n" + boxed(b"ftyp", b"jxl \0\0\0\0jxl ")
        large = mark + boxed(b"xml ", bytes(1_001)) + boxed(b"jxlc", source)
    assert probe(source, limits).image.size == (120, 80)
    with pytest.raises(MetadataTooLarge):
        probe(large, limits)


def test_the_pictures_of_a_heic_are_no_animation():
    burst = [Image.new("RGB", (64, 48), colour) for colour in ("red", "lime", "blue")]
    file = io.BytesIO()
    heif = pillow_heif.from_pillow(burst[0])
    for picture in burst[1:]:
        heif.add_from_pillow(picture)
    heif.save(file, primary_index=1)
    probed = probe(file.getvalue(), LIMITS)
    assert (probed.frames, probed.animated, probed.image.size) == (1, False, (64, 48))
    probed.image.load()
    assert probed.image.getpixel((30, 20))[1] > 250
