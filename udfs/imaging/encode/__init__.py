"""Turns developed pixels into the bytes of a derivative; the same pixels, preset and metadata give the same bytes.

CPU and size of a megapixel (`python bench/encoders.py`, Pillow 13.0.0, 2026-11-21; * where a preset names no effort):

    jpeg 80              4 ms  181 kB      avif 60 effort 0, 1*   86 ms   110 kB      png effort 0   101 ms  1756 kB
    jpeg 80 progressive 19 ms  174 kB      avif 60 effort 2      356 ms   100 kB      png effort 2   130 ms  1711 kB
    webp 80 effort 0    32 ms  162 kB      avif 60 effort 4      549 ms    99 kB      png effort 4*  316 ms  1600 kB
    webp 80 effort 2*   47 ms  138 kB      avif 60 effort 6     1051 ms    96 kB      png effort 6   645 ms  1589 kB
    webp 80 effort 4   105 ms  134 kB
    webp 80 effort 6   248 ms  128 kB
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Final

from PIL.Image import Image

from udfs.imaging.encode.codecs import CODECS
from udfs.imaging.encode.encoded import Animation, Encoded, Options, Shown
from udfs.imaging.encode.likeness import likeness_to
from udfs.imaging.encode.quality import fitting
from udfs.imaging.encode.search import Encode
from udfs.imaging.encode.target import ANIMATED, Target, target_of
from udfs.imaging.errors import RenderFailed, SourceRejected

__all__ = ["ANIMATED", "Animation", "Encoded", "Options", "Shown", "Target", "encode", "encode_animation", "target_of"]


# What Pillow's encoders raise for pixels, sides or metadata they cannot hold.
REFUSALS: Final = (OSError, ValueError, RuntimeError, OverflowError, EOFError)


def encode(image: Image, target: Target, options: Options) -> Encoded:
    """Encode L, LA, RGB or RGBA pixels.

    Raises RenderFailed when a side is longer than the format can say or the encoder refuses, and ByteBudgetTooSmall.
    """
    codec = CODECS[target.format]
    with _refusals(image, target, options):
        if target.lossless:
            exact = codec.still(image, codec.default, replace(options, lossless=True))
            if options.preset.max_bytes is None or len(exact) <= options.preset.max_bytes:
                return Encoded(exact, *image.size, target.format)
        still = cache(lambda step: codec.still(image, step, options))
        return Encoded(_fitting(image, target, options, still, still), *image.size, target.format)


def encode_animation(first: Image, animation: Animation, target: Target, options: Options) -> Encoded:
    """Encode all frames, one in memory at a time; `first` is the first of them, on which a likeness is measured.

    Raises what `encode` does, and RenderFailed when a frame is damaged; what else playing raises passes through.
    """
    codec = CODECS[target.format]
    write = codec.animation or _no_animation
    with _refusals(first, target, options):
        still = cache(lambda step: codec.still(first, step, options))
        data = _fitting(first, target, options, still, lambda step: write(animation, step, options))
        frames = codec.count(data) if codec.count else animation.frames
        return Encoded(data, *animation.size, target.format, frames)


def _fitting(image: Image, target: Target, options: Options, still: Encode, encode_at: Encode) -> bytes:
    preset, codec = options.preset, CODECS[target.format]

    def likeness(step: int) -> float:
        return likeness_of(still(step))

    if codec.lossy and preset.target_ssim is not None:
        likeness_of = likeness_to(image, target.format, preset.background_rgba)
    return fitting(target.format, codec, preset, encode_at, likeness)


def _no_animation(animation: Animation, step: int, options: Options) -> bytes:
    msg = f"{options.preset.format} holds one picture"
    raise ValueError(msg)


@contextmanager
def _refusals(image: Image, target: Target, options: Options) -> Iterator[None]:
    """Check the sides, and translate what an encoder, or a frame that could not be decoded, raises."""
    name, longest = options.preset.name, CODECS[target.format].max_side_px
    if max(image.size) > longest:
        msg = (
            f"preset {name}: {image.width}x{image.height} px, {target.format} ends at {longest} px; "
            "bound both sides in the preset"
        )
        raise RenderFailed(msg)
    try:
        yield
    except SourceRejected as error:
        msg = f"preset {name}: a frame after the first: {error}"
        raise RenderFailed(msg) from error
    except REFUSALS as error:
        msg = f"preset {name}: {target.format} cannot hold {image.width}x{image.height} px {image.mode}: {error}"
        raise RenderFailed(msg) from error
