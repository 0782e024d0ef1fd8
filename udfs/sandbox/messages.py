"""What worker and child tell each other: a frame is two lengths, a JSON header and bytes; nothing of it is pickled.

Whoever reads a frame bounds it first, because a child that a picture has taken over may write anything.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from udfs.imaging.facts import SourceFacts
from udfs.imaging.limits import Limits
from udfs.imaging.presets import Presets
from udfs.imaging.rendering import RenderFailure, Rendering
from udfs.imaging.signals import Signals

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]

LENGTHS: Final = struct.Struct("!IQ")
PACKET_BYTES: Final = 4096  # the longest question or answer of the fork server is a sentence
NOT_CONFINED: Final = 70  # status of a child that this machine does not let give up its rights; no picture is to blame
MAX_BODIES_BYTES: Final = 512 * 1024 * 1024  # of one answer, which the worker has to hold
MAX_HEADER_BYTES: Final = 256 * 1024  # what a status says of an event has to fit into a record of the broker


@dataclass(frozen=True, slots=True)
class Setup:
    """What every child gets from the fork server; `renderer` is written module:function."""

    presets: Presets
    limits: Limits
    memory_bytes: int
    renderer: str


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Request(_Message):
    """One picture to render, which follows as the frame's bytes; presets by name, as the child knows them."""

    presets: tuple[str, ...]
    focal_point: tuple[float, float] | None


class Made(_Message):
    """One derivative; its bytes follow those of the one before it."""

    preset: str
    width: Count
    height: Count
    format: str
    frames: Count
    bytes: Annotated[int, Field(ge=0)]


class Rendered(_Message):
    """Everything made of the picture."""

    kind: Literal["rendered"] = "rendered"
    source: SourceFacts
    signals: Signals
    derivatives: tuple[Made, ...]
    failures: tuple[RenderFailure, ...]

    @classmethod
    def of(cls, rendering: Rendering) -> Self:
        """Return what is said of a rendering beside its bytes."""
        return cls(
            source=rendering.source,
            signals=rendering.signals,
            failures=rendering.failures,
            derivatives=tuple(
                Made(
                    preset=one.preset.name,
                    width=one.width,
                    height=one.height,
                    format=one.format,
                    frames=one.frames,
                    bytes=len(one.data),
                )
                for one in rendering.derivatives
            ),
        )


class Rejected(_Message):
    """Nothing can be made of the picture."""

    kind: Literal["rejected"] = "rejected"
    reason: str
    message: str


class OutOfMemory(_Message):
    """An allocation was refused."""

    kind: Literal["out-of-memory"] = "out-of-memory"


class Broken(_Message):
    """The renderer raised what it never should."""

    kind: Literal["broken"] = "broken"
    error: str
    traceback: str


Reply = Annotated[Rendered | Rejected | OutOfMemory | Broken, Field(discriminator="kind")]
REPLY: Final[TypeAdapter[Reply]] = TypeAdapter(Reply)


def frame(header: BaseModel, body_bytes: int) -> bytes:
    """Return the beginning of a frame; its `body_bytes` bytes follow."""
    text = header.model_dump_json().encode()
    return LENGTHS.pack(len(text), body_bytes) + text


def read_frame(read: Callable[[int], bytearray], max_body_bytes: int) -> tuple[bytes, bytearray]:
    """Return header and bytes of the next frame; `read` returns exactly as many bytes as it is asked for.

    Raises:
        ValueError: the frame is larger than allowed.
    """
    header_bytes, body_bytes = LENGTHS.unpack(read(LENGTHS.size))
    if header_bytes > MAX_HEADER_BYTES or body_bytes > max_body_bytes:
        message = f"a frame of {header_bytes} and {body_bytes} bytes"
        raise ValueError(message)
    return bytes(read(header_bytes)), read(body_bytes)
