"""The formats that are read: how each is opened, and how its header is read before that.

Decoders are called by class, not by `Image.open`: the list is then complete, phone pictures with a second frame stay
plain JPEG, nothing is registered with Pillow, and Pillow's library-wide pixel limit stays as it is.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pi_heif import HeifImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from udfs.imaging.headers import Header
from udfs.imaging.headers.bmp import read_bmp
from udfs.imaging.headers.gif import read_gif
from udfs.imaging.headers.heif import read_avif, read_heif
from udfs.imaging.headers.jpeg import read_jpeg
from udfs.imaging.headers.jxl import read_jxl
from udfs.imaging.headers.png import read_png
from udfs.imaging.headers.tiff import read_tiff
from udfs.imaging.headers.webp import read_webp
from udfs.imaging.jxl_file import JxlImageFile
from udfs.imaging.limits import Limits
from udfs.imaging.png_file import open_png


@dataclass(frozen=True, slots=True)
class Format:
    """How a format is read; `open` reads a header and decodes nothing, `read_header` comes before it."""

    open: Callable[[io.BytesIO], ImageFile]
    read_header: Callable[[bytes, Limits], Header]


FORMATS: Final[dict[str, Format]] = {
    "jpeg": Format(JpegImageFile, read_jpeg),
    "png": Format(open_png, read_png),
    "webp": Format(WebPImageFile, read_webp),
    "gif": Format(GifImageFile, read_gif),
    "tiff": Format(TiffImageFile, read_tiff),
    "bmp": Format(BmpImageFile, read_bmp),
    "avif": Format(AvifImageFile, read_avif),
    "heic": Format(HeifImageFile, read_heif),
    "jxl": Format(JxlImageFile, read_jxl),
}
