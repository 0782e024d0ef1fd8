"""JPEG XL as one of Pillow's files: opened without decoding, by pylibjxl, and decoded to 8 bits.

The codestream's own orientation is applied by libjxl. An animation is its first frame.
"""

from typing import Any, Final

import numpy as np
import pylibjxl
from PIL import Image
from PIL.ImageFile import ImageFile

from udfs.imaging.headers.jxl import codestream, jxl_exif

MODES: Final = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


class JxlImageFile(ImageFile):
    """Grey or RGB, with or without alpha, from 8 bits to 32 bits of floating point per sample, given as 8."""

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        source = self.fp.read() if self.fp else b""
        self._codestream = codestream(source)
        found = pylibjxl.probe(self._codestream)
        self._size = (found["width"], found["height"])
        self._mode = MODES[found["channels"]]
        if exif := jxl_exif(source):
            self.info["exif"] = exif
        self.tile = []
        self._decoded = False

    def load(self) -> Any:
        """Decode into memory of the size that the header announced, and read the colour profile."""
        if not self._decoded:
            self._decode()
        return super().load()

    def _decode(self) -> None:
        width, height = self._size
        bands = len(self._mode)
        samples = np.empty((height, width, bands) if bands > 1 else (height, width), np.uint8)
        _, metadata = pylibjxl.decode(self._codestream, metadata=True, out=samples)
        if profile := metadata.get("icc"):
            self.info["icc_profile"] = profile
        self._im = Image.fromarray(samples).im
        self._decoded = True
        self._codestream = b""
