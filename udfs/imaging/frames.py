"""The frames of an animation, one at a time: no more than two of them are in memory, however many there are."""

import io
from collections.abc import Iterator
from typing import NamedTuple

from PIL.Image import Image

from udfs.imaging.apng import apng_parts, composed
from udfs.imaging.errors import CorruptImage
from udfs.imaging.formats import FORMATS
from udfs.imaging.probe import Probe, decoder_errors
from udfs.imaging.working_mode import working_mode


class Frame(NamedTuple):
    """One frame as it is shown: composed with those before it, in a working mode, with premultiplied alpha.

    A delay of 0 or nearly 0 stays what the source says; browsers show such a frame for 100 ms.
    """

    image: Image
    duration_ms: int


def frames(probed: Probe) -> Iterator[Frame]:
    """Decode frame by frame, from the first at each call; a source that is no animation has one, shown for 0 ms.

    All frames have the size of the first; `probed.image` is not touched.

    Raises CorruptImage, at the frame that is damaged, or UnsupportedFormat for pixels without a white point.
    """
    with decoder_errors(probed.format):
        size = FORMATS[probed.format].open(io.BytesIO(probed.source)).size
    pictures = _apng(probed, size) if probed.format == "png" and probed.animated else _pillow(probed)
    for count in range(probed.frames if probed.animated else 1):
        with decoder_errors(probed.format):
            shown = next(pictures, None)
            if shown is None:
                msg = f"source: {count} of {probed.frames} frames can be decoded; upload the whole, undamaged file"
                raise CorruptImage(msg)
            frame = Frame(_worked(shown[0], size), shown[1])
        yield frame


def _pillow(probed: Probe) -> Iterator[tuple[Image, int]]:
    reader = FORMATS[probed.format].open(io.BytesIO(probed.source))
    for index in range(probed.frames if probed.animated else 1):
        if index:
            reader.seek(index)
        reader.load()
        yield reader, int(reader.info.get("duration", 0)) if probed.animated else 0


def _apng(probed: Probe, size: tuple[int, int]) -> Iterator[tuple[Image, int]]:
    return composed(apng_parts(probed.source), size)


def _worked(image: Image, size: tuple[int, int]) -> Image:
    """Return a picture that the next frame does not change; a GIF's canvas may have grown meanwhile."""
    worked = working_mode(image)
    worked = worked.copy() if worked is image else worked
    worked.info = {}
    return worked if worked.size == size else worked.crop((0, 0, *size))
