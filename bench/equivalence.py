"""Whether all make the same: size, format, and likeness to a reference that none of them had a part in.

The reference is the luma of the fully decoded source, cropped and resampled with Lanczos' filter of three lobes in
double precision, without a shortcut; likeness is SSIM. Decoding alone is shared: by libjpeg-turbo, as everywhere.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.metrics import structural_similarity

from udfs.imaging.preset import Preset

Floats = npt.NDArray[np.float64]
Made = Mapping[tuple[str, str], bytes]  # by key of the source and name of the preset

TOLERANCE = 0.01  # of SSIM: who is further below the best does worse work
LOBES = 3


@dataclass(frozen=True, slots=True)
class Likeness:
    """What one peer made by one preset of all samples: means, and what is wrong with it."""

    peer: str
    preset: str
    ssim: float
    kilobytes: float
    problem: str | None


def compare(sources: Mapping[str, bytes], presets: Iterable[Preset], made: Mapping[str, Made]) -> list[Likeness]:
    """Return a likeness for each preset and peer; `made` has the derivatives of every source by peer."""
    return [one for preset in presets for one in _compare(sources, preset, made)]


def _compare(sources: Mapping[str, bytes], preset: Preset, made: Mapping[str, Made]) -> list[Likeness]:
    found: dict[str, list[Likeness]] = defaultdict(list)
    for key, source in sources.items():
        wanted = reference(source, preset)
        for peer, derivatives in made.items():
            found[peer].append(_likeness(peer, preset, derivatives[key, preset.name], wanted))
    means = [_mean(likenesses) for likenesses in found.values()]
    best = max(one.ssim for one in means)
    return [_judged(one, best) for one in means]


def _likeness(peer: str, preset: Preset, data: bytes, wanted: Floats) -> Likeness:
    with Image.open(io.BytesIO(data)) as image:
        format_, size, luma = str(image.format).lower(), image.size, np.asarray(image.convert("L"), np.float64)
    problem, ssim = None, 0.0
    if format_ != preset.format:
        problem = f"{format_} instead of {preset.format}"
    elif luma.shape != wanted.shape:
        problem = f"{size[0]}x{size[1]} px instead of {wanted.shape[1]}x{wanted.shape[0]}"
    else:
        ssim = float(structural_similarity(wanted, luma, gaussian_weights=True, sigma=1.5, data_range=255))
    return Likeness(peer, preset.name, ssim, len(data) / 1000, problem)


def _mean(all_: Sequence[Likeness]) -> Likeness:
    problem = next((one.problem for one in all_ if one.problem), None)
    ssim, kilobytes = fmean(one.ssim for one in all_), fmean(one.kilobytes for one in all_)
    return Likeness(all_[0].peer, all_[0].preset, ssim, kilobytes, problem)


def _judged(one: Likeness, best: float) -> Likeness:
    if one.problem or one.ssim >= best - TOLERANCE:
        return one
    return replace(one, problem=f"SSIM {one.ssim:.3f}, the best has {best:.3f}")


def reference(source: bytes, preset: Preset) -> Floats:
    """Return the luma, 0 to 255, that a derivative of this source should have; never enlarged."""
    with Image.open(io.BytesIO(source)) as image:
        luma = np.asarray(image.convert("L"), np.float64)
    height, width = luma.shape
    box = (preset.width or width, preset.height or height)
    if preset.geometry == "cover":
        luma, size = _centre(luma, min(width / box[0], height / box[1]), box), box
    else:
        scale = max(width / box[0], height / box[1])
        size = (round(width / scale), round(height / scale))
    down, across = _lanczos(luma.shape[0], size[1]), _lanczos(luma.shape[1], size[0])
    return np.clip(down @ luma @ across.T, 0, 255)


def _centre(luma: Floats, scale: float, box: tuple[int, int]) -> Floats:
    height, width = round(box[1] * scale), round(box[0] * scale)
    top, left = (luma.shape[0] - height) // 2, (luma.shape[1] - width) // 2
    return luma[top : top + height, left : left + width]


@cache
def _lanczos(length: int, target: int) -> Floats:
    """Return the matrix that shrinks so many samples to so many."""
    scale = length / target
    centres = (np.arange(target) + 0.5) * scale - 0.5
    distances = (np.arange(length) - centres[:, None]) / scale
    weights = np.where(np.abs(distances) < LOBES, np.sinc(distances) * np.sinc(distances / LOBES), 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
