"""Shrinks what light does, not what its codes do: fine light patterns keep the brightness they have from afar.

Samples are decoded by the curve of sRGB (that of Display P3 too; Adobe RGB's is close), resampled as 32-bit floats and
encoded again. Floats are held for a strip, and for a copy already reduced to a quarter or less: never for all pixels.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from udfs.imaging.resample import resample

LINEAR_MODES: Final = {"L": "L", "La": "LA", "RGB": "RGB", "RGBa": "RGBA"}  # and what is made of them: straight alpha

STRIP_PIXELS: Final = 1_000_000  # held as floats at a time: 16 MB with alpha
REDUCING_GAP: Final = 2  # pixels are averaged to no less than twice the target before Lanczos, as floats are dear
SUPPORT: Final = 3  # Lanczos looks at so many target pixels to either side

# Source: IEC 61966-2-1. The steepest part of the curve moves by a twentieth of a code from one entry to the next.
CODES: Final = np.arange(256) / 255
TO_LIGHT: Final = np.where(CODES <= 0.04045, CODES / 12.92, ((CODES + 0.055) / 1.055) ** 2.4).astype(np.float32)
BRIGHTEST: Final = 65_535
LIGHTS: Final = np.arange(BRIGHTEST + 1) / BRIGHTEST
ENCODED: Final = np.where(LIGHTS <= 0.0031308, 12.92 * LIGHTS, 1.055 * LIGHTS ** (1 / 2.4) - 0.055)
TO_CODE: Final = np.rint(255 * ENCODED).astype(np.uint8)

Size = tuple[int, int]
Box = tuple[float, float, float, float]
Codes = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float32]  # rows, columns, bands; alpha, if any, is the last band and the others contain it
Rows = Callable[[int, int], Light]


def shrink_in_linear_light(image: Image.Image, box: Box, size: Size) -> Image.Image:
    """Return the box of L, La, RGB or RGBa at a size, as L, LA, RGB or RGBA."""
    mode = LINEAR_MODES[image.mode]
    start, end, box = _around(image.size, box, size)
    source = (end[0] - start[0], end[1] - start[1])

    def rows(first: int, stop: int) -> Light:
        return _light(image.crop((start[0], start[1] + first, end[0], start[1] + stop)).convert(mode))

    across, down = (max(1, int(span / side / REDUCING_GAP)) for span, side in zip(_spans(box), size, strict=True))
    down = min(down, max(1, STRIP_PIXELS // source[0]))
    if (across, down) == (1, 1):
        codes = _resized(rows, source, box, size, mode)
    else:
        reduced = _reduced(rows, source, (across, down))
        height, width = reduced.shape[:2]
        left, upper, right, lower = box
        box = (left / across, upper / down, min(right / across, width), min(lower / down, height))
        codes = _resized(lambda first, end: reduced[first:end], (width, height), box, size, mode)
    return Image.fromarray(codes[..., 0] if mode == "L" else codes)


def _around(image: Size, box: Box, size: Size) -> tuple[Size, Size, Box]:
    """Where what Lanczos looks at begins and ends, in whole pixels, and where the box is in that."""
    left, upper, right, lower = box
    x, y = (SUPPORT * max(1.0, span / side) + 1 for span, side in zip(_spans(box), size, strict=True))
    start = max(0, int(left - x)), max(0, int(upper - y))
    end = min(image[0], math.ceil(right + x)), min(image[1], math.ceil(lower + y))
    return start, end, (left - start[0], upper - start[1], right - start[0], lower - start[1])


def _spans(box: Box) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]


def _light(image: Image.Image) -> Light:
    codes = np.atleast_3d(np.asarray(image))
    if image.mode not in ("LA", "RGBA"):
        light: Light = np.take(TO_LIGHT, codes)
        return light
    alpha = codes[..., -1:].astype(np.float32) / 255
    return np.concatenate((np.take(TO_LIGHT, codes[..., :-1]) * alpha, alpha), axis=-1)


def _codes(light: Light, mode: str) -> Codes:
    if mode not in ("LA", "RGBA"):
        return np.take(TO_CODE, _levels(light))
    alpha = np.clip(light[..., -1:], 0, 1)
    color = light[..., :-1] / np.maximum(alpha, 1 / BRIGHTEST)
    return np.concatenate((np.take(TO_CODE, _levels(color)), np.rint(alpha * 255).astype(np.uint8)), axis=-1)


def _levels(light: Light) -> npt.NDArray[np.uint16]:
    levels: npt.NDArray[np.uint16] = np.rint(np.clip(light, 0, 1) * BRIGHTEST).astype(np.uint16)
    return levels


def _reduced(rows: Rows, size: Size, factors: Size) -> Light:
    width, height = size
    step = factors[1] * max(1, STRIP_PIXELS // (width * factors[1]))
    strips = (rows(first, min(first + step, height)) for first in range(0, height, step))
    return np.concatenate([_each_band(strip, lambda band: band.reduce(factors)) for strip in strips])


def _resized(rows: Rows, source: Size, box: Box, size: Size, mode: str) -> Codes:
    left, upper, right, lower = box
    scale = (lower - upper) / size[1]
    margin = SUPPORT * max(1.0, scale) + 1
    step = max(1, int(STRIP_PIXELS / (max(source[0], size[0]) * max(1.0, scale))))
    strips = []
    for top in range(0, size[1], step):
        height = min(step, size[1] - top)
        start, stop = upper + top * scale, min(lower, upper + (top + height) * scale)
        first, end = max(0, int(start - margin)), min(source[1], math.ceil(stop + margin))
        window = (left, start - first, right, stop - first)
        strips.append(_codes(_each_band(rows(first, end), _resize_to((size[0], height), window)), mode))
    return np.concatenate(strips)


def _resize_to(size: Size, box: Box) -> Callable[[Image.Image], Image.Image]:
    return lambda band: resample(band, size, box)


def _each_band(light: Light, change: Callable[[Image.Image], Image.Image]) -> Light:
    bands = np.moveaxis(light, -1, 0)
    return np.stack([np.asarray(change(Image.fromarray(np.ascontiguousarray(band)))) for band in bands], axis=-1)
