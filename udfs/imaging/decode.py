"""Decodes a probed source once, small enough for what will be made from it, into a mode that can be resized."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PIL.ExifTags import Base
from PIL.Image import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from udfs.imaging.geometry import DISPLAYED_TO_STORED, Framing, Size, decoder_scale, displayed
from udfs.imaging.probe import Probe, decoder_errors
from udfs.imaging.working_mode import has_alpha, working_mode

Frame = Callable[[Size], Sequence[Framing]]

MAX_PROFILE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Decoded:
    """The one decoded copy of a source, as stored: `orientation` (EXIF, 1 to 8) is not applied yet.

    `stored` is the size of the source in that orientation; the copy is `scale` times smaller (1, 2, 4 or 8).
    `profile` is the embedded ICC profile that describes the image's samples, or None: then they are sRGB.
    """

    image: Image
    stored: Size
    orientation: int
    scale: int
    has_alpha: bool
    profile: bytes | None

    @property
    def displayed(self) -> Size:
        """The size of the source as a viewer shows it."""
        return displayed(self.stored, self.orientation)


def decode(probed: Probe, frame: Frame) -> Decoded:
    """Decode the first frame; `frame` maps the displayed size to every framing that will be asked for.

    Raises CorruptImage, also for truncated data, TooManyPixels, and UnsupportedFormat for pixels without a white point.
    """
    image = probed.image
    stored = Size(*image.size)
    scale = 1
    if isinstance(image, JpegImageFile):
        scale = decoder_scale(frame(displayed(stored, read_orientation(image))))
    with decoder_errors(probed.format):
        if isinstance(image, JpegImageFile):
            _decode_at(image, scale)
        image.load()
        orientation = read_orientation(image)
        transparent, profile = has_alpha(image), _rgb_profile(image.info.get("icc_profile"))
        working = working_mode(image)
    working.info = {}  # encoders would copy comments and colour keys from here
    return Decoded(working, stored, orientation, scale, transparent, profile)


def read_orientation(image: Image) -> int:
    """Return EXIF's 1 to 8; 1 where there is none, or none that can be read. Pillow has already turned a TIFF."""
    if isinstance(image, TiffImageFile):
        return 1
    try:
        value = image.getexif().get(Base.Orientation, 1)
        return int(value) if value in DISPLAYED_TO_STORED else 1
    except Exception:  # damaged metadata are no reason to refuse a picture
        return 1


def _decode_at(image: JpegImageFile, scale: int) -> None:
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))


def _rgb_profile(profile: bytes | None) -> bytes | None:
    """Keep a profile of sane size whose colour space is RGB. Source: ICC.1:2022, header bytes 16 to 19."""
    if not profile or len(profile) > MAX_PROFILE_BYTES or profile[16:20] != b"RGB ":
        return None
    return profile
