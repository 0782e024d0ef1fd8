"""The way from a source to its derivatives: probe, decode once, then plan, develop and encode each preset.

Thread-safe: nothing is kept between calls.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from PIL.Image import Image

from udfs.imaging.decode import Decoded, decode
from udfs.imaging.encode import encode
from udfs.imaging.errors import RenderFailed
from udfs.imaging.geometry import Framing, Size, cover, fit, to_stored
from udfs.imaging.limits import DEFAULT_LIMITS, Limits
from udfs.imaging.plan import Plan
from udfs.imaging.preset import Preset
from udfs.imaging.probe import Probe, probe
from udfs.imaging.steps import develop

__all__ = ["Derivative", "Limits", "RenderFailure", "Rendering", "SourceFacts", "render"]


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


@dataclass(frozen=True, slots=True)
class Derivative:
    """One encoded image and all that its object and its status say about it; `sha256` (hex) is that of `data`."""

    preset: str
    preset_version: int
    recipe_fingerprint: str
    extension: str
    content_type: str
    cache_control: str | None
    width: int
    height: int
    format: str
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


def render(source: bytes, presets: Sequence[Preset], limits: Limits = DEFAULT_LIMITS) -> Rendering:
    """Make every preset from one decode of the first frame.

    The same source, presets (in any order) and library versions give the same bytes. One preset alone may differ in its
    last bits from the same preset in a larger set, because a JPEG is decoded only as large as the whole set needs.

    Raises SourceRejected when nothing can be made; what one preset cannot do is a RenderFailure.
    """
    probed = probe(source, limits)
    decoded = decode(probed, partial(_framings, presets))
    developed: dict[Plan, Image] = {}
    derivatives: list[Derivative] = []
    failures: list[RenderFailure] = []
    for preset in presets:
        plan = _plan(preset, decoded)
        if plan not in developed:
            developed[plan] = develop(decoded.image, plan)
        try:
            data = encode(developed[plan], preset, decoded.rgb_profile)
        except RenderFailed as error:
            failures.append(RenderFailure(preset.name, error.reason, str(error)))
        else:
            derivatives.append(_derivative(preset, developed[plan].size, data))
    return Rendering(_facts(source, probed, decoded), tuple(derivatives), tuple(failures))


def _framings(presets: Sequence[Preset], displayed: Size) -> list[Framing]:
    return [_framing(preset, displayed) for preset in presets]


def _framing(preset: Preset, displayed: Size) -> Framing:
    if preset.geometry == "cover":
        return cover(displayed, preset.width or displayed.width, preset.height or displayed.height)
    return fit(displayed, preset.width, preset.height)


def _plan(preset: Preset, decoded: Decoded) -> Plan:
    framing = to_stored(_framing(preset, decoded.displayed), decoded.stored, decoded.orientation)
    left, upper, right, lower = (edge / decoded.scale for edge in framing.crop)
    return Plan(
        box=(left, upper, right, lower),
        size=framing.size,
        orientation=decoded.orientation,
        flatten=decoded.has_alpha and preset.format == "jpeg",
    )


def _derivative(preset: Preset, size: tuple[int, int], data: bytes) -> Derivative:
    return Derivative(
        preset=preset.name,
        preset_version=preset.version,
        recipe_fingerprint=preset.recipe_fingerprint,
        extension=preset.extension,
        content_type=preset.content_type,
        cache_control=preset.cache_control,
        width=size[0],
        height=size[1],
        format=preset.format,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
    )


def _facts(source: bytes, probed: Probe, decoded: Decoded) -> SourceFacts:
    return SourceFacts(
        format=probed.format,
        width=decoded.displayed.width,
        height=decoded.displayed.height,
        bytes=len(source),
        sha256=hashlib.sha256(source).hexdigest(),
        frames=probed.frames,
        has_alpha=decoded.has_alpha,
    )
