"""What has to become of each event, told from the promise alone (README, docs/events-and-statuses.md).

It shares nothing with the job but the schemas: no ledger, no imaging, no store. It is told the records of a user in the
order in which they lie in their partition, and what the load knows of the sources.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from schemas.reasons import Reason
from schemas.records import EventKind, ImageEvent, Outcome, Source
from tests.chaos.journal import EVENT, GOOD, Acknowledged, Line, Put, Sent

PRESETS_FILE = Path(__file__).with_name("presets.yaml")

End = tuple[Outcome, Reason | None]

READY: End = (Outcome.READY, None)
DELETED: End = (Outcome.DELETED, None)


def rejected(reason: Reason) -> End:
    """Return the end of an event that is at fault."""
    return Outcome.REJECTED, reason


@dataclass(frozen=True, slots=True)
class Presets:
    """What may be asked for: the recipes by name, as the file has them, and the sets."""

    recipes: Mapping[str, Mapping[str, Any]]
    sets: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path = PRESETS_FILE) -> "Presets":
        """Read a presets file that has nothing but plain presets and sets."""
        file = YAML(typ="safe").load(path.read_text("utf-8"))
        recipes = {recipe["name"]: recipe for recipe in file["presets"]}
        return cls(recipes, {name: tuple(names) for name, names in file["sets"].items()})

    def asked(self, names: tuple[str, ...] | None) -> frozenset[str] | None:
        """Return the presets that an event asks for; None when there is one that does not exist."""
        wanted: set[str] = set()
        for name in ("default",) if names is None else names:
            if name not in self.sets and name not in self.recipes:
                return None
            wanted.update(self.sets.get(name, (name,)))
        return frozenset(wanted)


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to become of one event: `number` is its place among the user's, `ends` are those that are right."""

    event: ImageEvent
    number: int
    ends: frozenset[End]
    presets: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


@dataclass(slots=True)
class Knowledge:
    """What the journal tells of sources and records; a place is the number of a line."""

    puts: dict[tuple[str, str], list[tuple[int, Put]]] = field(default_factory=lambda: defaultdict(list))
    sent: dict[str, tuple[int, str]] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Knowledge":
        """Gather the lines of a journal."""
        known = cls()
        for place, line in enumerate(lines):
            match line:
                case Put():
                    known.puts[line.bucket, line.key].append((place, line))
                case Sent():
                    known.sent.setdefault(line.sha256, (place, line.expects))
                case Acknowledged():
                    known.acknowledged[line.sha256] += 1
        return known

    def expects(self, sha256: str) -> str | None:
        """Return EVENT or the reason of the dead letter; None for a record that the load did not publish."""
        return self.sent.get(sha256, (0, None))[1]

    def choices(self, source: Source, sent_at: int) -> list[Put | None]:
        """Return what may lie under a source's key when the job looks: None is nothing."""
        history = self.puts.get((source.bucket, source.key), [])
        before = [put for place, put in history if place < sent_at]
        return [before[-1] if before else None, *(put for place, put in history if place >= sent_at)]


@dataclass(slots=True)
class _Image:
    version: int
    deleted: bool


class Model:
    """Follows every user's events; `see` must be given the records of one user in their order."""

    def __init__(self, presets: Presets, known: Knowledge, images_bucket: str) -> None:
        self._presets = presets
        self._known = known
        self._bucket = images_bucket
        self._ids: dict[str, set[str]] = defaultdict(set)
        self._images: dict[tuple[str, str], _Image] = {}

    def see(self, event: ImageEvent, sha256: str) -> Expected | None:
        """Return what has to become of an event; None if its id was seen before, so that nothing may."""
        ids = self._ids[event.user_id]
        if event.event_id in ids:
            return None
        ids.add(event.event_id)
        name = (event.user_id, event.image_id)
        too_late = self._too_late(event, self._images.get(name))
        if too_late is not None:
            return Expected(event, len(ids), frozenset({(Outcome.SUPERSEDED, too_late)}))
        self._images[name] = _Image(event.version, event.kind is EventKind.DELETED)
        if event.source is None:
            return Expected(event, len(ids), frozenset({DELETED}))
        return self._developed(event, event.source, len(ids), sha256)

    def _too_late(self, event: ImageEvent, image: _Image | None) -> Reason | None:
        """An event below the image's version comes too late; at the same version only a repetition does not."""
        if image is None or event.version > image.version:
            return None
        repeats = EventKind.DELETED if image.deleted else EventKind.REDERIVE
        if event.version == image.version and event.kind in (repeats, EventKind.DELETED):
            return None
        return Reason.IMAGE_DELETED if image.deleted else Reason.NEWER_VERSION_KNOWN

    def _developed(self, event: ImageEvent, source: Source, number: int, sha256: str) -> Expected:
        asked = self._presets.asked(event.presets)
        if asked is None:
            return Expected(event, number, frozenset({rejected(Reason.UNKNOWN_PRESET)}))
        if source.bucket != self._bucket:
            return Expected(event, number, frozenset({rejected(Reason.SOURCE_BUCKET_NOT_ALLOWED)}))
        choices = self._known.choices(source, self._known.sent.get(sha256, (0, EVENT))[0])
        ends = frozenset(_end(source, choice) for choice in choices)
        usable = frozenset(choice.sha256 for choice in choices if choice and _end(source, choice) == READY)
        return Expected(event, number, ends, asked, usable)


def _end(source: Source, found: Put | None) -> End:
    if found is None:
        return rejected(Reason.SOURCE_MISSING)
    if source.etag is not None and source.etag != found.etag:
        return rejected(Reason.SOURCE_CHANGED)
    return READY if found.content == GOOD else rejected(Reason(found.content))
