"""The order rules as a state machine: whatever is published, repeated, replayed, crashed or forgotten, the statuses and
the store end as a small model says.

Under test are admit's ledger, through its bytes, and the developer on the fake store with many images in flight. A
crash goes back to the last checkpoint and processes what came since again, by the clock of the first time: that a later
clock may judge otherwise is told in LIMITS.md. The store keeps what was written.
"""

import asyncio
import io
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from PIL import Image

from darkroom.replay_events import replay_of
from schemas.records import EventKind, ImageEvent, ImageStatus, Outcome, Source
from tests.builders import SOURCES, an_event, develop_settings
from tests.fakes import Call, FakeStore
from tests.order_model import Model, objects_of
from udfs.developer import Developer
from udfs.imaging import render as imaging
from udfs.ledger import LedgerCodec, Memory, Verdict

USERS, IMAGES, VERSIONS = ("anna", "bella"), ("cat", "dog"), 4
PRESET_SETS = (None, ("thumb",), ("wide",), ("thumb", "wide"))
MEMORY = Memory(event_ms=1_000, image_ms=5_000, max_events=1_000, max_images=1_000)
RENDERED: dict[tuple[bytes, tuple[str, ...]], imaging.Rendering] = {}
LIMIT_S = 30

pytestmark = pytest.mark.timeout(600)


def picture(version: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (version * 60, 0, 0)).save(file, "PNG")
    return file.getvalue()


PICTURES = {(SOURCES, f"v{version}"): picture(version) for version in range(1, VERSIONS + 1)}


class Instant:
    """In the place of the sandbox: renders in this process, each picture once."""

    def __init__(self, *_: object) -> None: ...

    async def render(self, data: bytes, presets: Sequence[Any], focal_point: Any, *_: object) -> imaging.Rendering:
        key = data, tuple(preset.name for preset in presets)
        if key not in RENDERED:
            RENDERED[key] = imaging.render(data, presets, develop_settings().limits, focal_point)
        await asyncio.sleep(0)
        return RENDERED[key]

    def close(self) -> None: ...


class DyingStore(FakeStore):
    """A store whose user dies at its `calls_left`-th call: neither that call nor any later one is carried out."""

    def __init__(self) -> None:
        super().__init__(PICTURES)
        self.calls_left: int | None = None

    def _enter(self, call: Call) -> None:
        super()._enter(call)
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left <= 0:
                message = "the process died"
                raise RuntimeError(message)


