"""What rendering gives back: derivatives, what could not be made, and what is known of the source."""

from dataclasses import dataclass

from udfs.imaging.facts import SourceFacts
from udfs.imaging.preset import Preset
from udfs.imaging.signals import Signals


@dataclass(frozen=True, slots=True)
class Derivative:
    """One encoded image and all that its object and its status say about it; `sha256` (hex) is that of `data`.

    `frames` is 1 for a still.
    """

    preset: Preset
    width: int
    height: int
    format: str
    extension: str
    content_type: str
    frames: int
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
    signals: Signals
    derivatives: tuple[Derivative, ...]
    failures: tuple[RenderFailure, ...]
