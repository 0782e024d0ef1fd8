"""What the job and every peer have in common here: they make derivatives of sources that lie in one bucket."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from equivalence import Made

from udfs.imaging.preset import Preset


@dataclass(frozen=True, slots=True)
class Place:
    """Where sources lie for everyone to read, and where what is stored goes."""

    endpoint: str  # URL of the store
    region: str
    images: str  # bucket
    stored: str  # bucket of what a script stores; the job has one of its own


@dataclass(frozen=True, slots=True)
class Developed:
    """How many sources were developed, and how many a second in the part of the turn that counts."""

    sources: int
    per_second: float


class Peer(Protocol):
    """One way to make derivatives."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    def develop(self, keys: Sequence[str], presets: Sequence[Preset]) -> Developed:
        """Make every derivative of every source; a source may come more than once."""

    def made(self, keys: Sequence[str], presets: Sequence[Preset]) -> Made:
        """Make every derivative of every source and return their bytes."""
