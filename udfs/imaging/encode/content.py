"""What kind of picture it is, as far as the choice of a format asks."""

from typing import Final

import numpy as np
from PIL.Image import Image

MAX_SAMPLED_ROWS: Final = 128


def evenness(image: Image) -> float:
    """Return the share of pixels, 0 to 1, that equal their neighbours to the right and below: low for photographs."""
    samples = np.asarray(image).reshape(image.height, image.width, -1)
    if min(image.size) < 2:
        return 1.0
    step = image.height // MAX_SAMPLED_ROWS | 1  # odd: enlarged pictures have even and uneven rows
    rows, below = samples[:-1:step], samples[1::step]
    corner = rows[:, :-1]
    return float(np.mean(np.all((corner == rows[:, 1:]) & (corner == below[:, :-1]), axis=2)))


def transparent(image: Image) -> bool:
    """Tell whether a pixel is not fully opaque."""
    if image.mode not in ("LA", "RGBA"):
        return False
    least, _ = image.getchannel("A").getextrema()
    return bool(least != 255)
