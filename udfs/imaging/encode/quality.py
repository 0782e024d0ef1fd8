"""The setting of the encoder: as the preset names it, or found by what it asks for.

A budget wins over a likeness: the quality that reaches `target_ssim`, or the one the preset names, is the most that
`max_bytes` may use. A search ends at quality 95: above it bytes double for differences that no one sees; where 95 does
not reach the likeness it is 95 all the same.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from udfs.imaging.encode.codecs import Codec
from udfs.imaging.encode.search import Encode, highest_within, lowest_alike
from udfs.imaging.errors import ByteBudgetTooSmall
from udfs.imaging.preset import Preset

SEARCHED_TO: Final = 95


def fitting(format_: str, codec: Codec, preset: Preset, encode: Encode, likeness: Callable[[int], float]) -> bytes:
    """Encode at the right step; `likeness` tells how like the original a step is, 1 being the same.

    Raises ByteBudgetTooSmall.
    """
    encode, steps = cache(encode), _steps(format_, codec, preset)
    if codec.lossy and preset.target_ssim is not None:
        steps = range(1, 1 + lowest_alike(steps, likeness, preset.target_ssim))
    if preset.max_bytes is None:
        return encode(steps[-1])
    step = highest_within(steps, encode, preset.max_bytes)
    if step is None:
        msg = (
            f"preset {preset.name}: the smallest {format_} has {len(encode(steps[0]))} bytes, max_bytes is "
            f"{preset.max_bytes}; raise max_bytes or ask for fewer pixels"
        )
        raise ByteBudgetTooSmall(msg)
    return encode(step)


def _steps(format_: str, codec: Codec, preset: Preset) -> range:
    """Return the steps up to the best one that is allowed."""
    if not codec.lossy:
        return codec.steps
    quality = preset.quality_for(format_)
    if quality is None:
        searched = preset.target_ssim is not None or preset.max_bytes is not None
        quality = SEARCHED_TO if searched else codec.default
    return range(1, 1 + quality)
