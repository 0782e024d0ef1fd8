"""A source that comes late, or that is another one when it is read: fetched alone, on the fake store."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.records import ImageEvent, Source, Stage
from tests.builders import SOURCES, an_event
from tests.fakes import FakeStore
from udfs.course import Course
from udfs.errors import (
    SourceBucketNotAllowedError,
    SourceChangedError,
    SourceMissingError,
    SourceTooLargeError,
    StoreUnavailableError,
)
from udfs.fetching import VERSIONS_READ, Fetching, SourceRules
from udfs.in_flight import ByteBudget
from udfs.patience import Patience

AWAY = StoreUnavailableError("the connection broke")
CAT = (SOURCES, "cat.jpg")


class Bench:
    """A Fetching with what it shares, to fetch one event's source at a time."""

    def __init__(self, store: FakeStore, wait_s: float = 0.0) -> None:
        self.course = Course()
        self.budget = ByteBudget(1000)
        self.patience = Patience(2, patience_s=30)
        self.fetching = Fetching(store, self.patience, self.budget, SourceRules((SOURCES,), 100, wait_s))

    async def fetch(self, event: ImageEvent) -> bytes:
        assert event.source is not None
        async with self.fetching.fetched(event, event.source, self.course) as data:
            assert self.budget.held_bytes == len(data)
        assert self.budget.held_bytes == 0
        return data


def fetched(bench: Bench, event: ImageEvent, meanwhile: Callable[[], None] = lambda: None) -> bytes:
    """Fetch on an event loop of its own, while a thread does something."""

    async def both() -> bytes:
        data, _ = await asyncio.gather(bench.fetch(event), asyncio.to_thread(meanwhile))
        return data

    try:
        return asyncio.run(asyncio.wait_for(both(), 30))
    finally:
        bench.patience.close()


def now(**changes: Any) -> ImageEvent:
    return an_event(occurred_at=datetime.now(UTC), **changes)


class Replacing(FakeStore):
    """A store whose source is another one each time it was opened, and whose connections break `broken` times."""

    def __init__(self, contents: list[bytes], broken: int) -> None:
        super().__init__({CAT: contents[0]}, fails={"read": [AWAY] * broken})
        self._contents = contents[1:]

    def open_source(self, bucket: str, key: str, etag: str | None) -> Any:
        opened = super().open_source(bucket, key, etag)
        if self._contents:
            self.objects[CAT] = self._contents.pop(0)
        return opened


def test_a_source_that_comes_late_is_waited_for() -> None:
    store = FakeStore()

    def arrive() -> None:
        limit = time.monotonic() + 10
        while len(store.calls) < 2 and time.monotonic() < limit:
            time.sleep(0.01)
        store.objects[CAT] = b"late"

    bench = Bench(store, wait_s=20)
    assert fetched(bench, now(), arrive) == b"late"
    assert bench.course.attempts == 1
    assert bench.course.spent_ms[Stage.FETCH] >= 100


def test_waiting_for_a_source_holds_no_bytes_and_no_thread() -> None:
    store = FakeStore({(SOURCES, "dog.jpg"): b"dog"})
    bench = Bench(store, wait_s=10)

    async def scenario() -> None:
        late = [asyncio.create_task(bench.fetch(now(image_id=str(n)))) for n in range(5)]
        while len(store.calls) < len(late):
            await asyncio.sleep(0)
        started = time.monotonic()
        assert await bench.fetch(now(key="dog.jpg")) == b"dog"
        assert time.monotonic() - started < 8
        assert not any(task.done() for task in late)
        results = await asyncio.gather(*late, return_exceptions=True)
        assert {type(result) for result in results} == {SourceMissingError}

    asyncio.run(asyncio.wait_for(scenario(), 30))
    bench.patience.close()


def test_a_source_that_never_comes_is_missing_after_the_stated_time() -> None:
    store = FakeStore()
    started = time.monotonic()
    with pytest.raises(SourceMissingError, match=r"cat.jpg; it did not come within \d+\.\d s"):
        fetched(Bench(store, wait_s=2), now())
    assert 2 <= time.monotonic() - started < 20
    assert 3 <= len(store.calls) <= 8


