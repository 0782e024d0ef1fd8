"""How light or dark a picture is, and how much of it has lost its detail at either end."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL.Image import Image

from udfs.imaging.signals.paper import VISIBLE_FROM_ALPHA

# Source: 2 % of the range at either end; an encoder at usual quality leaves clipped areas within it.
CLIPPED_DARK: Final = 5
CLIPPED_BRIGHT: Final = 250


@dataclass(frozen=True, slots=True)
class Exposure:
    """Shares are of the visible pixels, 0 to 1; `mean` is the mean luma (ITU-R BT.601, gamma-encoded), 0 to 1."""

    mean: float
    shadows: float
    highlights: float


def exposure(luma: Image, alpha: Image | None) -> Exposure:
    """Measure the visible pixels of L, which lies on white; where none is visible, the white paper is measured."""
    counts = np.array(luma.histogram(_visible(alpha)))
    if not counts.any():
        return Exposure(mean=1.0, shadows=0.0, highlights=1.0)
    total = int(counts.sum())
    return Exposure(
        mean=int(counts @ np.arange(256)) / (255 * total),
        shadows=int(counts[: CLIPPED_DARK + 1].sum()) / total,
        highlights=int(counts[CLIPPED_BRIGHT:].sum()) / total,
    )


def _visible(alpha: Image | None) -> Image | None:
    return None if alpha is None else alpha.point(lambda sample: 255 * (sample >= VISIBLE_FROM_ALPHA))
