"""What is known of a source once its header was read and its pixels were decoded."""

import hashlib
from dataclasses import dataclass

from udfs.imaging.decode import Decoded
from udfs.imaging.probe import Probe


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known of a source.

    `width` and `height` are pixels as a viewer shows them, after EXIF orientation. `frames` counts frames or pages.
    `has_alpha` tells whether there is an alpha channel or a transparent colour, used or not. `sha256` is in hex.
    """

    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    frames: int
    has_alpha: bool


def source_facts(source: bytes, probed: Probe, decoded: Decoded) -> SourceFacts:
    """Put together what reading and decoding found."""
    return SourceFacts(
        format=probed.format,
        width=decoded.displayed.width,
        height=decoded.displayed.height,
        bytes=len(source),
        sha256=hashlib.sha256(source).hexdigest(),
        frames=probed.frames,
        has_alpha=decoded.has_alpha,
    )
