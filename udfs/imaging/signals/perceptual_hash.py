"""pHash: 64 bits that change little when a picture is resized or encoded again.

Source: `imagehash.phash` of ImageHash 4.3.2 (hash_size 8, highfreq_factor 4), after
hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html.
"""

from typing import Final

import numpy as np
from PIL.Image import Image, Resampling

from udfs.imaging.signals.cosines import cosines

SIDE_PX: Final = 32
TERMS: Final = 8
# Whole numbers are summed without error, so that what is zero on paper is zero: 255 x 32 x 32 x 2^40 is below 2^63.
BASIS: Final = np.rint(cosines(TERMS, SIDE_PX, 0.5) * 2**20).astype(np.int64)


def perceptual_hash(luma: Image) -> str:
    """Return 16 hex digits for a picture of mode L; compare two by the number of bits in which they differ."""
    pixels = np.asarray(luma.resize((SIDE_PX, SIDE_PX), Resampling.LANCZOS), np.int64)
    waves = BASIS @ pixels @ BASIS.T
    bits = np.packbits(waves > np.median(waves))
    return bits.tobytes().hex()
