"""Lays a picture on the derivative, once or as a pattern all over it."""

from functools import lru_cache
from typing import Annotated, Final

from PIL import ImageChops
from PIL.Image import Image, Resampling
from PIL.Image import new as new_image
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from udfs.imaging.errors import ImagingError, UnsupportedFormat
from udfs.imaging.limits import Limits
from udfs.imaging.parameters import UNREADABLE, Asset, AssetFile, Compass, Part
from udfs.imaging.probe import decoder_errors, probe
from udfs.imaging.steps.overlay import MARGIN, OPACITY, POSITION, Margin, Opacity, faded, lay_on, place
from udfs.imaging.working_mode import working_mode

FORMATS: Final = ("png", "webp", "jpeg")
LIMITS: Final = Limits(max_source_bytes=4 * 1024 * 1024, max_pixels=4_000_000, max_frames=1)
KEPT_DECODED: Final = 8  # of at most 16 MB each


def _usable(asset: Asset) -> Asset:
    try:
        _decoded(asset)
    except ImagingError as error:
        fault = str(error).removeprefix("source: ")
        message = f"cannot be a watermark: {fault}"
        raise PydanticCustomError(UNREADABLE, "{message}", {"message": message}) from error
    return asset


class Watermark(Part):
    """What is laid on the picture, and where."""

    image: Annotated[AssetFile, AfterValidator(_usable)] = Field(
        description="a png, webp or jpeg beside the presets file, of at most 4 megapixels and 4 MiB"
    )
    position: Compass = Field(default="south-east", description=POSITION)
    opacity: Opacity = Field(default=1.0, description=OPACITY)
    scale: float = Field(
        default=0.25, gt=0, le=1, description="above 0 to 1: its width as a share of the derivative's width"
    )
    margin: Margin = Field(default=0, description=f"{MARGIN}; with tile, the gap between two")
    tile: bool = Field(default=False, description="true or false: repeats it all over the picture, at no position")


def watermark(image: Image, wanted: Watermark, dpr: float) -> Image:
    """Return the picture with the watermark on it; grey becomes colour when the watermark has any."""
    mark, margin = _scaled(wanted, image.size), round(wanted.margin * dpr)
    if not wanted.tile:
        return lay_on(image, mark, place(image.size, mark.size, wanted.position, margin))
    return lay_on(image, _tiled(mark, margin, image.size), (0, 0))


def _scaled(wanted: Watermark, size: tuple[int, int]) -> Image:
    """Return LA or RGBA, `scale` of the width, smaller where it would be higher than the picture."""
    mark = _decoded(wanted.image)
    share = min(size[0] * wanted.scale / mark.width, size[1] / mark.height)
    scaled = max(1, round(mark.width * share)), max(1, round(mark.height * share))
    resized = mark.resize(scaled, Resampling.LANCZOS).convert(mark.mode.upper())
    return faded(resized, wanted.opacity)


def _tiled(mark: Image, gap: int, size: tuple[int, int]) -> Image:
    """Fill the size by doubling, so that a mark of one pixel costs no more than a large one."""
    width, height = mark.width + gap, mark.height + gap
    pattern = new_image(mark.mode, size)
    pattern.paste(mark, (gap // 2, gap // 2))
    while width < size[0]:
        pattern.paste(pattern.crop((0, 0, min(width, size[0] - width), height)), (width, 0))
        width *= 2
    while height < size[1]:
        pattern.paste(pattern.crop((0, 0, size[0], min(height, size[1] - height))), (0, height))
        height *= 2
    return pattern


@lru_cache(maxsize=KEPT_DECODED)
def _decoded(asset: Asset) -> Image:
    """Return La or RGBa, premultiplied, so that it can be resized; never changed afterwards.

    Raises ImagingError.
    """
    probed = probe(asset.data, LIMITS)
    if probed.format not in FORMATS:
        message = f"source: it is a {probed.format}; save it as {', '.join(FORMATS)}"
        raise UnsupportedFormat(message)
    with decoder_errors(probed.format):
        probed.image.load()
        mark = working_mode(probed.image)
    return mark.convert("LA").convert("La") if mark.mode in ("L", "La") else _grey_or_colour(mark.convert("RGBA"))


def _grey_or_colour(mark: Image) -> Image:
    red, green, blue, _ = mark.split()
    coloured = ImageChops.difference(red, green).getbbox() or ImageChops.difference(green, blue).getbbox()
    return mark.convert("RGBa") if coloured else mark.convert("LA").convert("La")
