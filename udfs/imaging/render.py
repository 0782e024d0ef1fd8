"""The way from a source to its derivatives: probe, decode once, then plan, shrink, develop and encode each preset.

Thread-safe: nothing is kept between calls.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL.Image import Image

from udfs.imaging.animate import animation_of
from udfs.imaging.cascade import Cascade
from udfs.imaging.decode import Decoded, decode
from udfs.imaging.encode import ANIMATED, Encoded, Options, encode, encode_animation, target_of
from udfs.imaging.errors import RenderFailed
from udfs.imaging.facts import SourceFacts, source_facts
from udfs.imaging.limits import DEFAULT_LIMITS, Limits
from udfs.imaging.metadata import Embedded, carried, embedded_in, read_metadata
from udfs.imaging.plan import Plan
from udfs.imaging.planner import Planner, framing_of
from udfs.imaging.preset import Preset
from udfs.imaging.probe import Probe, probe
from udfs.imaging.rendering import Derivative, RenderFailure, Rendering
from udfs.imaging.signals import measure
from udfs.imaging.steps import develop

__all__ = ["Derivative", "Limits", "RenderFailure", "Rendering", "SourceFacts", "render"]

# What the signals are measured on: oriented and converted like a derivative of this size at least, and never encoded.
MEASURED: Final = Preset(name="signals", width=256, height=256, format="png")


@dataclass(frozen=True, slots=True)
class _Source:
    """What every derivative of one source is made from."""

    probed: Probe
    decoded: Decoded
    embedded: Embedded
    limits: Limits


def render(
    source: bytes,
    presets: Sequence[Preset],
    limits: Limits = DEFAULT_LIMITS,
    focal_point: tuple[float, float] | None = None,
) -> Rendering:
    """Make every preset from one decode; `focal_point` is (x, y) in shares of the displayed picture, 0 to 1.

    The same source, presets (in any order) and library versions give the same bytes. One preset alone may differ in its
    last bits from the same preset in a larger set, because a JPEG is decoded only as large as the whole set needs.

    Raises SourceRejected when nothing can be made; what one preset cannot do is a RenderFailure.
    """
    probed = probe(source, limits)
    info = probed.image.info  # decoding takes it off the image, so that no encoder copies from it
    asked = (*presets, MEASURED)
    decoded = decode(probed, lambda displayed: [framing_of(preset, displayed) for preset in asked])
    planner = Planner(decoded, focal_point)
    *plans, measured = [planner.plan(preset) for preset in asked]
    embedded = embedded_in(probed.image, info)
    developed = _developed(decoded, plans, limits)
    made = [
        _made(_Source(probed, decoded, embedded, limits), preset, plan, developed[plan])
        for preset, plan in zip(presets, plans, strict=True)
    ]
    return Rendering(
        source=source_facts(source, probed, decoded, read_metadata(embedded)),
        signals=measure(_glance(decoded.image, measured)),
        derivatives=tuple(one for one in made if isinstance(one, Derivative)),
        failures=tuple(one for one in made if isinstance(one, RenderFailure)),
    )


def _developed(decoded: Decoded, plans: Sequence[Plan], limits: Limits) -> dict[Plan, Image | RenderFailed]:
    """Develop each different plan, the largest first, so that smaller ones may start from its copy."""
    cascade = Cascade(decoded.image)
    return {plan: _develop(cascade, plan, limits) for plan in sorted(set(plans), key=_size, reverse=True)}


def _develop(cascade: Cascade, plan: Plan, limits: Limits) -> Image | RenderFailed:
    try:
        _check_size(plan, limits)
        return develop(cascade.shrunk(plan), plan)
    except RenderFailed as error:
        return error


def _check_size(plan: Plan, limits: Limits) -> None:
    width, height = plan.canvas.size if plan.canvas else plan.size
    if width * height > limits.max_derivative_pixels:
        msg = (
            f"{width}x{height} px are {width * height} pixels, a derivative may have {limits.max_derivative_pixels}; "
            "bound both sides in the preset"
        )
        raise RenderFailed(msg)


def _glance(decoded: Image, plan: Plan) -> Image:
    """Return the whole picture for the signals; averages of whole blocks cost a tenth of Lanczos, and serve them."""
    return develop(decoded.reduce(max(1, max(decoded.size) // max(plan.size))), plan)


def _pixels(developed: Image | RenderFailed) -> Image:
    if isinstance(developed, RenderFailed):
        raise developed
    return developed


def _size(plan: Plan) -> tuple[Any, ...]:
    """Order plans by their pixels; those that differ in nothing that shrinking looks at are equal."""
    width, height = plan.size
    return width * height, plan.size, plan.box, plan.linear_light, plan.profile or b"", plan.region or ()


def _made(source: _Source, preset: Preset, plan: Plan, developed: Image | RenderFailed) -> Derivative | RenderFailure:
    try:
        return _derivative(preset, _encoded(source, preset, plan, _pixels(developed)))
    except RenderFailed as error:
        return RenderFailure(preset.name, error.reason, str(error))


def _encoded(source: _Source, preset: Preset, plan: Plan, image: Image) -> Encoded:
    probed = source.probed
    kept = source.decoded.kept_profile if preset.color_profile == "keep" and image.mode in ("RGB", "RGBA") else None
    options = Options(preset, carried(source.embedded, preset.metadata, kept))
    animated = preset.animation == "keep" and probed.animated
    target = target_of(preset, image, probed.format, animated)
    if not animated or target.format not in ANIMATED:
        return encode(image, target, options)
    animation = animation_of(probed, plan, image.size, preset.name, source.limits)
    return encode_animation(image, animation, target, options)


def _derivative(preset: Preset, encoded: Encoded) -> Derivative:
    return Derivative(
        preset=preset,
        width=encoded.width,
        height=encoded.height,
        format=encoded.format,
        extension=encoded.extension,
        content_type=encoded.content_type,
        frames=encoded.frames,
        data=encoded.data,
        sha256=hashlib.sha256(encoded.data).hexdigest(),
    )
