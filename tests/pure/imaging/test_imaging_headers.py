import struct
import zlib

import pytest
from pictures import animated, boxed, encoded, four_corners, png_chunk, with_png_chunks
from PIL import Image

from udfs.imaging.errors import CorruptImage, DecompressionBomb, MetadataTooLarge, TooManyPixels, UnsupportedFormat
from udfs.imaging.frames import frames
from udfs.imaging.headers import Header
from udfs.imaging.headers.bmp import read_bmp
from udfs.imaging.headers.gif import read_gif
from udfs.imaging.headers.heif import read_avif, read_heif
from udfs.imaging.headers.jpeg import read_jpeg
from udfs.imaging.headers.jxl import codestream, jxl_exif, jxl_size, read_jxl
from udfs.imaging.headers.png import read_png
from udfs.imaging.headers.tiff import read_tiff
from udfs.imaging.headers.webp import read_webp, webp_size
from udfs.imaging.limits import Limits
from udfs.imaging.probe import probe

LIMITS = Limits()
JXL_MARK = b"\0\0\0\x0cJXL \r\n\x87\n" + boxed(b"ftyp", b"jxl \0\0\0\0jxl ")


@pytest.mark.parametrize("frames", [1, 2, 17])
def test_gif_frames_are_counted(frames):
    assert read_gif(animated("GIF", frames), LIMITS).frames == frames


@pytest.mark.parametrize(
    ("format", "read"), [("GIF", read_gif), ("WEBP", read_webp), ("PNG", read_png), ("TIFF", read_tiff)]
)
def test_counting_ends_at_one_more_than_the_limit(format, read):
    assert read(animated(format, 30), Limits(max_frames=10)).frames == 11


def test_a_missing_gif_trailer_is_forgiven():
    assert read_gif(animated("GIF", 3)[:-1], LIMITS).frames == 3


def test_stray_bytes_between_gif_blocks_are_stepped_over():
    gif = animated("GIF", 2)
    assert read_gif(gif[:-1] + b"\0\0\0" + gif[-1:], LIMITS).frames == 2


@pytest.mark.parametrize("cut", [10, 40, -10])
def test_a_gif_that_ends_inside_a_block_is_corrupt(cut):
    with pytest.raises(CorruptImage, match="ends inside a block"):
        read_gif(encoded(four_corners(), "GIF")[:cut], LIMITS)


def test_a_gif_tells_how_large_its_frames_are_stored():
    spot = Image.new("RGB", (40, 30))
    spot.putpixel((3, 4), (255, 255, 255))
    header = read_gif(encoded(Image.new("RGB", (40, 30)), "GIF", save_all=True, append_images=[spot]), LIMITS)
    assert (header.frames, header.stored_pixels) == (2, 1200 + 1)


def test_a_gif_of_blocks_without_end_is_corrupt():
    gif = encoded(four_corners(), "GIF")
    with pytest.raises(CorruptImage, match="cut into more than 4000000 blocks"):
        read_gif(gif[:-1] + b"!\xfe" + b"\1x" * 4_000_001 + b"\0;", LIMITS)


def bmp_of_runs(runs):
    """Eight bits per pixel, 8 x 8 px, run-length encoded."""
    info = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, 8, 1, len(runs), 0, 0, 1, 0)
    return b"BM" + struct.pack("<IHHI", 58 + len(runs), 0, 0, 58) + info + bytes((9, 9, 9, 0)) + runs


