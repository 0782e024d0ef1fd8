"""Writes a line of text, or several, on the derivative."""

import math
import unicodedata
from typing import Annotated, Final, Literal, Self

from PIL import Image, ImageDraw
from PIL.ImageFont import FreeTypeFont
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from udfs.imaging.parameters import HALVES, UNREADABLE, AssetFile, Compass, HexColor, Part, rgba
from udfs.imaging.steps.overlay import MARGIN, OPACITY, POSITION, Margin, Opacity, faded, lay_on, place
from udfs.imaging.steps.typeface import fault_of, opened

MAX_CHARS: Final = 200
MAX_SIZE_PX: Final = 500
LINE_GAP: Final = 0.25  # of the size of the letters
OUTLINE: Final = 1 / 14  # of the size of the letters, on each side

COLOUR: Final = "a colour as '#rrggbb' or '#rrggbbaa', lower case, in quotes"


class Text(Part):
    """What is written, and how."""

    text: Annotated[str, AfterValidator(lambda text: unicodedata.normalize("NFC", text))] = Field(
        min_length=1,
        max_length=MAX_CHARS,
        description=f"1 to {MAX_CHARS} characters; a new line in it begins a line",
    )
    position: Compass = Field(default="south", description=POSITION)
    size: Annotated[int, Field(ge=4, le=MAX_SIZE_PX)] = Field(
        default=24,
        description=f"4 to {MAX_SIZE_PX} px: the size of the letters; they become smaller where the text would not fit",
    )
    color: HexColor = Field(default="#ffffff", description=COLOUR)
    outline: HexColor | None = Field(default=None, description=f"{COLOUR}: a rim that keeps letters legible")
    opacity: Opacity = Field(default=1.0, description=OPACITY)
    margin: Margin = Field(default=10, description=MARGIN)
    font: AssetFile | None = Field(
        default=None,
        description="a TrueType or OpenType file beside the presets file; the built-in one knows little but ASCII",
    )

    @model_validator(mode="after")
    def _writable(self) -> Self:
        if fault := fault_of(self.text, self.font):
            raise PydanticCustomError(UNREADABLE, "{message}", {"message": fault})
        return self


def text(image: Image.Image, wanted: Text, dpr: float) -> Image.Image:
    """Return the picture with the text on it; grey becomes colour when the text has any.

    Raises RenderFailed when this machine cannot shape the script.
    """
    margin = round(wanted.margin * dpr)
    room = max(1, image.width - 2 * margin), max(1, image.height - 2 * margin)
    layer = _layer(wanted, _fitting(wanted, round(wanted.size * dpr), room))
    return lay_on(image, layer, place(image.size, layer.size, wanted.position, margin))


def _fitting(wanted: Text, size_px: int, room: tuple[int, int]) -> FreeTypeFont:
    """Open the font at the size, or at a smaller one that fits into the room; hinted letters do not shrink evenly."""
    font = opened(wanted.font, size_px, wanted.text)
    left, upper, right, lower = _bounds(wanted, font)
    share = min(room[0] / (right - left), room[1] / (lower - upper))
    if share >= 1 or size_px == 1:
        return font
    return _fitting(wanted, max(1, min(size_px - 1, int(size_px * share))), room)


def _layer(wanted: Text, font: FreeTypeFont) -> Image.Image:
    letters = _inked(wanted, font, wanted.color, 0)
    if wanted.outline is not None:
        letters = Image.alpha_composite(_inked(wanted, font, wanted.outline, _outline_px(wanted, font)), letters)
    grey = all(
        red == green == blue for red, green, blue, _ in map(rgba, (wanted.color, wanted.outline or wanted.color))
    )
    letters = letters.crop(letters.getbbox() or (0, 0, 1, 1))  # margins are measured from the ink
    return faded(letters.convert("LA") if grey else letters, wanted.opacity)


def _inked(wanted: Text, font: FreeTypeFont, color: str, outline_px: int) -> Image.Image:
    """Return RGBA, as large as the text with its outline: the colour, as opaque as the letters cover a pixel."""
    left, upper, right, lower = _bounds(wanted, font)
    covered = Image.new("L", (right - left, lower - upper))
    red, green, blue, alpha = rgba(color)
    ImageDraw.Draw(covered).multiline_text(
        (-left, -upper), wanted.text, alpha, font, spacing=_gap(font), align=_align(wanted), stroke_width=outline_px
    )
    inked = Image.new("RGBA", covered.size, (red, green, blue))
    inked.putalpha(covered)
    return inked


def _bounds(wanted: Text, font: FreeTypeFont) -> tuple[int, int, int, int]:
    left, upper, right, lower = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox(
        (0, 0),
        wanted.text,
        font,
        spacing=_gap(font),
        align=_align(wanted),
        stroke_width=_outline_px(wanted, font),
    )
    left, upper = math.floor(left), math.floor(upper)
    return left, upper, max(left + 1, math.ceil(right)), max(upper + 1, math.ceil(lower))


def _gap(font: FreeTypeFont) -> float:
    return font.size * LINE_GAP


def _align(wanted: Text) -> Literal["left", "center", "right"]:
    across, _ = HALVES[wanted.position]
    return ("left", "center", "right")[across]


def _outline_px(wanted: Text, font: FreeTypeFont) -> int:
    return 0 if wanted.outline is None else max(1, round(font.size * OUTLINE))
