"""How the signals see transparency: a picture lies on white paper, and a pixel more than half transparent is paper."""

from typing import Final

from PIL import Image

VISIBLE_FROM_ALPHA: Final = 128
OPAQUE: Final = {"LA": "L", "RGBA": "RGB"}
THUMBNAIL_SIDE_PX: Final = 100  # Source: the encoder of github.com/evanw/thumbhash takes no more


def on_paper(picture: Image.Image) -> Image.Image:
    """Return L or RGB: the same picture where it is opaque already, or LA or RGBA laid on white."""
    if picture.mode not in OPAQUE:
        return picture
    colours = picture.convert(OPAQUE[picture.mode])
    return Image.composite(colours, Image.new(colours.mode, colours.size, "white"), picture.getchannel("A"))


def thumbnail(picture: Image.Image) -> Image.Image:
    """Return RGB or RGBA (straight alpha), at most 100 px a side, never enlarged; transparent pixels lend no colour."""
    small = shrunk(picture, inside(picture.size, THUMBNAIL_SIDE_PX))
    return small.convert("RGBA" if picture.mode in OPAQUE else "RGB")


def shrunk(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the picture at that size; every pixel counts by its alpha (Pillow premultiplies) and nothing rings."""
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BOX)


def inside(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """Return the largest size of the same shape whose sides are at most side_px; never larger than it was."""
    longest = max(size)
    if longest <= side_px:
        return size
    width, height = (max(1, (2 * side * side_px + longest) // (2 * longest)) for side in size)
    return width, height
