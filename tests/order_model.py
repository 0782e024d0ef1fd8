"""The order rules in the fewest words, independent of the job's code: what each event ends in, and what is stored."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.keys import image_prefix, parse_derivative_key
from schemas.records import EventKind, ImageEvent, Outcome
from udfs.ledger import Memory


@dataclass(slots=True)
class Mark:
    """The newest version of one image in the model."""

    version: int
    deleted: bool
    ends: int


class Model:
    """The order rules in the fewest words: outcomes by event, objects by image."""

    def __init__(self, memory: Memory, presets: tuple[str, ...]) -> None:
        self.memory = memory
        self.presets = presets
        self.seen: dict[tuple[str, str], int] = {}
        self.marks: dict[tuple[str, str], Mark] = {}
        self.outcomes: list[tuple[str, str, Outcome]] = []
        self.objects: dict[tuple[str, str], set[tuple[int, str]]] = {}

    def take(self, event: ImageEvent, now: int) -> None:
        identity, image = (event.user_id, event.event_id), (event.user_id, event.image_id)
        if self.seen.get(identity, 0) > now:
            return
        self.seen[identity] = now + self.memory.event_ms
        mark = self.marks.get(image)
        if mark is not None and mark.ends <= now:
            mark = None
        deletion = event.kind is EventKind.DELETED
        if mark is not None and not self._is_next(event, mark, deletion):
            mark.ends = now + self.memory.image_ms
            self.outcomes.append((*identity, Outcome.SUPERSEDED))
            return
        self.marks[image] = Mark(event.version, deletion, now + self.memory.image_ms)
        if deletion:
            self.objects.pop(image, None)
        else:
            kept = {one for one in self.objects.get(image, set()) if one[0] == event.version}
            self.objects[image] = kept | {(event.version, name) for name in event.presets or self.presets}
        self.outcomes.append((*identity, Outcome.DELETED if deletion else Outcome.READY))

    def stored(self) -> list[tuple[str, int, str]]:
        """Every object there must be: the image's prefix, version and preset."""
        images = self.objects.items()
        return sorted((image_prefix(*image), version, name) for image, kept in images for version, name in kept)

    @staticmethod
    def _is_next(event: ImageEvent, mark: Mark, deletion: bool) -> bool:
        if event.version != mark.version:
            return event.version > mark.version
        return deletion if mark.deleted else event.kind is not EventKind.UPLOADED


def objects_of(keys: Iterable[str]) -> list[tuple[str, int, str]]:
    """The same of every key of a store."""
    return sorted(_parts(key) for key in keys)


def _parts(key: str) -> tuple[str, int, str]:
    parsed = parse_derivative_key(key)
    return f"{key.rsplit('/', 2)[0]}/", parsed.version, parsed.preset
