"""The cosine transform that the three hashes share, for pictures as small as they ask for.

Sums run in one fixed order and without BLAS: a hash must not depend on the threads or the kernels of a linear algebra
library.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


@lru_cache(maxsize=256)  # a few shapes of pictures ask for the same few again and again
def cosines(terms: int, samples: int, offset: float) -> Samples:
    """Return cos(pi * term * (sample + offset) / samples), shape (terms, samples); offset 1/2 gives the DCT-II."""
    angles = np.outer(np.arange(terms), np.arange(samples) + offset)
    found: Samples = np.cos(np.pi / samples * angles)
    found.flags.writeable = False
    return found


def transform(planes: Samples, down: Samples, across: Samples) -> Samples:
    """Return the sums of planes (height, width, channels) under both bases, shape (down, across, channels)."""
    rows = np.einsum("yh,hwc->ywc", down, planes)
    return np.asarray(np.einsum("xw,ywc->yxc", across, rows))