class Ordering(RuleBasedStateMachine):
    """Publishes, processes, takes checkpoints and crashes."""

    published = Bundle("published")

    @initialize()
    def start(self) -> None:
        self.store = DyingStore()
        self.codec = LedgerCodec()
        self.now = 1_000_000
        self.log: list[ImageEvent] = []
        self.position = 0
        self.ledgers: dict[str, bytes] = {}
        self.history: list[tuple[ImageEvent, int]] = []
        self.statuses: list[ImageStatus | tuple[str, str, Outcome]] = []
        self.checkpoint_ = (0, dict(self.ledgers), 0, 0)
        self.numbers = 0
        self.furthest = 0
        self.first_processed: dict[int, int] = {}

    def _publish(self, event: ImageEvent) -> ImageEvent:
        self.log.append(event)
        return event

    def _event(self, user: str, image: str, version: int, kind: EventKind, presets: Any) -> ImageEvent:
        self.numbers += 1
        source = None if kind is EventKind.DELETED else Source(bucket=SOURCES, key=f"v{version}")
        return an_event(
            event_id=f"e{self.numbers}",
            user_id=user,
            image_id=image,
            version=version,
            kind=kind,
            source=source,
            presets=None if kind is EventKind.DELETED else presets,
        )

    @rule(
        target=published,
        user=st.sampled_from(USERS),
        image=st.sampled_from(IMAGES),
        version=st.integers(1, VERSIONS),
        kind=st.sampled_from(EventKind),
        presets=st.sampled_from(PRESET_SETS),
    )
    def publish(self, **chosen: Any) -> ImageEvent:
        return self._publish(self._event(**chosen))

    @rule(
        target=published,
        user=st.sampled_from(USERS),
        image=st.sampled_from(IMAGES),
        versions=st.lists(st.integers(1, VERSIONS), min_size=2, max_size=6),
    )
    def storm_of_replacements(self, user: str, image: str, versions: list[int]) -> Any:
        return multiple(*(self._publish(self._event(user, image, v, EventKind.UPLOADED, None)) for v in versions))

    @rule(retried=st.lists(published, min_size=1, max_size=4))
    def retries_of_another_producer(self, retried: list[ImageEvent]) -> None:
        for event in retried:
            self._publish(event)

    @rule(target=published, event=published)
    def replay(self, event: ImageEvent) -> ImageEvent:
        return self._publish(replay_of(event))

    @rule(passed=st.sampled_from([1, 999, 1_000, 4_999, 5_000]))
    def time_passes(self, passed: int) -> None:
        self.now += passed

    @rule(
        user=st.sampled_from(USERS),
        image=st.sampled_from(IMAGES),
        after=st.sampled_from([MEMORY.event_ms, MEMORY.image_ms]),
        early=st.booleans(),
    )
    def come_again_when_it_is_forgotten(self, user: str, image: str, after: int, early: bool) -> None:
        """The same event, and an older version, exactly when what is remembered ends, or just before."""
        newest = self._publish(self._event(user, image, VERSIONS, EventKind.UPLOADED, None))
        self._process(len(self.log))
        self.now += after - early
        self._publish(newest)
        self._publish(self._event(user, image, 1, EventKind.UPLOADED, None))
        self._process(len(self.log))

    @rule()
    def forget_what_ended(self) -> None:
        for user, data in self.ledgers.items():
            ledger = self.codec.decode(data)
            ledger.forget(self.first_processed.get(self.position, self.now))
            self.ledgers[user] = self.codec.encode(ledger)

    @rule(count=st.integers(1, 8))
    def process(self, count: int) -> None:
        self._process(count)

    @rule()
    def checkpoint(self) -> None:
        """Nothing is in flight: a checkpoint waits for that."""
        self.checkpoint_ = (self.position, dict(self.ledgers), len(self.history), len(self.statuses))

    @rule()
    def crash_between_events(self) -> None:
        self._restore()

    @rule(count=st.integers(1, 8), call=st.integers(1, 20))
    def crash_while_developing(self, count: int, call: int) -> None:
        self.store.calls_left = call
        self._process(count)
        self.store.calls_left = None
        self._restore()

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self._process(len(self.log))
            self.nothing_but_the_model()

    @invariant()
    def nothing_but_the_model(self) -> None:
        """Holds whenever everything that was undone by a crash has been done again."""
        if len(self.history) < self.furthest:
            return
        model = Model(MEMORY, ("thumb", "wide"))
        for event, now in self.history:
            model.take(event, now)
        told = [one if isinstance(one, tuple) else (one.user_id, one.event_id, one.outcome) for one in self.statuses]
        assert sorted(told) == sorted(model.outcomes)
        stored = self.store.keys()
        assert objects_of(stored) == model.stored()

    def _restore(self) -> None:
        self.furthest = max(self.furthest, len(self.history))
        self.position, ledgers, events, statuses = self.checkpoint_
        self.ledgers = dict(ledgers)
        del self.history[events:], self.statuses[statuses:]

    def _process(self, count: int) -> None:
        batch = [
            (event, self.first_processed.setdefault(self.position + at, self.now))
            for at, event in enumerate(self.log[self.position : self.position + count])
        ]
        self.position += len(batch)
        admitted = [event for event, now in batch if self._admit(event, now)]
        self.history += batch
        self.furthest = max(self.furthest, len(self.history))
        with patch("udfs.developer.Sandbox", Instant):
            self.statuses += asyncio.run(self._develop(admitted))

    def _admit(self, event: ImageEvent, now: int) -> bool:
        ledger = self.codec.decode(self.ledgers.get(event.user_id))
        verdict = ledger.admit(event, now, MEMORY)
        if verdict is not Verdict.DUPLICATE:
            self.ledgers[event.user_id] = self.codec.encode(ledger)
        if verdict in (Verdict.NEWER_VERSION_KNOWN, Verdict.IMAGE_DELETED):
            self.statuses.append((event.user_id, event.event_id, Outcome.SUPERSEDED))
        return verdict is Verdict.ADMITTED

    async def _develop(self, events: list[ImageEvent]) -> list[ImageStatus]:
        developer = Developer(self.store, develop_settings())
        try:
            tasks = [asyncio.create_task(developer.develop(event)) for event in events]
            results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), LIMIT_S)
        finally:
            developer.close()
        return [result for result in results if isinstance(result, ImageStatus)]


Ordering.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestOrdering = Ordering.TestCase
