"""How much fine detail a picture has; a blurred copy has less.

Source: the variance of the Laplacian, J. L. Pech-Pacheco and others, "Diatom autofocusing in brightfield microscopy: a
comparative study", ICPR 2000.
"""

from typing import Final

import numpy as np
from PIL.Image import Image

from udfs.imaging.signals.paper import inside, shrunk

SIDE_PX: Final = 256


def sharpness(luma: Image) -> float:
    """Return the variance of the Laplacian of L shrunk to fit 256x256 px, in squared levels of 0 to 255.

    Pictures whose longer side has at least 256 px can be compared; smaller ones are measured as they are.
    """
    levels = np.asarray(shrunk(luma, inside(luma.size, SIDE_PX)), np.int32)
    edged = np.pad(levels, 1, mode="edge")
    laplacian = edged[:-2, 1:-1] + edged[2:, 1:-1] + edged[1:-1, :-2] + edged[1:-1, 2:] - 4 * levels
    # Repeated edges make the Laplacian sum to zero, so that its variance is the mean of its squares; the sum is exact.
    return float((laplacian * laplacian).sum(dtype=np.int64) / laplacian.size)
