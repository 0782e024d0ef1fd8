"""Opens a source as far as its header and holds it against the limits; no pixel is decoded here."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from PIL import Image
from PIL.ImageFile import ImageFile

from udfs.imaging.checks import check_aspect_ratio, check_bytes, check_frames, check_ratio, check_size
from udfs.imaging.errors import CorruptImage, ImagingError, TooManyPixels
from udfs.imaging.formats import FORMATS
from udfs.imaging.headers import Header
from udfs.imaging.limits import Limits
from udfs.imaging.signatures import find_format

# Bytes of a pixel as it is decoded; bilevel pictures count as they are packed, so that an empty page is no bomb.
PIXEL_BYTES: Final = {"1": 1 / 8, "L": 1, "P": 1, "LA": 2, "PA": 2, "I;16": 2, "I;16B": 2, "I;16L": 2}


@dataclass(frozen=True, slots=True)
class Probe:
    """An opened source within the limits; `image` has a header and no pixels yet.

    `frames` counts frames or pages. `loop` is how often a player runs through an animation, 0: for ever, None: it is
    none; the pages of a TIFF, the pictures of a burst and whatever else follows a first picture are no animation.
    """

    image: ImageFile
    format: str
    frames: int
    loop: int | None = None
    source: bytes = field(default=b"", repr=False)

    @property
    def animated(self) -> bool:
        """Whether there are frames to play."""
        return self.loop is not None


def probe(source: bytes, limits: Limits) -> Probe:
    """Find the format, read the header and check bytes, sides, pixels, frames, metadata and decompression.

    Raises SourceRejected, before any decoder works in proportion to the picture.
    """
    check_bytes(len(source), limits)
    name = find_format(source)
    with decoder_errors(name):
        header = FORMATS[name].read_header(source, limits)
        if header.size:
            check_size(*header.size, limits)
            check_frames(*header.size, header.frames, limits)
        image = FORMATS[name].open(io.BytesIO(source))
        _check(image, header, len(source), limits)
    return Probe(image, name, header.frames, header.loop, source)


def _check(image: ImageFile, header: Header, source_bytes: int, limits: Limits) -> None:
    check_size(*image.size, limits)
    check_aspect_ratio(*image.size, limits)
    check_frames(*image.size, header.frames, limits)
    pixels = max(image.width * image.height, header.stored_pixels or 0)
    check_ratio(int(pixels * PIXEL_BYTES.get(image.mode, 4)), source_bytes, limits)


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
