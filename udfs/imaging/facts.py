"""What is known of a source once its header was read and its pixels were decoded; never where it was taken."""

import hashlib
from dataclasses import dataclass

from udfs.imaging.decode import Decoded
from udfs.imaging.metadata import Metadata
from udfs.imaging.probe import Probe


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of a source.

    `width` and `height` are pixels as a viewer shows them, after EXIF orientation (1 to 8, as the file says).
    `frames` counts frames or pages. `has_alpha` tells whether there is an alpha channel or a transparent colour, used
    or not. `sha256` is in hex. `color_profile` is what the embedded profile is called. `captured_at` is ISO 8601, with
    an offset from UTC where the camera wrote one.
    """

    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    frames: int
    has_alpha: bool
    orientation: int
    color_profile: str | None
    captured_at: str | None
    camera_make: str | None
    camera_model: str | None


def source_facts(source: bytes, probed: Probe, decoded: Decoded, metadata: Metadata) -> SourceFacts:
    """Put together what reading and decoding found."""
    return SourceFacts(
        format=probed.format,
        width=decoded.displayed.width,
        height=decoded.displayed.height,
        bytes=len(source),
        sha256=hashlib.sha256(source).hexdigest(),
        frames=probed.frames,
        has_alpha=decoded.has_alpha,
        orientation=decoded.exif_orientation,
        color_profile=decoded.color_profile,
        captured_at=metadata.captured_at,
        camera_make=metadata.camera_make,
        camera_model=metadata.camera_model,
    )
