"""Decodes a probed source once, small enough for what will be made from it, into a mode that can be resized."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL.ExifTags import Base
from PIL.Image import Image
from PIL.JpegImagePlugin import JpegImageFile

from udfs.imaging.color import profile_name, profile_of
from udfs.imaging.geometry import DISPLAYED_TO_STORED, Framing, Size, decoder_scale, displayed
from udfs.imaging.matrix_profile import cicp_profile
from udfs.imaging.probe import Probe, decoder_errors
from udfs.imaging.working_mode import has_alpha, working_mode

Frame = Callable[[Size], Sequence[Framing]]

# Their decoders turn the picture themselves; in JPEG XL by an orientation of its own, of which EXIF's is only a copy.
TURNED_BY_DECODER: Final = frozenset({"TIFF", "HEIF", "JXL"})

# Loading applies a TIFF's orientation and drops it; asking a PNG for it loads all pixels.
EXIF_COMES_FIRST: Final = frozenset({"JPEG", "TIFF"})

# Primaries and transfer of a PNG's cICP chunk, or of the nclx box of AVIF and HEIC, as Pillow does not hand them out.
# Source: PNG, third edition, 11.3.2.6; ISO/IEC 14496-12, 12.1.5. Both stand near the beginning.
CODE_POINTS: Final = re.compile(rb"(?:\0\0\0\x04cICP|colrnclx\0)(.)\0?(.)", re.DOTALL)
CODED_FORMATS: Final = frozenset({"png", "avif", "heic"})
HEAD_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Decoded:
    """The one decoded copy of a source, as stored: `orientation` (EXIF, 1 to 8) is not applied yet.

    `stored` is the size of the source in that orientation; the copy is `scale` times smaller (1, 2, 4 or 8).
    `profile` is the ICC profile to convert the samples from, None where they are sRGB; `color_profile` is what the
    embedded one is called. `exif_orientation` is what the file says, also where its decoder has turned the picture.
    """

    image: Image
    stored: Size
    orientation: int
    scale: int
    has_alpha: bool
    profile: bytes | None
    color_profile: str | None = None
    exif_orientation: int = 1

    @property
    def kept_profile(self) -> bytes | None:
        """The profile that may go with a derivative: that of RGB pixels only, as every viewer can show those."""
        return self.profile if self.image.mode in ("RGB", "RGBa") else None

    @property
    def displayed(self) -> Size:
        """The size of the source as a viewer shows it."""
        return displayed(self.stored, self.orientation)


def decode(probed: Probe, frame: Frame) -> Decoded:
    """Decode the first frame; `frame` maps the displayed size to every framing that will be asked for.

    Raises CorruptImage, also for truncated data, TooManyPixels, and UnsupportedFormat for pixels without a white point.
    """
    image = probed.image
    coded, stored = _coded_profile(probed), Size(*image.size)
    exif_orientation = _exif_orientation(image) if image.format in EXIF_COMES_FIRST else 0
    # Not among the decoder's errors: what the caller's function raises says nothing about the source.
    scale = decoder_scale(frame(displayed(stored, exif_orientation))) if isinstance(image, JpegImageFile) else 1
    with decoder_errors(probed.format):
        _load(probed, scale)
        exif_orientation = exif_orientation or _exif_orientation(image)
        stored = stored if scale > 1 else Size(*image.size)  # a TIFF has its sides swapped by now
        orientation, transparent, info = read_orientation(image), has_alpha(image), _readable(image.info)
        working = working_mode(image)
    working.info = {}  # encoders would copy comments and colour keys from here
    profile = profile_of(info, working.mode, coded)
    name = profile_name(info.get("icc_profile") or coded)
    return Decoded(working, stored, orientation, scale, transparent, profile, name, exif_orientation)


def read_orientation(image: Image) -> int:
    """Return what is left to do of EXIF's 1 to 8; 1 where there is nothing, or nothing that can be read."""
    return 1 if image.format in TURNED_BY_DECODER else _exif_orientation(image)


def _exif_orientation(image: Image) -> int:
    try:
        value = image.info.get("original_orientation") or image.getexif().get(Base.Orientation, 1)
        return int(value) if value in DISPLAYED_TO_STORED else 1
    except Exception:  # damaged metadata are no reason to refuse a picture
        return 1


def _coded_profile(probed: Probe) -> bytes | None:
    head = probed.source[:HEAD_BYTES] if probed.format in CODED_FORMATS else b""
    found = CODE_POINTS.search(head)
    return cicp_profile(found[1][0], found[2][0]) if found else None


def _load(probed: Probe, scale: int) -> None:
    image = probed.image
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))
    image.load()


def _readable(info: Mapping[Any, Any]) -> dict[Any, Any]:
    """Leave out a profile that is none: a TIFF's tag for it may hold numbers."""
    return {key: value for key, value in info.items() if key != "icc_profile" or isinstance(value, bytes)}
