"""One picture that shows what became of every image: source, outcome, derivatives."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten, wrap
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from udfs.imaging.errors import ImagingError
from udfs.imaging.presets import Preset
from udfs.imaging.render import render

MARGIN_PX: Final = 40
GAP_PX: Final = 24
CELL_PX: Final = (250, 188)
ROW_TITLE_PX: Final = 44
CAPTION_PX: Final = 50
HEADER_PX: Final = 92
REASON_WIDTH_CHARS: Final = 84
REASON_LINES: Final = 4
REASON_LINE_PX: Final = 28
ONE_LINE_CHARS: Final = 110

PAPER: Final = "#f6f5f1"
CARD: Final = "#ffffff"
WELL: Final = "#eceae4"
LINE: Final = "#dcd9d0"
INK: Final = "#23211d"
FAINT: Final = "#7b766b"

# Green: as asked; amber: in part; red: nothing; blue and grey: nothing was to be made.
BADGES: Final = {
    "READY": "#2f7d4f",
    "PARTIAL": "#b7791f",
    "REJECTED": "#b83a3a",
    "FAILED": "#8c2f5b",
    "DELETED": "#5b6472",
    "SUPERSEDED": "#3b6ea8",
}
OTHER_BADGE: Final = "#444444"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
THUMBNAIL: Final = Preset(name="sheet", geometry="fit", width=CELL_PX[0], height=CELL_PX[1], format="png")


@dataclass(frozen=True, slots=True)
class SheetPicture:
    """One derivative: its preset's name, its size in pixels and its encoded bytes."""

    preset: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One image: its name, the encoded source (None: there is none), its outcome and what was made.

    `reason` is the reason code and `message` its explanation, where the outcome has one.
    """

    name: str
    source: bytes | None
    outcome: str
    derivatives: tuple[SheetPicture, ...] = ()
    reason: str | None = None
    message: str | None = None


def contact_sheet(rows: Sequence[SheetRow], title: str) -> bytes:
    """Return a PNG with one row per image; derivatives of one preset stand in one column."""
    presets = tuple(dict.fromkeys(picture.preset for row in rows for picture in row.derivatives))
    columns = max(3, 1 + len(presets))
    width = 2 * MARGIN_PX + columns * CELL_PX[0] + (columns - 1) * GAP_PX + 2 * GAP_PX
    thumbnails = [_thumbnail(row.source) for row in rows]
    heights = [_row_height(row, thumbnail) for row, thumbnail in zip(rows, thumbnails, strict=True)]
    sheet = Image.new("RGB", (width, HEADER_PX + MARGIN_PX + sum(heights) + GAP_PX * len(rows)), PAPER)
    _draw_header(ImageDraw.Draw(sheet), rows, title, width)
    top = HEADER_PX
    for row, thumbnail, height in zip(rows, thumbnails, heights, strict=True):
        _draw_row(sheet, row, thumbnail, presets, (MARGIN_PX, top, width - MARGIN_PX, top + height))
        top += height + GAP_PX
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG")
    return encoded.getvalue()


def _font(size_px: int) -> Font:
    return ImageFont.load_default(size=size_px)


def _draw_header(draw: ImageDraw.ImageDraw, rows: Sequence[SheetRow], title: str, width: int) -> None:
    made = sum(len(row.derivatives) for row in rows)
    draw.text((MARGIN_PX, HEADER_PX // 2), title, INK, _font(32), anchor="lm")
    figures = f"{len(rows)} images, {made} derivatives"
    draw.text((width - MARGIN_PX, HEADER_PX // 2), figures, FAINT, _font(20), anchor="rm")


def _row_height(row: SheetRow, thumbnail: Image.Image | None) -> int:
    if row.derivatives or thumbnail:
        return ROW_TITLE_PX + CELL_PX[1] + CAPTION_PX + 2 * GAP_PX
    return ROW_TITLE_PX + len(_reason_lines(row)) * REASON_LINE_PX + 2 * GAP_PX


def _draw_row(
    sheet: Image.Image,
    row: SheetRow,
    thumbnail: Image.Image | None,
    presets: Sequence[str],
    card: tuple[int, int, int, int],
) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle(card, radius=14, fill=CARD, outline=LINE)
    left, top = card[0] + GAP_PX, card[1] + GAP_PX
    after = _draw_title(draw, row, left, top)
    cells = top + ROW_TITLE_PX
    if row.derivatives or thumbnail:
        size = "nothing stored" if row.source is None else _kilobytes(len(row.source))
        _draw_picture(sheet, thumbnail, ("source", size), left, cells)
    at = {preset: left + (1 + index) * (CELL_PX[0] + GAP_PX) for index, preset in enumerate(presets)}
    for picture in row.derivatives:
        caption = (picture.preset, f"{picture.width} x {picture.height}, {_kilobytes(len(picture.data))}")
        _draw_picture(sheet, _thumbnail(picture.data), caption, at[picture.preset], cells)
    if row.derivatives:
        why = f"{row.reason}: {row.message}" if row.reason else ""
        draw.text(
            (after + 18, top + 10), shorten(why, ONE_LINE_CHARS, placeholder=" ..."), FAINT, _font(17), anchor="lm"
        )
    else:
        _draw_reason(draw, row, left + (CELL_PX[0] + GAP_PX if thumbnail else 0), cells)


def _draw_title(draw: ImageDraw.ImageDraw, row: SheetRow, left: int, top: int) -> int:
    """Draw the badge and the name; return where they end."""
    font = _font(17)
    text_width = int(draw.textlength(row.outcome, font))
    badge = (left, top - 4, left + text_width + 24, top + 24)
    draw.rounded_rectangle(badge, radius=14, fill=BADGES.get(row.outcome, OTHER_BADGE))
    draw.text((left + 12, top + 10), row.outcome, "white", font, anchor="lm")
    draw.text((badge[2] + 14, top + 10), row.name, INK, _font(21), anchor="lm")
    return badge[2] + 14 + int(draw.textlength(row.name, _font(21)))


def _draw_picture(
    sheet: Image.Image, thumbnail: Image.Image | None, caption: tuple[str, str], left: int, top: int
) -> None:
    draw = ImageDraw.Draw(sheet)
    right, lower = left + CELL_PX[0], top + CELL_PX[1]
    draw.rectangle((left, top, right - 1, lower - 1), fill=WELL)
    if thumbnail is None:
        draw.text(((left + right) // 2, (top + lower) // 2), "no picture", FAINT, _font(18), anchor="mm")
    else:
        corner = left + (CELL_PX[0] - thumbnail.width) // 2, top + (CELL_PX[1] - thumbnail.height) // 2
        sheet.paste(thumbnail, corner, thumbnail.getchannel("A"))
    draw.text((left, lower + 18), caption[0], INK, _font(17), anchor="lm")
    draw.text((left, lower + 40), caption[1], FAINT, _font(16), anchor="lm")


def _draw_reason(draw: ImageDraw.ImageDraw, row: SheetRow, left: int, top: int) -> None:
    for index, line in enumerate(_reason_lines(row)):
        is_code = index == 0 and row.reason is not None
        colour = BADGES.get(row.outcome, OTHER_BADGE) if is_code else FAINT
        draw.text((left, top + 16 + index * REASON_LINE_PX), line, colour, _font(17), anchor="lm")


def _reason_lines(row: SheetRow) -> list[str]:
    size = "" if row.source is None else f" ({_kilobytes(len(row.source))})"
    lines = wrap(
        (row.message or "no derivatives") + size, REASON_WIDTH_CHARS, max_lines=REASON_LINES, placeholder=" ..."
    )
    return [row.reason, *lines] if row.reason else lines


def _thumbnail(encoded: bytes | None) -> Image.Image | None:
    """Return RGBA inside CELL_PX, or None for what the imaging core refuses."""
    if encoded is None:
        return None
    try:
        rendering = render(encoded, [THUMBNAIL])
    except ImagingError:
        return None
    with Image.open(io.BytesIO(rendering.derivatives[0].data)) as thumbnail:
        return thumbnail.convert("RGBA")


def _kilobytes(size_bytes: int) -> str:
    return f"{size_bytes / 1000:,.1f} kB" if size_bytes < 100_000 else f"{size_bytes / 1000:,.0f} kB"
