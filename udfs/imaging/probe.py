"""Opens a source as far as its header and holds it against the limits; no pixel is decoded here.

Pillow's decoders are called by class, not by `Image.open`: the allow-list is then complete, phone pictures with a
second frame stay plain JPEG, and Pillow's library-wide pixel limit stays as it is.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from udfs.imaging.errors import CorruptImage, ImagingError, SourceEmpty, SourceTooLarge, TooManyPixels
from udfs.imaging.headers import gif_frames, webp_size
from udfs.imaging.limits import Limits
from udfs.imaging.signatures import find_format

DECODERS: Final[dict[str, Callable[[io.BytesIO], ImageFile]]] = {
    "jpeg": JpegImageFile,
    "png": PngImageFile,
    "webp": WebPImageFile,
    "gif": GifImageFile,
    "tiff": TiffImageFile,
    "bmp": BmpImageFile,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """An opened source within the limits; `image` has a header and no pixels yet."""

    image: ImageFile
    format: str
    frames: int


def probe(source: bytes, limits: Limits) -> Probe:
    """Find the format, read the header and check bytes, sides, pixels and frames.

    Raises SourceEmpty, SourceTooLarge, NotAnImage, UnsupportedFormat, CorruptImage or TooManyPixels.
    """
    check_bytes(len(source), limits)
    format_ = find_format(source)
    if format_ == "webp":
        check_size(*webp_size(source), limits)
    with decoder_errors(format_):
        image = DECODERS[format_](io.BytesIO(source))
        check_size(*image.size, limits)
        frames = count_frames(source, format_, image, limits)
    check_frames(*image.size, frames, limits)
    return Probe(image=image, format=format_, frames=frames)


@contextmanager
def decoder_errors(format_: str) -> Iterator[None]:
    """Translate whatever a decoder raises on hostile bytes; MemoryError is the machine's fault and passes through."""
    try:
        yield
    except (ImagingError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        msg = f"source: {error}"
        raise TooManyPixels(msg) from error
    except Exception as error:  # Pillow promises no closed set: SyntaxError, OSError, struct.error, KeyError, ...
        msg = f"source: the {format_} cannot be decoded ({error}); upload the whole, undamaged file"
        raise CorruptImage(msg) from error


def check_bytes(size_bytes: int, limits: Limits) -> None:
    """Raise SourceEmpty or SourceTooLarge."""
    if size_bytes == 0:
        msg = "source: it has 0 bytes; upload the file again"
        raise SourceEmpty(msg)
    if size_bytes > limits.max_source_bytes:
        msg = f"source: {size_bytes} bytes, the limit is {limits.max_source_bytes}; upload a smaller file"
        raise SourceTooLarge(msg)


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise CorruptImage for an empty picture, TooManyPixels for a side or an area beyond the limits."""
    if width < 1 or height < 1:
        msg = f"source: the header announces {width}x{height} px; upload an undamaged file"
        raise CorruptImage(msg)
    if max(width, height) > limits.max_side_px:
        msg = f"source: {width}x{height} px, the longest side may be {limits.max_side_px} px; upload a smaller picture"
        raise TooManyPixels(msg)
    if width * height > limits.max_pixels:
        msg = (
            f"source: {width}x{height} px are {width * height} pixels, the limit is {limits.max_pixels}; "
            "upload a smaller picture"
        )
        raise TooManyPixels(msg)


def check_frames(width: int, height: int, frames: int, limits: Limits) -> None:
    """Raise TooManyPixels for too many frames, or too many pixels in all of them together."""
    if frames > limits.max_frames:
        msg = f"source: more than {limits.max_frames} frames; upload a shorter animation"
        raise TooManyPixels(msg)
    if width * height * frames > limits.max_pixels_all_frames:
        msg = (
            f"source: {frames} frames of {width}x{height} px are {width * height * frames} pixels, the limit is "
            f"{limits.max_pixels_all_frames}; upload a shorter or smaller animation"
        )
        raise TooManyPixels(msg)


def count_frames(source: bytes, format_: str, image: ImageFile, limits: Limits) -> int:
    """Count frames or pages without decoding them; counting ends at one more than the limit."""
    if format_ == "gif":
        return gif_frames(source, limits.max_frames)
    if format_ == "tiff":
        return _tiff_pages(source, limits.max_frames)
    return int(getattr(image, "n_frames", 1))


def _tiff_pages(source: bytes, stop_after: int) -> int:
    pages = TiffImageFile(io.BytesIO(source))  # a reader of its own: seeking changes the one that will be decoded
    count = 1
    while count <= stop_after:
        try:
            pages.seek(count)
        except EOFError:
            break
        count += 1
    return count
