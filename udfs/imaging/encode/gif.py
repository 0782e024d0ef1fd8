"""GIF, still or animated, written frame by frame: every frame with its own palette, and a pixel is shown or not.

Source of the format: GIF89a (CompuServe 1990); the loop is Netscape's application extension.
"""

import io
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

from PIL import GifImagePlugin, Image, ImageChops

from udfs.imaging.encode.encoded import Animation, Options
from udfs.imaging.encode.palette import cut_out, reduced

STEPS: Final = range(1, 9)  # bits of a palette
KEEP: Final = 1  # the frame stays when its time is over
CLEAR: Final = 2  # its rectangle becomes transparent
MAX_DELAY_CS: Final = 65_535

Item = TypeVar("Item")


class Cut(NamedTuple):
    """RGB pixels and a mask of those that are shown, None for all of them; `corner` is where they lie."""

    pixels: Image.Image
    shown: Image.Image | None
    corner: tuple[int, int] = (0, 0)


def gif(image: Image.Image, step: int, options: Options) -> bytes:
    """Encode one picture with 2 to the power of `step` colours, one of them transparent where it needs one."""
    cut = Cut(*cut_out(image, options.preset.background_rgba))
    return _header(image.size) + _frame(cut, step, disposal=0, delay_cs=0) + b";"


def animated_gif(animation: Animation, step: int, options: Options) -> bytes:
    """Encode frame by frame, with 2 to the power of `step` colours each; a delay is rounded to 10 ms, not their sum."""
    file, before = io.BytesIO(), None
    file.write(_header(animation.size) + _loop(animation.plays))
    for (cut, delay_cs), following in _with_next(_cuts(animation, options)):
        clear = following is not None and following[0].shown is not None
        stored = cut if clear else _change(before, cut)
        file.write(_frame(stored, step, CLEAR if clear else KEEP, delay_cs))
        before = cut
    file.write(b";")
    return file.getvalue()


def _cuts(animation: Animation, options: Options) -> Iterator[tuple[Cut, int]]:
    elapsed_ms = 0
    for image, duration_ms in animation.play():
        delay_cs = round((elapsed_ms + duration_ms) / 10) - round(elapsed_ms / 10)
        elapsed_ms += duration_ms
        yield Cut(*cut_out(image, options.preset.background_rgba)), min(delay_cs, MAX_DELAY_CS)


def _with_next(items: Iterator[Item]) -> Iterator[tuple[Item, Item | None]]:
    item = next(items, None)
    while item is not None:
        following = next(items, None)
        yield item, following
        item = following


def _change(before: Cut | None, cut: Cut) -> Cut:
    """Return the smallest rectangle that holds every change, with what did not change in it left out."""
    if before is None or before.shown is not None or cut.shown is not None:
        return cut
    difference = ImageChops.difference(before.pixels, cut.pixels)
    box = difference.getbbox() or (0, 0, 1, 1)
    red, green, blue = difference.crop(box).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return Cut(cut.pixels.crop(box), most.point(lambda level: 255 * (level > 0)), box[:2])


def _frame(cut: Cut, step: int, disposal: int, delay_cs: int) -> bytes:
    """Pack one picture; one that will be cleared has a transparent colour too, for decoders that clear to it."""
    hole = cut.shown is not None or disposal == CLEAR
    indexed = reduced(cut.pixels, 2**step - hole)
    parameters: dict[str, int | bool] = {"include_color_table": True, "disposal": disposal, "duration": delay_cs * 10}
    if hole:
        palette = (indexed.getpalette() or [])[: 3 * (2**step - 1)]
        parameters["transparency"] = len(palette) // 3
        indexed.putpalette([*palette, 0, 0, 0])
    if cut.shown is not None:
        indexed.paste(parameters["transparency"], mask=cut.shown.point(lambda level: 255 - level))
    return b"".join(GifImagePlugin.getdata(indexed, cut.corner, **parameters))


def _header(size: tuple[int, int]) -> bytes:
    """Pack the signature and a logical screen without a colour table."""
    return b"GIF89a" + struct.pack("<2H3B", *size, 0x70, 0, 0)


def _loop(plays: int) -> bytes:
    """Pack how often it is repeated, which is once less than it is played; 0 is for ever, nothing is once."""
    if plays == 1:
        return b""
    return b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", min(65_535, max(0, plays - 1))) + b"\0"
