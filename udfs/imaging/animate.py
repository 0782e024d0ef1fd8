"""Takes every frame of an animation through the plan of its first one, each when the encoder comes to it."""

from collections.abc import Iterator

from PIL.Image import Image

from udfs.imaging.encode import Animation, Shown
from udfs.imaging.errors import AnimationTooLarge, ImagingError
from udfs.imaging.frames import frames
from udfs.imaging.limits import Limits
from udfs.imaging.plan import Plan
from udfs.imaging.probe import Probe
from udfs.imaging.shrink import shrink
from udfs.imaging.steps import develop


class StepFailed(Exception):
    """A fault of our own while an animation is played: of a class that is not taken for a refusal of the encoder."""


def animation_of(probed: Probe, plan: Plan, size: tuple[int, int], preset: str, limits: Limits) -> Animation:
    """Return the animation of a source in the size of its developed first frame; nothing is decoded yet.

    Raises AnimationTooLarge; playing it raises CorruptImage when a frame is damaged or missing, and
    StepFailed when a step has a fault.
    """
    check_animation(size, probed.frames, preset, limits)
    return Animation(lambda: _played(probed, plan), size, probed.frames, probed.loop or 0)


def check_animation(size: tuple[int, int], count: int, preset: str, limits: Limits) -> None:
    """Raise AnimationTooLarge for too many frames, or too many pixels in all of them together."""
    width, height = size
    if count > limits.max_animation_frames:
        msg = (
            f"preset {preset}: {count} frames, an animation that is kept may have {limits.max_animation_frames}; "
            "upload a shorter one, or set `animation: first`"
        )
        raise AnimationTooLarge(msg)
    if width * height * count > limits.max_animation_pixels:
        msg = (
            f"preset {preset}: {count} frames of {width}x{height} px are {width * height * count} pixels, the limit is "
            f"{limits.max_animation_pixels}; ask for fewer pixels, or set `animation: first`"
        )
        raise AnimationTooLarge(msg)


def _played(probed: Probe, plan: Plan) -> Iterator[Shown]:
    for image, duration_ms in frames(probed):
        yield Shown(_developed(image, plan), duration_ms)


def _developed(image: Image, plan: Plan) -> Image:
    try:
        return develop(shrink(image, plan), plan)
    except (ImagingError, MemoryError):
        raise
    except Exception as error:
        msg = f"a step failed on a frame: {type(error).__name__}: {error}"
        raise StepFailed(msg) from error
