"""How much a source may ask of the machine; every limit is checked on the header, before a pixel is decoded."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
MEGAPIXEL = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds, inclusive.

    `max_pixels` bounds the one frame that is decoded (4 bytes per pixel in memory); `max_pixels_all_frames` bounds
    width x height x frames, what a player of the animation would have to decode.
    """

    max_source_bytes: int = 64 * MEBIBYTE
    max_pixels: int = 100 * MEGAPIXEL
    max_pixels_all_frames: int = 1_000 * MEGAPIXEL
    max_side_px: int = 65_535
    max_frames: int = 5_000


DEFAULT_LIMITS = Limits()
