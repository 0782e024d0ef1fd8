"""BlurHash: a blurred placeholder of 20 to 30 characters.

Source: github.com/woltapp/blurhash, Algorithm.md and C/encode.c. (TypeScript/src/encode.ts looks for the strongest
wave among the positive ones only: its hashes differ where a negative one is stronger.)
"""

from typing import Final

import numpy as np
from PIL.Image import Image

from udfs.imaging.signals.cosines import Samples, cosines, transform
from udfs.imaging.signals.light import to_linear, to_srgb

BASE83: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
LARGEST_AC: Final = 82  # one base 83 digit, in steps of 1/166
AC_LEVELS: Final = 19
LINEAR: Final = to_linear(np.arange(256) / 255)


def blurhash(picture: Image) -> str:
    """Return the hash of an RGB picture: 4x3 components for landscape, 3x4 for portrait, 3x3 for a square."""
    across, down = _components(picture.size)
    factors = _factors(picture, across, down)
    average, waves = factors[0], factors[1:]
    loudest = min(LARGEST_AC, max(0, int(np.floor(np.abs(waves).max() * 166 - 0.5))))
    scale = (loudest + 1) / 166
    return "".join(
        [
            _base83((across - 1) + (down - 1) * 9, 1),
            _base83(loudest, 1),
            _base83(_average_colour(average), 4),
            *(_base83(_wave_colour(wave / scale), 2) for wave in waves),
        ]
    )


def _components(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    return (4 if width > height else 3), (4 if height > width else 3)


def _factors(picture: Image, across: int, down: int) -> Samples:
    """Return linear RGB per component, shape (down * across, 3), left to right and then down."""
    light: Samples = LINEAR[np.asarray(picture)]
    height, width, _ = light.shape
    sums = transform(light, cosines(down, height, 0), cosines(across, width, 0)).reshape(-1, 3)
    normalisation = np.array([[1.0]] + [[2.0]] * (down * across - 1)) / (height * width)
    return np.asarray(sums * normalisation)


def _average_colour(linear: Samples) -> int:
    red, green, blue = (int(sample * 255 + 0.5) for sample in to_srgb(linear))
    return (red << 16) + (green << 8) + blue


def _wave_colour(wave: Samples) -> int:
    levels = np.floor(np.copysign(np.sqrt(np.abs(wave)), wave) * 9 + 9.5)
    red, green, blue = (int(level) for level in np.clip(levels, 0, AC_LEVELS - 1))
    return (red * AC_LEVELS + green) * AC_LEVELS + blue


def _base83(value: int, digits: int) -> str:
    return "".join(BASE83[value // 83**place % 83] for place in reversed(range(digits)))
