"""PNG as one of Pillow's files, with its transparent colour in the samples that Pillow hands out."""

import io
from typing import Final

from PIL.PngImagePlugin import PngImageFile

DEPTH_AT: Final = 24  # bits per sample. Source: PNG, third edition, 11.2.1


def open_png(file: io.BytesIO) -> PngImageFile:
    """Open a PNG; no pixel is decoded.

    Pillow makes grey of 2 and 4 bits and colours of 16 bits into samples of 8 bits, and leaves the transparent colour
    as it is in the file. Of a colour of 16 bits only the upper halves are left to compare; grey of 16 bits keeps all.
    """
    image, depth = PngImageFile(file), file.getvalue()[DEPTH_AT]
    key = image.info.get("transparency")
    if image.mode == "L" and depth in (2, 4) and isinstance(key, int):
        image.info["transparency"] = key % 2**depth * (255 // (2**depth - 1))
    elif image.mode == "RGB" and depth == 16 and isinstance(key, tuple):
        image.info["transparency"] = tuple(sample >> 8 for sample in key)
    return image
