"""Holds what was observed against the model: records, statuses and dead letters. Asks no Kafka."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from schemas.reasons import Reason
from schemas.records import Outcome
from tests.chaos.journal import EVENT
from tests.chaos.model import Expected, Knowledge, Model, Presets
from tests.chaos.observed import EventName, Observed, SeenStatus
from tests.chaos.verdict import Kind, Verdict

ImageName = tuple[str, str]  # user and image

CHANGES = frozenset({Outcome.READY, Outcome.PARTIAL, Outcome.DELETED})
UNORDERED = frozenset({Outcome.SUPERSEDED})
"""A superseded event changes nothing and need not wait for those that do, so its status may overtake theirs."""


class Judging:
    """One judgement; afterwards `settled` holds, by image, what its events ended in, in the order of the events."""

    def __init__(self, model: Model, known: Knowledge, presets: Presets, allowed: frozenset[Reason]) -> None:
        self._model = model
        self._known = known
        self._presets = presets
        self._allowed = allowed
        self._expected: dict[EventName, Expected] = {}
        self.verdict = Verdict()
        self.settled: dict[ImageName, list[tuple[Expected, SeenStatus]]] = {}
        self.unsettled: set[ImageName] = set()

    def judge(self, observed: Observed) -> None:
        """Judge everything but the stored objects."""
        verdict = self.verdict
        verdict.records, verdict.statuses = len(observed.records), len(observed.statuses)
        verdict.dead_letters = len(observed.letters)
        self._records(observed)
        verdict.events = len(self._expected)
        first = self._statuses(observed)
        self._lost(first)
        self._order(first.values())
        self._letters(observed)
        for text in observed.unreadable:
            verdict.add(Kind.WRONG_OUTCOME, text)

    def _records(self, observed: Observed) -> None:
        found: Counter[str] = Counter()
        for record in observed.records:
            found[record.sha256] += 1
            expects = self._known.expects(record.sha256)
            if expects is None:
                self.verdict.add(Kind.WRONG_OUTCOME, f"record {record.sha256} was published by nobody we know")
            elif (expects == EVENT) != (record.event is not None):
                self.verdict.add(Kind.WRONG_OUTCOME, f"record {record.sha256} should be {expects}; the load is wrong")
            if record.event is not None and (expected := self._model.see(record.event, record.sha256)) is not None:
                self._expected[record.event.user_id, record.event.event_id] = expected
        for sha256, count in self._known.acknowledged.items():
            for _ in range(count - found[sha256]):
                self.verdict.add(Kind.LOST, f"Kafka acknowledged record {sha256} and does not have it")

    def _statuses(self, observed: Observed) -> dict[EventName, SeenStatus]:
        """Return the first status of every event, in the order of the status topic."""
        first: dict[EventName, SeenStatus] = {}
        for status in observed.statuses:
            name = (status.user, status.event_id)
            if name in first:
                self.verdict.add(Kind.DUPLICATED, f"{_words(status)}: a second status, after {first[name].outcome}")
                continue
            first[name] = status
            self.verdict.outcomes[_end_words(status)] += 1
            if (expected := self._expected.get(name)) is None:
                self.verdict.add(Kind.WRONG_OUTCOME, f"{_words(status)}: a status of no event")
            else:
                for problem in self._problems(expected, status):
                    self.verdict.add(Kind.WRONG_OUTCOME, f"{_words(status)}: {problem}")
        return first

    def _problems(self, expected: Expected, status: SeenStatus) -> Iterator[str]:
        event = expected.event
        told = (status.kind, status.image, status.version, status.keyed_by)
        if told != (event.kind, event.image_id, event.version, event.user_id.encode()):
            yield f"the event is {event.kind} of {event.image_id} version {event.version}; the status tells {told}"
        end = (status.outcome, status.reason)
        if end not in expected.ends and status.reason not in self._allowed:
            right = " or ".join(" ".join(filter(None, one)) for one in sorted(expected.ends, key=str))
            yield f"ended {_end_words(status)}; right is {right}"
        elif status.outcome is Outcome.READY:
            yield from self._ready_problems(expected, status)
        if status.derivatives and status.outcome not in (Outcome.READY, Outcome.PARTIAL):
            yield "names derivatives"

    def _ready_problems(self, expected: Expected, status: SeenStatus) -> Iterator[str]:
        presets = [one.preset for one in status.derivatives]
        if sorted(presets) != sorted(expected.presets):
            yield f"made {presets}; asked were {sorted(expected.presets)}"
        if status.source_sha256 not in expected.sources:
            yield f"made of a source with SHA-256 {status.source_sha256}; stored was {sorted(expected.sources)}"
        for one in status.derivatives:
            user, image, version, _ = map(unquote, one.key.split("/"))
            if (user, image, version) != (status.user, status.image, str(status.version)):
                yield f"its derivative lies under {one.key}"
            if problem := self._size_problem(one.preset, one.width, one.height):
                yield f"{one.preset} is {problem}"

    def _size_problem(self, preset: str, width: int, height: int) -> str | None:
        recipe = self._presets.recipes.get(preset)
        if recipe is None:
            return None  # already told as one that was not asked for
        box = (recipe["width"], recipe["height"])
        covers = recipe.get("geometry") == "cover"
        right = (width, height) == box if covers else max(width, height) == box[0] and min(width, height) > 0
        return None if right else f"{width}x{height}; the preset says {'' if covers else 'within '}{box[0]}x{box[1]}"

    def _lost(self, first: dict[EventName, SeenStatus]) -> None:
        """Find events without a status, and sort those that have one by image and by the order of the events."""
        for name, expected in self._expected.items():
            image = (expected.event.user_id, expected.event.image_id)
            if name in first:
                self.settled.setdefault(image, []).append((expected, first[name]))
            else:
                self.unsettled.add(image)
                event = expected.event
                about = f"{event.kind} {event.event_id} of {event.user_id}/{event.image_id} version {event.version}"
                self.verdict.add(Kind.LOST, f"{about}: no status")

    def _order(self, statuses: Iterable[SeenStatus]) -> None:
        last: dict[ImageName, int] = defaultdict(int)
        newest: dict[ImageName, int] = {}
        partitions: dict[str, int] = {}
        for status in statuses:
            image = (status.user, status.image)
            if partitions.setdefault(status.user, status.partition) != status.partition:
                self.verdict.add(Kind.OUT_OF_ORDER, f"{_words(status)}: in another partition than the user's others")
            expected = self._expected.get((status.user, status.event_id))
            if expected is None or status.outcome in UNORDERED or status.reason is Reason.USER_BACKLOG_FULL:
                continue
            if expected.number < last[image]:
                self.verdict.add(Kind.OUT_OF_ORDER, f"{_words(status)}: after the status of a later event of the image")
            elif status.outcome in CHANGES and status.version < newest.get(image, status.version):
                self.verdict.add(Kind.OUT_OF_ORDER, f"{_words(status)}: version {newest[image]} took effect before")
            last[image] = max(last[image], expected.number)
            if status.outcome in CHANGES:
                newest[image] = max(newest.get(image, 0), status.version)

    def _letters(self, observed: Observed) -> None:
        wanted = Counter(record.sha256 for record in observed.records if record.event is None)
        given_up = {
            (status.user, status.event_id): status.reason
            for status in observed.statuses
            if status.outcome is Outcome.FAILED
        }
        undecodable: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        for letter in observed.letters:
            if letter.event_id is not None:
                failed[letter.event_id] += 1
            else:
                undecodable[letter.sha256] += 1
                if letter.reason != self._known.expects(letter.sha256):
                    right = self._known.expects(letter.sha256)
                    self._wrong_letter(f"of record {letter.sha256} says {letter.reason}; right is {right}")
        for sha256 in wanted | undecodable:
            if undecodable[sha256] != wanted[sha256]:
                self._wrong_letter(f"record {sha256} has {undecodable[sha256]} dead letters; right is {wanted[sha256]}")
        right_failed = Counter(event_id for _, event_id in given_up)
        for event_id in failed | right_failed:
            if failed[event_id] != right_failed[event_id]:
                told = f"event {event_id} has {failed[event_id]} dead letters; right is {right_failed[event_id]}"
                self._wrong_letter(told)

    def _wrong_letter(self, text: str) -> None:
        self.verdict.add(Kind.DEAD_LETTERS_WRONG, text)


def _words(status: SeenStatus) -> str:
    return f"{status.kind} {status.event_id} of {status.user}/{status.image} version {status.version}"


def _end_words(status: SeenStatus) -> str:
    return status.outcome if status.reason is None else f"{status.outcome} {status.reason}"