def test_long_run_lengths_of_a_bmp_are_refused():
    short = bmp_of_runs(b"\x08\0\0\0" * 8 + b"\0\1")
    assert read_bmp(short, LIMITS) == Header()
    [(image, _)] = frames(probe(short, LIMITS))
    assert image.getpixel((5, 5)) in (9, (9, 9, 9))
    with pytest.raises(UnsupportedFormat, match=r"run-length bmp of .* the limits are 8388608 and 16000000"):
        read_bmp(bmp_of_runs(bytes(8 << 20)), LIMITS)
    with pytest.raises(UnsupportedFormat, match="10000x10000 px, the limits are"):
        read_bmp(short[:18] + struct.pack("<ii", 10_000, -10_000) + short[26:], LIMITS)
    assert read_bmp(encoded(Image.new("RGB", (2_000, 1_500)), "BMP"), LIMITS) == Header()


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}])
def test_webp_sizes_of_all_three_chunk_kinds(options):
    assert webp_size(encoded(four_corners(333, 77), "WEBP", **options)) == (333, 77)


def test_a_webp_cut_before_its_size_has_none():
    assert webp_size(b"RIFF\0\0\0\0WEBPVP8X") is None


def test_apng_frames_are_those_that_are_there():
    apng = bytearray(animated("PNG", 3))
    at = apng.index(b"acTL") + 4
    struct.pack_into(">I", apng, at, 1_000_000)
    assert read_png(bytes(apng), LIMITS).frames == 3


def test_a_jpeg_tells_its_size_before_it_is_opened():
    assert read_jpeg(encoded(four_corners(), "JPEG", progressive=True), LIMITS).size == (120, 80)


def test_many_scans_over_many_pixels_are_a_bomb():
    jpeg = encoded(four_corners(), "JPEG", progressive=True)
    scan = jpeg[jpeg.index(b"\xff\xda") : -2]
    endless = jpeg[:-2] + scan * 10 + jpeg[-2:]
    assert read_jpeg(endless, LIMITS).size == (120, 80)
    with pytest.raises(DecompressionBomb, match="scans or more of 120x80 px"):
        read_jpeg(endless, Limits(max_pixels_all_frames=50 * 120 * 80))


def test_scan_marks_in_what_follows_a_jpeg_do_not_count():
    motion = encoded(four_corners(), "JPEG") + b"\xff\xda\0\x02" * 100_000
    assert read_jpeg(motion, Limits(max_pixels_all_frames=50 * 120 * 80)).size == (120, 80)


@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("big", [False, True])
def test_tiff_pages_are_counted_in_every_layout(order, big):
    pages = animated("TIFF", 4, big_tiff=big) if order == "II" else big_endian_tiff(4, big)
    assert (read_tiff(pages, LIMITS).frames, read_tiff(pages, LIMITS).size) == (4, (40, 30))


def big_endian_tiff(pages, big):
    """Directories with a width and a height and no pixels."""
    head, count, entry, link = (b"MM\0+\0\x08\0\0", ">Q", ">HHQQ", ">Q") if big else (b"MM\0*", ">H", ">HHIHxx", ">I")
    size = struct.calcsize(count) + 2 * struct.calcsize(entry) + struct.calcsize(link)
    data, at = head, len(head) + struct.calcsize(link)
    data += struct.pack(link, at)
    for page in range(pages):
        at += size
        data += struct.pack(count, 2)
        for tag, value in ((256, 40), (257, 30)):
            data += struct.pack(entry, tag, 3, 1, value << 48 if big else value)
        data += struct.pack(link, at if page + 1 < pages else 0)
    return data


def test_a_tiff_without_a_directory_is_corrupt():
    with pytest.raises(CorruptImage, match="no directory at byte 4096"):
        read_tiff(b"II*\0" + struct.pack("<I", 4096) + bytes(20), LIMITS)