@pytest.mark.parametrize("age_s", [11, -300])
def test_the_source_of_an_event_that_is_old_or_from_the_future_is_not_waited_for(age_s: int) -> None:
    store = FakeStore()
    with pytest.raises(SourceMissingError, match="not waited for, as its event is older than DARKROOM_SOURCE_WAIT_S"):
        fetched(Bench(store, wait_s=10), an_event(occurred_at=datetime.now(UTC) - timedelta(seconds=age_s)))
    assert len(store.calls) == 1


def test_the_time_a_source_is_waited_for_begins_with_its_event() -> None:
    with pytest.raises(SourceMissingError, match=r"within \d\.\d s"):
        fetched(Bench(FakeStore(), wait_s=60), an_event(occurred_at=datetime.now(UTC) - timedelta(seconds=58)))


def test_an_event_of_a_clock_that_is_fast_is_not_waited_for_any_longer() -> None:
    with pytest.raises(SourceMissingError, match=r"within \d\.\d s"):
        fetched(Bench(FakeStore(), wait_s=0.3), an_event(occurred_at=datetime.now(UTC) + timedelta(seconds=30)))


def test_a_store_that_is_away_while_a_source_is_waited_for_is_asked_again() -> None:
    store = FakeStore(fails={"open_source": [SourceMissingError("cat"), AWAY]})
    store.objects[CAT] = b"late"
    bench = Bench(store, wait_s=20)
    assert fetched(bench, now()) == b"late"
    assert bench.course.attempts == 2


def test_a_source_that_is_replaced_while_it_is_read_is_read_again_from_its_start() -> None:
    store = Replacing([b"old", b"new, and longer"], broken=1)
    bench = Bench(store)
    assert fetched(bench, an_event()) == b"new, and longer"
    assert bench.budget.peak_bytes == len(b"new, and longer")
    assert store.names() == ["open_source", "read", "open_source", "read"]


def test_a_source_of_the_same_size_is_told_apart_by_its_tag() -> None:
    store = Replacing([b"old", b"new", b"odd"], broken=2)
    assert fetched(Bench(store), an_event()) == b"odd"


def test_a_source_that_is_replaced_again_and_again_is_given_up() -> None:
    contents = [bytes([number]) for number in range(VERSIONS_READ + 1)]
    store = Replacing(contents, broken=VERSIONS_READ)
    with pytest.raises(SourceChangedError, match=f"replaced {VERSIONS_READ} times while it was read"):
        fetched(Bench(store), an_event())
    assert store.closed_keys == ["cat.jpg"]


def test_a_source_that_is_replaced_by_one_that_is_too_large_is_too_large() -> None:
    bench = Bench(Replacing([b"old", b"x" * 101], broken=1))
    with pytest.raises(SourceTooLargeError):
        fetched(bench, an_event())
    assert bench.budget.held_bytes == 0


def test_a_replaced_source_whose_event_names_a_tag_has_changed() -> None:
    tag = "149603e6c03516362a8da23f624db945"  # of b"old"
    store = Replacing([b"old", b"new"], broken=1)
    with pytest.raises(SourceChangedError):
        fetched(Bench(store), an_event(source=Source(bucket=SOURCES, key="cat.jpg", etag=tag)))


def test_a_source_that_is_gone_when_it_is_opened_again_may_come_back() -> None:
    fails: dict[str, list[Exception | None]] = {"open_source": [None, SourceMissingError("cat.jpg")], "read": [AWAY]}
    store = FakeStore({CAT: b"back"}, fails=fails)
    assert fetched(Bench(store, wait_s=20), now()) == b"back"
    assert store.names() == ["open_source", "read", "open_source", "open_source", "read"]


def test_a_bucket_that_events_may_not_name_is_refused_before_the_store_is_asked() -> None:
    store = FakeStore({("private", "cat.jpg"): b"secret"}, buckets=["private"])
    with pytest.raises(SourceBucketNotAllowedError, match="private is none of those that events may name"):
        fetched(Bench(store), an_event(source=Source(bucket="private", key="cat.jpg")))
    assert store.calls == []
