"""Holds what a header announces against the limits; each message says what, how much and what helps."""

from typing import Final

from udfs.imaging.errors import (
    CorruptImage,
    DecompressionBomb,
    ExtremeAspectRatio,
    MetadataTooLarge,
    SourceEmpty,
    SourceTooLarge,
    TooManyFrames,
    TooManyPixels,
)
from udfs.imaging.limits import MEBIBYTE, Limits

# Below this a picture is harmless however small its file is.
HARMLESS_BYTES: Final = 64 * MEBIBYTE

# The pixels of a 64 MiB file in chunks of 8 KiB, as libpng writes them, take 8192; stepping over these takes 0.2 s.
MAX_CHUNKS: Final = 200_000


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


def check_aspect_ratio(width: int, height: int, limits: Limits) -> None:
    """Raise ExtremeAspectRatio."""
    if max(width, height) > limits.max_aspect_ratio * min(width, height):
        msg = (
            f"source: {width}x{height} px, one side may be {limits.max_aspect_ratio} times the other; "
            "crop it or cut it into pieces"
        )
        raise ExtremeAspectRatio(msg)


def check_frames(width: int, height: int, frames: int, limits: Limits) -> None:
    """Raise TooManyFrames for too many frames, or too many pixels in all of them together."""
    if frames > limits.max_frames:
        msg = f"source: more than {limits.max_frames} frames; upload a shorter animation"
        raise TooManyFrames(msg)
    if width * height * frames > limits.max_pixels_all_frames:
        msg = (
            f"source: {frames} frames of {width}x{height} px are {width * height * frames} pixels, the limit is "
            f"{limits.max_pixels_all_frames}; upload a shorter or smaller animation"
        )
        raise TooManyFrames(msg)


def check_metadata(size_bytes: int, limits: Limits) -> None:
    """Raise MetadataTooLarge."""
    if size_bytes > limits.max_metadata_bytes:
        msg = (
            f"source: {size_bytes} bytes of metadata or more, the limit is {limits.max_metadata_bytes}; "
            "save it without metadata"
        )
        raise MetadataTooLarge(msg)


def check_chunks(count: int) -> None:
    """Raise MetadataTooLarge for a file that is cut into more chunks, segments or boxes than any program writes."""
    if count > MAX_CHUNKS:
        msg = f"source: it is cut into more than {MAX_CHUNKS} parts; save it again with an image editor"
        raise MetadataTooLarge(msg)


def check_ratio(decoded_bytes: int, source_bytes: int, limits: Limits) -> None:
    """Raise DecompressionBomb for a large picture from next to no bytes."""
    if decoded_bytes > max(HARMLESS_BYTES, limits.max_decompression_ratio * source_bytes):
        msg = (
            f"source: {source_bytes} bytes become {decoded_bytes} in memory, the limit is "
            f"{limits.max_decompression_ratio} times; upload a smaller picture"
        )
        raise DecompressionBomb(msg)
