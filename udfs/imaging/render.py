"""The way from a source to its derivatives: probe, decode once, then plan, shrink, develop and encode each preset.

Thread-safe: nothing is kept between calls.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from PIL.Image import Image

from udfs.imaging.cascade import Cascade
from udfs.imaging.decode import Decoded, decode
from udfs.imaging.encode import Encoded, encode
from udfs.imaging.errors import RenderFailed
from udfs.imaging.facts import SourceFacts, source_facts
from udfs.imaging.limits import DEFAULT_LIMITS, Limits
from udfs.imaging.plan import Plan
from udfs.imaging.planner import Planner, framing_of
from udfs.imaging.preset import Preset
from udfs.imaging.probe import probe
from udfs.imaging.steps import develop

__all__ = ["Derivative", "Limits", "RenderFailure", "Rendering", "SourceFacts", "render"]


@dataclass(frozen=True, slots=True)
class Derivative:
    """One encoded image and all that its object and its status say about it; `sha256` (hex) is that of `data`."""

    preset: Preset
    width: int
    height: int
    format: str
    extension: str
    content_type: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class RenderFailure:
    """Why one preset could not be made."""

    preset: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything made from one source; every preset asked for is in `derivatives` or in `failures`."""

    source: SourceFacts
    derivatives: tuple[Derivative, ...]
    failures: tuple[RenderFailure, ...]


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
    decoded = decode(probed, lambda displayed: [framing_of(preset, displayed) for preset in presets])
    planner = Planner(decoded, focal_point)
    plans = [planner.plan(preset) for preset in presets]
    developed = _developed(decoded, plans)
    derivatives: list[Derivative] = []
    failures: list[RenderFailure] = []
    for preset, plan in zip(presets, plans, strict=True):
        try:
            derivatives.append(_derivative(preset, encode(developed[plan], preset, decoded.profile)))
        except RenderFailed as error:
            failures.append(RenderFailure(preset.name, error.reason, str(error)))
    return Rendering(source_facts(source, probed, decoded), tuple(derivatives), tuple(failures))


def _developed(decoded: Decoded, plans: Sequence[Plan]) -> dict[Plan, Image]:
    """Develop each different plan, the largest first, so that smaller ones may start from its copy."""
    cascade = Cascade(decoded.image)
    largest_first = sorted(dict.fromkeys(plans), key=lambda plan: plan.size[0] * plan.size[1], reverse=True)
    return {plan: develop(cascade.shrunk(plan), plan) for plan in largest_first}


def _derivative(preset: Preset, encoded: Encoded) -> Derivative:
    return Derivative(
        preset=preset,
        width=encoded.width,
        height=encoded.height,
        format=encoded.format,
        extension=encoded.extension,
        content_type=encoded.content_type,
        data=encoded.data,
        sha256=hashlib.sha256(encoded.data).hexdigest(),
    )
