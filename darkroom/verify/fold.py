"""Which objects an image must have after its statuses, one status after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.keys import MANIFEST
from schemas.records import Derivative, ImageStatus, Manifest, Outcome

STORING = (Outcome.READY, Outcome.PARTIAL)
CHANGING = (*STORING, Outcome.DELETED)


@dataclass(frozen=True, slots=True)
class Announced:
    """One object that a status says is stored; size in bytes."""

    preset: str
    version: int
    bucket: str
    key: str
    size: int
    sha256: str
    event_id: str


def fold(remembered: Mapping[str, Announced], status: ImageStatus) -> dict[str, Announced]:
    """Return what an image must have after one more status, by preset.

    READY and PARTIAL replace every object of another version and that of each preset they stored; DELETED leaves
    nothing; REJECTED, FAILED and SUPERSEDED change nothing.
    """
    if status.outcome is Outcome.DELETED:
        return {}
    if status.outcome not in STORING:
        return dict(remembered)
    kept = {preset: old for preset, old in remembered.items() if old.version == status.version}
    return kept | {new.preset: new for new in announced_by(status)}


def announced_by(status: ImageStatus) -> list[Announced]:
    """Return the objects that one status announces."""
    named: list[tuple[str, Derivative | Manifest]] = [(one.preset, one) for one in status.derivatives]
    if status.manifest is not None:
        named.append((MANIFEST, status.manifest))
    return [
        Announced(name, status.version, one.bucket, one.key, one.bytes, one.sha256, status.event_id)
        for name, one in named
    ]
