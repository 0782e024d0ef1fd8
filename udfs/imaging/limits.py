"""How much a source may ask of the machine; every limit is checked on the header, before a pixel is decoded."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
MEGAPIXEL = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds, inclusive.

    `max_pixels` bounds the one frame that is decoded (4 bytes per pixel in memory); `max_pixels_all_frames` bounds
    width x height x frames, what a player of the animation would have to decode. `max_derivative_pixels` bounds what is
    made of it: enlarging a narrow strip would otherwise know no end. `max_animation_frames` and
    `max_animation_pixels` (width x height x frames of the derivative) bound an animation that a preset keeps.
    `max_metadata_bytes` counts texts, profiles and the like, packed and unpacked together. `max_decompression_ratio` is
    bytes in memory per byte of the source, and looked at above 64 MiB in memory only. Its default lies above what any
    PNG can hold: deflate packs 1032 to 1 (zlib's technical details), and 8 pixels of a palette to a byte make 8256.
    """

    max_source_bytes: int = 64 * MEBIBYTE
    max_pixels: int = 100 * MEGAPIXEL
    max_pixels_all_frames: int = 1_000 * MEGAPIXEL
    max_side_px: int = 65_535
    max_frames: int = 5_000
    max_aspect_ratio: int = 10_000
    max_metadata_bytes: int = 16 * MEBIBYTE
    max_decompression_ratio: int = 10_000
    max_derivative_pixels: int = 100 * MEGAPIXEL
    max_animation_frames: int = 1_000
    max_animation_pixels: int = 100 * MEGAPIXEL


DEFAULT_LIMITS = Limits()
