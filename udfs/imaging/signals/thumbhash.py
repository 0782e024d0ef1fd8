"""ThumbHash: a placeholder with shape, colour and alpha in about 25 bytes.

Source: github.com/evanw/thumbhash, js/thumbhash.js (`rgbaToThumbHash`) and the format in index.html.
"""

import base64
import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from PIL.Image import Image

from udfs.imaging.signals.cosines import Samples, cosines, transform

# A wave this weak is the rounding error of a flat plane. The reference stretches it to full scale; here it is none.
SILENCE: Final = 1e-9


class _Channel(NamedTuple):
    """The mean, the strongest wave, and the waves in steps of a 15th of it (7.5 is none)."""

    mean: float
    scale: float
    waves: list[int]


def thumbhash(picture: Image) -> str:
    """Return the hash in base64, 24 to 36 characters, of RGB or RGBA with at most 100 px a side."""
    return base64.b64encode(_encode(picture)).decode("ascii")


def _encode(picture: Image) -> bytes:
    width, height = picture.size
    pixels, alpha = _pixels(picture)
    has_alpha = bool((alpha < 1).any())
    terms = 5 if has_alpha else 7
    across, down = (max(1, _rounded(terms * side / max(width, height))) for side in picture.size)
    lightness, yellow_blue, red_green = _opponents(pixels, alpha)
    lights = _channel(lightness, max(3, across), max(3, down))
    colours = [_channel(yellow_blue, 3, 3), _channel(red_green, 3, 3)]
    veil = [_channel(alpha, 5, 5)] if has_alpha else []
    header = _header(lights, colours, has_alpha, down if width > height else across, width > height)
    waves = [wave for channel in (lights, *colours, *veil) for wave in channel.waves]
    return header + bytes(_rounded(15 * a.mean) | _rounded(15 * a.scale) << 4 for a in veil) + _nibbles(waves)


def _pixels(picture: Image) -> tuple[Samples, Samples]:
    """Return colour (height, width, 3) and alpha (height, width), 0 to 1."""
    samples = np.asarray(picture) / 255
    alpha = samples[..., 3] if picture.mode == "RGBA" else np.ones(samples.shape[:2])
    return samples[..., :3], alpha


def _opponents(colour: Samples, alpha: Samples) -> tuple[Samples, Samples, Samples]:
    """Return lightness, yellow - blue and red - green, transparent pixels filled with the mean visible colour."""
    if (alpha < 1).any():
        weight = alpha[..., np.newaxis]
        mean = (colour * weight).sum(axis=(0, 1)) / max(alpha.sum(), SILENCE)
        colour = colour * weight + mean * (1 - weight)
    red, green, blue = colour[..., 0], colour[..., 1], colour[..., 2]
    return (red + green + blue) / 3, (red + green) / 2 - blue, red - green


def _channel(plane: Samples, across: int, down: int) -> _Channel:
    height, width = plane.shape
    sums = transform(plane[..., np.newaxis], cosines(down, height, 0.5), cosines(across, width, 0.5)) / plane.size
    kept = [float(sums[y, x, 0]) for y in range(down) for x in range(across) if x * down < across * (down - y)]
    scale = max(abs(wave) for wave in kept[1:])
    if scale < SILENCE:
        return _Channel(kept[0], 0, [0] * (len(kept) - 1))
    return _Channel(kept[0], scale, [_rounded(15 * (0.5 + 0.5 / scale * wave)) for wave in kept[1:]])


def _header(light: _Channel, colours: list[_Channel], has_alpha: bool, terms: int, landscape: bool) -> bytes:
    yellow_blue, red_green = colours
    fields = (
        (_rounded(63 * light.mean), 6),
        (_rounded(31.5 + 31.5 * yellow_blue.mean), 6),
        (_rounded(31.5 + 31.5 * red_green.mean), 6),
        (_rounded(31 * light.scale), 5),
        (int(has_alpha), 1),
        (terms, 3),
        (_rounded(63 * yellow_blue.scale), 6),
        (_rounded(63 * red_green.scale), 6),
        (int(landscape), 1),
    )
    return _packed(fields).to_bytes(5, "little")


def _packed(fields: Iterable[tuple[int, int]]) -> int:
    """Put the fields (value, bits) side by side, the first in the lowest bits."""
    packed = place = 0
    for value, bits in fields:
        packed |= value << place
        place += bits
    return packed


def _nibbles(values: list[int]) -> bytes:
    return _packed((value, 4) for value in values).to_bytes((len(values) + 1) // 2, "little")


def _rounded(value: float) -> int:
    """Round halves up, as JavaScript does."""
    return math.floor(value + 0.5)
