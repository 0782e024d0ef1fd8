"""Holds a child's answer against what was asked, before anything of it is stored or told.

A picture that has taken over its child can still choose what the derivatives show that this child makes until it ends.
It cannot choose their types, names or checksums.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from udfs.errors import MemoryBudgetError, RendererBrokenError
from udfs.imaging.encode import Encoded
from udfs.imaging.encode.codecs import CODECS
from udfs.imaging.errors import RenderFailed, SourceRejected
from udfs.imaging.presets import Preset
from udfs.imaging.rendering import Derivative, Rendering
from udfs.sandbox.messages import Broken, Made, OutOfMemory, Rejected, Rendered, Reply

log = logging.getLogger(__name__)


REJECTIONS: Final[dict[str, type[SourceRejected]]] = {leaf.reason: leaf for leaf in SourceRejected.__subclasses__()}
FAILURES: Final = {RenderFailed.reason, *(leaf.reason for leaf in RenderFailed.__subclasses__())}


def believed(reply: Reply, bodies: bytearray, asked: Sequence[Preset]) -> Rendering | SourceRejected:
    """Return what the child made of the picture, or why nothing can be made of it.

    Raises:
        MemoryBudgetError: an allocation was refused.
        RendererBrokenError: the renderer raised what it never should.
        ValueError: no renderer answers like this.
    """
    match reply:
        case Rendered():
            return _rendering(reply, bodies, asked)
        case Rejected():
            return _rejection(reply)
        case OutOfMemory():
            message = "an allocation was refused while rendering"
            raise MemoryBudgetError(message)
        case Broken():
            log.error("the renderer raised %r: %r", reply.error, reply.traceback)
            message = f"{reply.error[:80]!r} in the renderer"
            raise RendererBrokenError(message)


def _rejection(reply: Rejected) -> SourceRejected:
    if reply.reason not in REJECTIONS:
        message = f"the reason {reply.reason[:80]!r}"
        raise ValueError(message)
    return REJECTIONS[reply.reason](reply.message)


def _rendering(reply: Rendered, bodies: bytearray, asked: Sequence[Preset]) -> Rendering:
    by_name = {preset.name: preset for preset in asked}
    told = sorted([one.preset for one in reply.derivatives] + [one.preset for one in reply.failures])
    if told != sorted(by_name) or not FAILURES.issuperset(one.reason for one in reply.failures):
        message = "other presets, or other reasons, than there are"
        raise ValueError(message)
    if sum(one.bytes for one in reply.derivatives) != len(bodies):
        message = "derivatives that are not of the size announced"
        raise ValueError(message)
    if not all(_fits(getattr(reply.source, field.name)) for field in fields(reply.source)):
        message = "numbers that no status holds"
        raise ValueError(message)
    derivatives, at, view = [], 0, memoryview(bodies)
    for one in reply.derivatives:
        derivatives.append(_derivative(one, bytes(view[at : at + one.bytes]), by_name[one.preset]))
        at += one.bytes
    return Rendering(reply.source, reply.signals, tuple(derivatives), reply.failures)


def _fits(found: object) -> bool:
    """Whether it is no whole number, or one that Avro's int holds."""
    return not isinstance(found, int) or abs(found) < 2**31


def _derivative(made: Made, data: bytes, preset: Preset) -> Derivative:
    if made.format not in CODECS:
        message = f"the format {made.format[:80]!r}"
        raise ValueError(message)
    encoded = Encoded(data, made.width, made.height, made.format, made.frames)
    return Derivative(
        preset=preset,
        width=made.width,
        height=made.height,
        format=made.format,
        extension=encoded.extension,
        content_type=encoded.content_type,
        frames=made.frames,
        data=data,
        sha256=hashlib.sha256(data).hexdigest(),
    )