def little_tiff(*tags, values=b""):
    """A TIFF of one directory; tags are (tag, kind, count, value)."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags)) + entries + bytes(4) + values


def test_a_tile_far_larger_than_its_picture_is_refused():
    tags = [(256, 4, 1, 16), (257, 4, 1, 16), (322, 4, 1, 60_000), (323, 4, 1, 60_000)]
    with pytest.raises(TooManyPixels, match="60000x60000 px"):
        read_tiff(little_tiff(*tags), LIMITS)


def test_tags_that_all_read_the_same_bytes_are_too_much_metadata():
    tags = [(40_000 + number, 1, 1 << 20, 8) for number in range(17)]
    with pytest.raises(MetadataTooLarge, match="17825792 bytes of metadata or more, the limit is 16777216"):
        read_tiff(little_tiff(*tags, values=bytes(1 << 20)), LIMITS)


def test_a_tiff_of_more_strips_than_rows_is_refused():
    tags = [(256, 4, 1, 16), (257, 4, 1, 16), (273, 4, 200_001, 8), (279, 4, 200_001, 8)]
    with pytest.raises(MetadataTooLarge, match="cut into more than 200000 parts"):
        read_tiff(little_tiff(*tags, values=bytes(1 << 20)), LIMITS)


def test_layers_of_photoshop_are_no_metadata():
    layers = little_tiff((256, 4, 1, 16), (257, 4, 1, 16), (37724, 7, 20 << 20, 60), values=bytes(21 << 20))
    assert read_tiff(layers, LIMITS).size == (16, 16)


@pytest.mark.parametrize("tags", [[(254, 4, 1, 1), (330, 4, 1, 8)], [(50706, 1, 4, 1)]], ids=["thumbnail first", "dng"])
def test_camera_raw_in_a_tiff_is_refused(tags):
    with pytest.raises(UnsupportedFormat, match="camera raw in a tiff"):
        read_tiff(little_tiff(*sorted([(256, 4, 1, 16), (257, 4, 1, 16), *tags])), LIMITS)


def inflated(size):
    return zlib.compress(bytes(size), 9)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"zTXt", b"Comment\0\0" + inflated(2 << 20)),
        (b"iTXt", b"Comment\0\1\0\0\0" + inflated(2 << 20)),
        (b"iCCP", b"icc\0\0" + inflated(2 << 20)),
    ],
)
def test_a_zip_bomb_in_a_png_text_is_refused_after_one_mebibyte(kind, body):
    with pytest.raises(MetadataTooLarge, match=f"its {kind.decode()} chunk unpacks to more than 1048576 bytes"):
        read_png(with_png_chunks(four_corners(), (kind, body)), LIMITS)


def test_many_small_png_texts_are_added_up():
    text = (b"zTXt", b"Comment\0\0" + inflated(1_000_000))
    assert read_png(with_png_chunks(four_corners(), *[text] * 16), LIMITS).size == (120, 80)
    with pytest.raises(MetadataTooLarge, match="the limit is 16777216"):
        read_png(with_png_chunks(four_corners(), *[text] * 17), LIMITS)


def test_a_png_text_that_is_damaged_is_the_decoders_matter():
    assert read_png(with_png_chunks(four_corners(), (b"zTXt", b"Comment\0\0nonsense")), LIMITS).size == (120, 80)


def test_more_chunks_than_any_program_writes_are_refused():
    with pytest.raises(MetadataTooLarge, match="cut into more than 200000 parts"):
        read_png(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IDAT", b"") * 200_001, LIMITS)


def sized_jxl(width, height):
    """The header of a codestream with sides of up to 30 bits each. Source: ISO/IEC 18181-1, D.2."""
    bits = 0 | 3 << 1 | height - 1 << 3 | 0 << 33 | 3 << 36 | width - 1 << 38
    return b"\xff\x0a" + bits.to_bytes(14, "little")


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (120, 80), (256, 256), (64, 40), (160, 90), (64, 48), (3, 2), (700, 999)]
)
def test_jxl_sizes(size):
    assert jxl_size(encoded(Image.new("L", size), "JXL")[:16]) == size


def test_a_jxl_size_of_thirty_bits():
    assert jxl_size(sized_jxl(1 << 30, 999_999)) == (1 << 30, 999_999)


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_the_codestream_of_a_jxl_is_put_together(pieces):
    stream = encoded(four_corners(), "JXL")
    step = -(-len(stream) // pieces)
    parts = [boxed(b"jxlp", struct.pack(">I", n) + stream[n * step : (n + 1) * step]) for n in range(pieces)]
    container = JXL_MARK + b"".join(parts)
    assert codestream(container) == stream
    assert read_jxl(container, LIMITS).size == (120, 80)


def test_a_giant_jxl_is_refused_in_pieces_of_one_byte():
    crumbs = [boxed(b"jxlp", bytes(4) + bytes((byte,))) for byte in sized_jxl(60_000, 60_000)]
    with pytest.raises(TooManyPixels, match="60000x60000"):
        read_jxl(JXL_MARK + b"".join(crumbs), LIMITS)


def test_exif_of_a_jxl_begins_after_its_offset():
    stream = encoded(four_corners(), "JXL")
    container = JXL_MARK + boxed(b"Exif", struct.pack(">I", 6) + b"Exif\0\0MM\0*") + boxed(b"jxlc", stream)
    assert jxl_exif(container) == b"MM\0*"
    assert jxl_exif(stream) is None


@pytest.mark.parametrize("head", [b"\xff\x0a", JXL_MARK, JXL_MARK + boxed(b"jxlc", b"nonsense")])
def test_a_jxl_without_a_size_is_corrupt(head):
    with pytest.raises(CorruptImage):
        read_jxl(head, LIMITS)


@pytest.mark.parametrize(("format", "read"), [("AVIF", read_avif), ("HEIC", read_heif)])
def test_items_that_read_the_same_bytes_again_are_a_bomb(format, read):
    source = encoded(four_corners(), format)
    assert read(source, LIMITS).frames == 1
    body = b"\0\0\0\0\x44\0" + struct.pack(">H", 1) + struct.pack(">HHH", 1, 0, 50) + struct.pack(">II", 0, 500) * 50
    with pytest.raises(DecompressionBomb, match=r"its items read 25\d{3} bytes"):
        read(source[: source[3]] + boxed(b"meta", bytes(4) + boxed(b"iloc", body)) + bytes(500), LIMITS)


def tiles(count, side):
    ispe = boxed(b"ispe", struct.pack(">III", 0, side, side))
    associations = struct.pack(">IIHBB", 0, 1, 2, 1, 1)
    references = boxed(b"dimg", struct.pack(f">HH{count}H", 1, count, *[2] * count))
    properties = boxed(b"iprp", boxed(b"ipco", ispe) + boxed(b"ipma", associations))
    return boxed(b"ftyp", b"heicmif1") + boxed(b"meta", bytes(4) + properties + boxed(b"iref", bytes(4) + references))


def test_tiles_without_end_are_a_bomb():
    assert read_heif(tiles(190, 1024), LIMITS).frames == 1
    with pytest.raises(DecompressionBomb, match="put together from 209715200 pixels"):
        probe(tiles(200, 1024), LIMITS)


@pytest.mark.parametrize("format", ["AVIF", "HEIC"])
def test_a_giant_item_is_refused(format):
    source = encoded(four_corners(), format).replace(struct.pack(">II", 120, 80), struct.pack(">II", 60_000, 60_000))
    with pytest.raises(TooManyPixels, match="60000x60000 px"):
        read_avif(source, LIMITS)


def test_frames_of_an_animated_avif():
    header = read_avif(animated("AVIF", 5), LIMITS)
    assert (header.frames, header.loop) == (5, 0)


@pytest.mark.parametrize("format", ["AVIF", "HEIC"])
@pytest.mark.parametrize("tenths", [4, 7, 9])
def test_a_picture_that_is_cut_off_is_no_bomb(format, tenths):
    source = encoded(Image.effect_noise((200, 100), 80).convert("RGB"), format)
    with pytest.raises(CorruptImage, match="upload the whole"):
        list(frames(probe(source[: len(source) * tenths // 10], LIMITS)))
