"""Opens fonts, and tells what cannot be written with one.

Latin, Greek, Cyrillic, CJK and other simple scripts are set by Pillow alone and look the same everywhere. What runs
from right to left, joins or stacks is shaped by Raqm, which needs the system's FriBiDi.
"""

import io
import unicodedata
from typing import Final, cast

from PIL import ImageFont, features
from PIL.ImageFont import FreeTypeFont, Layout

from udfs.imaging.errors import RenderFailed
from udfs.imaging.parameters import Asset

CHECKED_AT_PX: Final = 32
NO_CHARACTER: Final = "\U0010fffe"  # never assigned: what a font draws for it is its sign for "missing"
NO_SHAPING: Final = "its script has to be shaped, and this machine has no FriBiDi; install libfribidi0"

# Sources: UAX 9, right-to-left classes; Unicode 15, general categories of marks and of format characters.
RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
MARKS: Final = frozenset({"Mn", "Mc", "Me", "Cf"})
NOT_TEXT: Final = frozenset({"Cc", "Cn", "Co", "Cs"})


def opened(font: Asset | None, size_px: int, text: str) -> FreeTypeFont:
    """Open a font, None for the built-in one, with the layout that the text needs.

    Raises RenderFailed when the text needs FriBiDi and this machine has none.
    """
    if needs_shaping(text) and not can_shape():
        message = f"text {text[:40]!r}: {NO_SHAPING}"
        raise RenderFailed(message)
    return _font(font, size_px, Layout.RAQM if needs_shaping(text) else Layout.BASIC)


def needs_shaping(text: str) -> bool:
    """Tell whether letters change, move or turn round by their neighbours."""
    return any(unicodedata.bidirectional(char) in RIGHT_TO_LEFT or unicodedata.category(char) in MARKS for char in text)


def can_shape() -> bool:
    """Tell whether FriBiDi is there."""
    return bool(features.check("raqm"))


def fault_of(text: str, font: Asset | None) -> str | None:
    """Return why the text cannot be written with the font, None when it can."""
    strange = next((char for char in text if char != "\n" and unicodedata.category(char) in NOT_TEXT), None)
    if strange is not None:
        return f"the text has the character U+{ord(strange):04X}, which is no writing; leave it out"
    if needs_shaping(text) and not can_shape():
        return NO_SHAPING
    try:
        missing = _missing(text, font)
    except OSError as error:
        return f"{font.name if font else 'the font'!r} cannot be used: {error}; name a TrueType or OpenType file"
    if missing:
        named = ", ".join(f"{char!r} (U+{ord(char):04X})" for char in missing[:5])
        return f"{repr(font.name) if font else 'the built-in font'} has no {named}; name a font that has"
    return None


def _missing(text: str, font: Asset | None) -> list[str]:
    face = _font(font, CHECKED_AT_PX, Layout.BASIC)
    drawn = {char for char in text if not char.isspace() and unicodedata.category(char) not in MARKS}
    return sorted(char for char in drawn if _shape(face, char) == _shape(face, NO_CHARACTER))


def _shape(face: FreeTypeFont, char: str) -> tuple[tuple[int, int], bytes]:
    mask = face.getmask(char)
    return mask.size, bytes(mask)


def _font(font: Asset | None, size_px: int, layout: Layout) -> FreeTypeFont:
    if font is None:
        return cast(FreeTypeFont, ImageFont.load_default(size_px))
    return ImageFont.truetype(io.BytesIO(font.data), size_px, layout_engine=layout)
