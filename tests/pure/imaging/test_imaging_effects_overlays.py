"""What is laid on, or under, the picture: padding, watermarks and text."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pictures import animated, encoded, four_corners, mean_difference, opened, photo
from PIL import Image
from pydantic import ValidationError

from udfs.imaging.errors import RenderFailed
from udfs.imaging.geometry import Canvas, Size
from udfs.imaging.parameters import HALVES, Asset
from udfs.imaging.plan import Plan
from udfs.imaging.steps import typeface
from udfs.imaging.steps.overlay import place
from udfs.imaging.steps.pad import pad
from udfs.imaging.steps.text import Text, text
from udfs.imaging.steps.watermark import Watermark, watermark

GREEN = Image.new("RGB", (200, 100), (0, 128, 0))


def asset(image, format="PNG", name="logo.png"):
    return Asset.of(name, encoded(image, format))


def mark(colour=(255, 0, 0, 255), size=(40, 20), **keys):
    return Watermark(image=asset(Image.new("RGBA", size, colour)), **keys)


def plan(canvas, background=(255, 255, 255, 255)):
    return Plan(box=(0, 0, 10, 10), size=(10, 10), canvas=canvas, background=background)


def changed_box(before, after):
    """The bounding box of every pixel that differs."""
    rows, columns = np.nonzero(np.any(np.asarray(before) != np.asarray(after), axis=-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_padding_is_the_background_and_the_picture_is_where_the_canvas_says():
    padded = pad(four_corners(10, 10), plan(Canvas(Size(30, 20), 5, 7), (10, 20, 30, 255)))
    assert (padded.mode, padded.size) == ("RGB", (30, 20))
    assert padded.crop((5, 7, 15, 17)).tobytes() == four_corners(10, 10).tobytes()
    padded.paste((10, 20, 30), (5, 7, 15, 17))
    assert padded.getcolors() == [(600, (10, 20, 30))]


@pytest.mark.parametrize(
    ("mode", "background", "padded"),
    [
        ("L", (9, 9, 9, 255), "L"),
        ("L", (9, 9, 8, 255), "RGB"),
        ("L", (9, 9, 9, 0), "LA"),
        ("LA", (9, 9, 9, 255), "L"),
        ("RGB", (9, 9, 9, 128), "RGBA"),
        ("RGBA", (9, 9, 9, 255), "RGB"),
    ],
)
def test_padding_brings_colour_and_transparency_only_where_the_background_has_them(mode, background, padded):
    assert pad(Image.new(mode, (4, 4)), plan(Canvas(Size(8, 4), 2, 0), background)).mode == padded


def test_an_opaque_background_shows_through_and_a_transparent_one_leaves_transparency():
    glass = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    canvas = Canvas(Size(8, 4), 2, 0)
    assert pad(glass, plan(canvas, (0, 0, 255, 255))).getpixel((4, 2)) == pytest.approx((128, 0, 127), abs=1)
    assert pad(glass, plan(canvas, (0, 0, 255, 0))).getpixel((4, 2)) == (255, 0, 0, 128)
    assert pad(glass, plan(canvas, (0, 0, 255, 0))).getpixel((0, 2))[3] == 0


def test_without_a_canvas_nothing_is_padded():
    image = four_corners()
    assert pad(image, plan(None)) is image


@pytest.mark.parametrize("position", HALVES)
def test_a_watermark_lies_at_each_compass_point_a_margin_from_the_edges(position):
    after = watermark(GREEN, mark(position=position, scale=0.2, margin=8), 1.0)
    across, down = HALVES[position]
    left, upper = 8 + (200 - 40 - 16) * across // 2, 8 + (100 - 20 - 16) * down // 2
    assert changed_box(GREEN, after) == (left, upper, left + 40, upper + 20)
    assert after.getpixel((left + 20, upper + 10)) == (255, 0, 0)


@pytest.mark.parametrize(("scale", "size"), [(0.1, (20, 10)), (0.5, (100, 50)), (1.0, (200, 100))])
def test_a_watermark_takes_its_share_of_the_width(scale, size):
    left, upper, right, lower = changed_box(GREEN, watermark(GREEN, mark(scale=scale), 1.0))
    assert (right - left, lower - upper) == size


def test_a_tall_watermark_is_no_higher_than_the_picture():
    left, upper, right, lower = changed_box(GREEN, watermark(GREEN, mark(size=(10, 100), scale=1.0), 1.0))
    assert (right - left, lower - upper) == (10, 100)


def test_the_margin_grows_with_the_pixel_ratio_and_gives_way_in_a_small_picture():
    assert changed_box(GREEN, watermark(GREEN, mark(scale=0.1, margin=10), 2.0))[2:] == (180, 80)
    assert changed_box(GREEN, watermark(GREEN, mark(scale=0.5, margin=1000), 1.0)) == (50, 25, 150, 75)


def test_opacity_blends():
    after = watermark(GREEN, mark(opacity=0.25, scale=1.0), 1.0)
    assert after.getpixel((100, 50)) == pytest.approx((64, 96, 0), abs=1)


def test_a_watermark_with_soft_edges_has_no_fringe():
    logo = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    logo.paste((255, 255, 255, 255), (60, 60, 140, 140))
    white = Image.new("RGB", (90, 90), "white")
    assert mean_difference(watermark(white, Watermark(image=asset(logo), scale=0.35), 1.0), white) == 0


def test_a_tile_covers_the_whole_picture_with_gaps():
    after = watermark(GREEN, mark(scale=0.1, margin=10, tile=True), 1.0)
    red = np.asarray(after)[..., 0] > 128
    assert red.mean() == pytest.approx(20 * 10 / (30 * 20), abs=0.03)
    assert (red[:20, :30] == red[40:60, 90:120]).all()
    assert red[80:].any()
    assert red[:, 180:].any()


@pytest.mark.parametrize(
    ("mode", "colour", "watermarked"),
    [
        ("L", (255, 255, 255, 200), "L"),
        ("LA", (9, 9, 9, 9), "LA"),
        ("L", (255, 0, 0, 255), "RGB"),
        ("LA", (255, 0, 0, 255), "RGBA"),
        ("RGB", (9, 9, 9, 9), "RGB"),
        ("RGBA", (9, 9, 9, 255), "RGBA"),
    ],
)
def test_grey_stays_grey_until_colour_comes_in(mode, colour, watermarked):
    assert watermark(Image.new(mode, (20, 20)), mark(colour), 1.0).mode == watermarked


def test_a_watermark_is_seen_on_a_transparent_part_too():
    after = watermark(Image.new("RGBA", (40, 20), (0, 0, 0, 0)), mark(scale=0.5), 1.0)
    assert after.getpixel((35, 18)) == (255, 0, 0, 255)
    assert after.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("image", [Image.new("P", (8, 8)), Image.new("CMYK", (8, 8)), Image.new("1", (8, 8))])
def test_a_watermark_of_any_mode_can_be_used(image):
    format = "JPEG" if image.mode == "CMYK" else "PNG"
    assert watermark(GREEN, Watermark(image=asset(image, format)), 1.0).mode == "RGB"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "0 bytes"),
        (b"<svg></svg>", "SVG"),
        (encoded(four_corners(), "PNG")[:-60], "decoded"),
        (encoded(Image.new("L", (2001, 2000)), "PNG"), "4000000"),
        (encoded(four_corners(), "BMP"), "save it as png, webp, jpeg"),
        (animated("WEBP", 3), "frames"),
        (encoded(Image.effect_noise((1200, 1200), 99), "PNG", compress_level=0) * 3, "4194304"),
    ],
)
def test_a_file_that_cannot_be_a_watermark_is_refused_when_the_preset_is_read(data, fault):
    with pytest.raises(ValidationError) as refused:
        Watermark(image=Asset.of("logo.png", data))
    message = refused.value.errors()[0]["msg"]
    assert message.startswith("cannot be a watermark: ")
    assert fault in message


def test_text_lies_inside_the_margins_and_is_of_its_colour():
    before = Image.new("RGB", (300, 100), "black")
    after = text(before, Text(text="Darkroom", size=30, color="#00ff00", position="north-west", margin=12), 1.0)
    left, upper, right, lower = changed_box(before, after)
    assert (left, upper) == (12, 12)
    assert 100 < right - left < 200
    assert 20 < lower - upper < 40
    colours = np.asarray(after).reshape(-1, 3).max(axis=0)
    assert tuple(colours) == (0, 255, 0)


def test_text_grows_with_the_pixel_ratio():
    before = Image.new("RGB", (600, 200))
    once = changed_box(before, text(before, Text(text="Hello", size=20, margin=5), 1.0))
    twice = changed_box(before, text(before, Text(text="Hello", size=20, margin=5), 2.0))
    assert twice[2] - twice[0] == pytest.approx(2 * (once[2] - once[0]), rel=0.08)
    assert (once[3], twice[3]) == (195, 190)


def test_long_text_becomes_smaller_instead_of_being_cut():
    before = Image.new("RGB", (200, 60))
    after = text(before, Text(text="a line that is far too long", size=40, margin=10), 1.0)
    left, _, right, _ = changed_box(before, after)
    assert left >= 10
    assert right <= 190
    assert right - left > 150


def test_lines_lie_below_each_other():
    before = Image.new("RGB", (300, 200))
    one = changed_box(before, text(before, Text(text="one", size=30, position="north"), 1.0))
    two = changed_box(before, text(before, Text(text="one\none", size=30, position="north"), 1.0))
    assert two[3] - two[1] > 2 * (one[3] - one[1])


def test_an_outline_makes_white_letters_legible_on_white():
    white = Image.new("RGB", (200, 60), "white")
    assert text(white, Text(text="white"), 1.0).tobytes() == white.tobytes()
    outlined = text(white, Text(text="white", outline="#000000", size=40), 1.0)
    levels = np.asarray(outlined.convert("L"))
    assert levels.min() < 10
    assert levels[levels < 255].size > 500


def test_text_is_as_opaque_as_its_colour_and_opacity_say():
    black = Image.new("L", (300, 100))
    full, half = Text(text="MMM", size=80, color="#ffffff80"), Text(text="MMM", size=80, opacity=0.5)
    assert np.asarray(text(black, full, 1.0)).max() == pytest.approx(128, abs=1)
    assert np.asarray(text(black, half, 1.0)).max() == pytest.approx(128, abs=1)


@pytest.mark.parametrize(("color", "mode"), [("#808080", "L"), ("#808081", "RGB")])
def test_grey_text_leaves_a_grey_picture_grey(color, mode):
    assert text(Image.new("L", (50, 50)), Text(text="a", color=color), 1.0).mode == mode


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("café", "the built-in font has no 'é' (U+00E9); name a font that has"),
        ("日本", "no '日' (U+65E5), '本' (U+672C)"),
        ("bell\x07", "U+0007, which is no writing"),
        ("\U0010fffe", "U+10FFFE, which is no writing"),
    ],
)
def test_what_cannot_be_written_is_refused_when_the_preset_is_read(written, fault):
    with pytest.raises(ValidationError, match="unreadable") as refused:
        Text(text=written)
    assert fault in refused.value.errors()[0]["msg"]


@pytest.mark.parametrize("length", [0, 201])
def test_text_has_a_length(length):
    with pytest.raises(ValidationError, match=r"200|1 character"):
        Text(text="x" * length)


def test_a_file_that_is_no_font_is_refused_when_the_preset_is_read():
    with pytest.raises(ValidationError, match=r"'logo\.ttf' cannot be used"):
        Text(text="x", font=Asset.of("logo.ttf", b"not a font"))


def test_composed_and_decomposed_letters_are_the_same_text(monkeypatch):
    monkeypatch.setattr(typeface, "_missing", lambda text, font: [])
    assert Text(text="cafe\u0301").text == "caf\u00e9"


@pytest.mark.parametrize(
    ("written", "shaped"), [("Ελλάδα", False), ("Привет", False), ("שלום", True), ("مرحبا", True), ("हिन्दी", True)]
)
def test_only_scripts_that_need_it_are_shaped(written, shaped):
    assert typeface.needs_shaping(written) is shaped


def test_a_machine_that_cannot_shape_says_so_instead_of_writing_wrongly(monkeypatch):
    monkeypatch.setattr(typeface, "_missing", lambda text, font: [])
    monkeypatch.setattr(typeface, "can_shape", lambda: True)
    hebrew = Text(text="שלום")
    monkeypatch.setattr(typeface, "can_shape", lambda: False)
    with pytest.raises(ValidationError, match="install libfribidi0"):
        Text(text="שלום")
    with pytest.raises(RenderFailed, match="install libfribidi0"):
        text(GREEN, hebrew, 1.0)


def test_a_font_of_ones_own_is_used(monkeypatch):
    face = io.BytesIO(typeface._font(None, 10, typeface.Layout.BASIC).font_bytes).getvalue()
    own = Text(text="Hello", size=30, font=Asset.of("own.ttf", face))
    assert text(GREEN, own, 1.0).tobytes() == text(GREEN, Text(text="Hello", size=30), 1.0).tobytes()


def test_threads_write_and_mark_the_same_pixels():
    image = opened(photo())
    wanted = Text(text="Darkroom 2026", size=40, outline="#000000"), mark(scale=0.5, opacity=0.5)

    def both(_):
        return watermark(text(image, wanted[0], 1.0), wanted[1], 1.0).tobytes()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(both, range(40)))) == 1


def test_place_never_leaves_the_picture():
    assert place((10, 10), (30, 4), "south-east", 5) == (0, 3)
