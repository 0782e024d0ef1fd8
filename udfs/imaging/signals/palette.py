"""The colours a person would name, most present first.

Pillow's octree finds sixteen colours; those that look alike become one. Median cut with k-means finds much the same
colours in 60 times the time.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from udfs.imaging.signals.cosines import Samples
from udfs.imaging.signals.light import to_linear
from udfs.imaging.signals.paper import VISIBLE_FROM_ALPHA

Colours = NDArray[np.uint8]

CANDIDATES: Final = 16
MOST: Final = 5
ALIKE: Final = 0.1  # Oklab distance: tints of one sky are nearer, two colours with different names are farther
WHITE: Final = "#ffffff"

# Linear sRGB to cone responses, and their cube roots to Oklab. Source: bottosson.github.io/posts/oklab
TO_CONES: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def palette(picture: Image.Image) -> tuple[str, ...]:
    """Return one to five colours '#rrggbb' of the visible pixels of RGB or RGBA; white where none is visible."""
    pixels = _visible(np.asarray(picture))
    if not pixels.size:
        return (WHITE,)
    colours, counts = _candidates(pixels)
    presence = _merged(_oklab(colours), counts)
    most_present = sorted(presence, key=lambda index: (-presence[index], index))[:MOST]
    return tuple("#" + colours[index].tobytes().hex() for index in most_present)


def _visible(pixels: Colours) -> Colours:
    """Return (n, 3) opaque colours."""
    if pixels.shape[2] == 3:
        return pixels.reshape(-1, 3)
    return pixels[pixels[..., 3] >= VISIBLE_FROM_ALPHA][:, :3]


def _candidates(pixels: Colours) -> tuple[Colours, list[int]]:
    """Return up to sixteen colours, shape (n, 3), and how many pixels each stands for, most present first."""
    strip = Image.fromarray(pixels[np.newaxis])
    few = strip.quantize(CANDIDATES, Image.Quantize.FASTOCTREE)
    counts = np.array(few.histogram()[:CANDIDATES])
    order = [index for index in np.argsort(-counts, kind="stable") if counts[index]]
    colours = np.array(few.getpalette(), np.uint8).reshape(-1, 3)
    return colours[order], [int(counts[index]) for index in order]


def _merged(oklab: Samples, counts: list[int]) -> dict[int, int]:
    """Return the presence of each colour kept; a colour joins the nearest kept one that looks alike."""
    presence: dict[int, int] = {}
    points = oklab.tolist()
    for index, count in enumerate(counts):
        distances = {kept: math.dist(points[kept], points[index]) for kept in presence}
        nearest = min(distances, key=distances.__getitem__, default=index)
        same = nearest if distances.get(nearest, 1.0) < ALIKE else index
        presence[same] = presence.get(same, 0) + count
    return presence


def _oklab(colours: Colours) -> Samples:
    cones = np.einsum("ij,nj->ni", TO_CONES, to_linear(colours / 255))
    return np.asarray(np.einsum("ij,nj->ni", TO_OKLAB, np.cbrt(cones)))
