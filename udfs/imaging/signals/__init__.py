"""What a picture looks like, in a few bytes: placeholders, colours, a hash to find copies by, measures of quality.

Transparent is never black: thumbhash keeps the alpha, palette and exposure leave out pixels more than half transparent,
blurhash, perceptual hash and sharpness see the picture on white paper. A picture with nothing visible is white paper.
"""

from dataclasses import dataclass

from PIL.Image import Image

from udfs.imaging.signals.blurhash import blurhash
from udfs.imaging.signals.exposure import Exposure, exposure
from udfs.imaging.signals.palette import palette
from udfs.imaging.signals.paper import OPAQUE, on_paper, thumbnail
from udfs.imaging.signals.perceptual_hash import perceptual_hash
from udfs.imaging.signals.sharpness import sharpness
from udfs.imaging.signals.thumbhash import thumbhash

__all__ = ["Exposure", "Signals", "measure"]


@dataclass(frozen=True, slots=True)
class Signals:
    """What is measured on one picture.

    `blurhash` has 4x3 components for landscape, 3x4 for portrait, 3x3 for a square. `thumbhash` is in base64.
    `palette` holds one to five colours '#rrggbb', most present first; `dominant_color` is the first. `perceptual_hash`
    has 16 hex digits and equals `imagehash.phash` of the same picture if that is opaque. `sharpness` is the variance
    of the Laplacian at 256 px, in squared levels of 0 to 255.
    """

    blurhash: str
    thumbhash: str
    dominant_color: str
    palette: tuple[str, ...]
    perceptual_hash: str
    sharpness: float
    exposure: Exposure


def measure(picture: Image) -> Signals:
    """Measure a displayed picture: sRGB, straight alpha, mode L, LA, RGB or RGBA, meant to fit 512x512 px."""
    small = thumbnail(picture)
    alpha = picture.getchannel("A") if picture.mode in OPAQUE else None
    luma = on_paper(picture.convert("L" if alpha is None else "LA"))
    colours = palette(small)
    return Signals(
        blurhash=blurhash(on_paper(small)),
        thumbhash=thumbhash(small),
        dominant_color=colours[0],
        palette=colours,
        perceptual_hash=perceptual_hash(luma),
        sharpness=sharpness(luma),
        exposure=exposure(luma, alpha),
    )
