import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from schemas.keys import image_prefix
from schemas.reasons import Reason
from schemas.records import Failure, ImageEvent, ImageStatus, Outcome, Source, Stage
from tests.builders import DERIVATIVES, SOURCES, a_picture, an_event, develop_settings
from tests.fakes import FakeStore, Hold, wait_for
from udfs.developer import Developer
from udfs.errors import (
    SourceBucketMissingError,
    SourceChangedError,
    SourceForbiddenError,
    SourceMissingError,
    StoreUnavailableError,
)
from udfs.imaging.limits import Limits

T = TypeVar("T")
WAIT_LIMIT_S = 30
OBSERVED_S = 0.3  # how long nothing has to happen
AWAY = StoreUnavailableError("the store is away")
VERY_WIDE = (20_000, 8)  # wider than a WebP can be, and cheap to render

Scenario = Callable[[Developer], Coroutine[Any, Any, T]]


def with_developer(store: FakeStore, scenario: Scenario[T], **settings: Any) -> T:
    """Run a scenario on an event loop of its own, within a time limit."""

    async def limited() -> T:
        developer = Developer(store, develop_settings(**settings))
        try:
            return await asyncio.wait_for(scenario(developer), WAIT_LIMIT_S)
        finally:
            developer.close()

    return asyncio.run(limited())


def developed(store: FakeStore, *events: ImageEvent, **settings: Any) -> list[ImageStatus]:
    """Develop events all at once; their statuses in the order of the events."""

    async def all_at_once(developer: Developer) -> list[ImageStatus]:
        return list(await asyncio.gather(*(developer.develop(event) for event in events)))

    return with_developer(store, all_at_once, **settings)


def a_store(fails: dict[str, list[Exception | None]] | None = None, **sources: bytes) -> FakeStore:
    """A store with cat.jpg, and other sources by name."""
    files = {"cat": a_picture(), **sources}
    return FakeStore({(SOURCES, f"{name}.jpg"): data for name, data in files.items()}, fails=fails)


def only_failure(status: ImageStatus) -> Failure:
    (failure,) = status.failures
    return failure


async def entered(hold: Hold) -> None:
    await asyncio.to_thread(wait_for, hold.entered, "the call that is held")


def test_a_ready_status_says_what_is_stored() -> None:
    store = a_store()
    (status,) = developed(store, an_event(version=7, traceparent="00-1-2-01"))
    assert (status.outcome, status.attempts, status.failures) == (Outcome.READY, 1, ())
    assert (status.event_id, status.version, status.job_version, status.traceparent) == ("e", 7, "9.9.9", "00-1-2-01")
    assert [d.preset for d in status.derivatives] == ["thumb", "wide"]
    assert {d.key for d in status.derivatives} == set(store.keys())
    for made in status.derivatives:
        data = store.objects[made.bucket, made.key]
        assert (made.bytes, made.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert status.source is not None
    assert (status.source.width, status.source.sha256) == (64, hashlib.sha256(a_picture()).hexdigest())


def test_derivatives_carry_their_type_checksum_and_provenance() -> None:
    store = a_store()
    (status,) = developed(store, an_event())
    thumb = status.derivatives[0]
    assert store.headers[DERIVATIVES, thumb.key] == {
        "Content-Type": "image/jpeg",
        "Cache-Control": "any",
        "Content-Disposition": "attachment",
        "x-amz-meta-sha256": thumb.sha256,
        "x-amz-meta-source-sha256": hashlib.sha256(a_picture()).hexdigest(),
        "x-amz-meta-preset": "thumb@3",
    }
    assert "Cache-Control" not in store.headers[DERIVATIVES, status.derivatives[1].key]


def test_the_status_does_not_exist_before_every_derivative_is_stored() -> None:
    store = a_store()
    last_put = store.hold("put", "u/i/1/wide-")

    async def scenario(developer: Developer) -> None:
        task = asyncio.create_task(developer.develop(an_event()))
        await entered(last_put)
        while len(store.keys()) < 1:
            await asyncio.sleep(0)
        assert not task.done()
        last_put.released.set()
        assert (await task).outcome is Outcome.READY
        assert len(store.keys()) == 2

    with_developer(store, scenario)


def test_all_presets_come_from_one_fetch() -> None:
    store = a_store()
    (status,) = developed(store, an_event(presets=("thumb", "wide", "strip")))
    assert len(status.derivatives) == 3
    assert (store.names().count("open_source"), store.read_keys) == (1, ["cat.jpg"])


@pytest.mark.parametrize("call", ["open_source", "read", "put", "list_keys"])
def test_a_transient_failure_is_tried_again_and_the_attempts_are_told(call: str) -> None:
    store = a_store(fails={call: [AWAY]})
    (status,) = developed(store, an_event())
    assert (status.outcome, status.attempts) == (Outcome.READY, 2)
    assert len(store.keys()) == 2


def test_a_removal_is_tried_again_too() -> None:
    store = a_store(fails={"remove": [AWAY]})
    store.objects[DERIVATIVES, "u/i/1/old.jpg"] = b"old"
    (status,) = developed(store, an_event(kind="DELETED", version=2))
    assert (status.outcome, status.attempts, store.keys()) == (Outcome.DELETED, 2, [])


def test_the_budget_is_given_back_when_a_read_fails() -> None:
    store = a_store(fails={"read": [AWAY]})

    async def scenario(developer: Developer) -> int:
        await developer.develop(an_event())
        return developer.budget.held_bytes

    assert with_developer(store, scenario) == 0


@pytest.mark.parametrize("call", ["open_source", "read", "put", "list_keys"])
def test_a_store_away_for_longer_than_the_patience_is_an_exception_and_never_a_status(call: str) -> None:
    store = a_store(fails={call: [AWAY] * 1000})
    with pytest.raises(StoreUnavailableError, match="the store is away"):
        developed(store, an_event(), storage_patience_s=1)
    assert store.names().count(call) > 1


@pytest.mark.parametrize(
    "error", [SourceMissingError, SourceBucketMissingError, SourceForbiddenError, SourceChangedError]
)
def test_a_source_that_cannot_be_used_is_rejected_with_its_reason_and_asked_for_once(error: type[Any]) -> None:
    store = a_store(fails={"open_source": [error("words")] * 2})
    (status,) = developed(store, an_event())
    assert status.outcome is Outcome.REJECTED
    assert only_failure(status) == Failure(stage=Stage.FETCH, reason=error.reason, message="words")
    assert store.names() == ["open_source"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", Reason.SOURCE_EMPTY),
        (b"not a picture at all", Reason.NOT_AN_IMAGE),
        (b"%PDF-1.7 not a picture", Reason.UNSUPPORTED_FORMAT),
        (a_picture()[:400], Reason.CORRUPT_IMAGE),
        (a_picture("PNG", (200, 200)), Reason.TOO_MANY_PIXELS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_that_cannot_be_developed_is_rejected_with_its_reason(source: bytes, reason: Reason) -> None:
    store = a_store(cat=source)
    (status,) = developed(store, an_event(), limits=Limits(max_pixels=10_000))
    assert (status.outcome, only_failure(status).reason) == (Outcome.REJECTED, reason)
    assert only_failure(status).stage is Stage.RENDER
    assert store.keys() == []


def test_a_source_under_the_wrong_extension_is_judged_by_its_bytes() -> None:
    (status,) = developed(a_store(cat=a_picture("PNG")), an_event())
    assert status.source is not None
    assert (status.outcome, status.source.format) == (Outcome.READY, "png")


def test_an_unknown_preset_is_rejected_before_the_store_is_asked() -> None:
    store = a_store()
    (status,) = developed(store, an_event(presets=("thumb", "no-such")))
    assert (status.outcome, only_failure(status).reason) == (Outcome.REJECTED, Reason.UNKNOWN_PRESET)
    assert "no-such" in only_failure(status).message
    assert store.calls == []


def test_a_source_that_is_too_large_is_closed_and_not_read() -> None:
    store = a_store()
    (status,) = developed(store, an_event(), limits=Limits(max_source_bytes=len(a_picture()) - 1))
    assert (status.outcome, only_failure(status).reason) == (Outcome.REJECTED, Reason.SOURCE_TOO_LARGE)
    assert (store.closed_keys, store.read_keys) == (["cat.jpg"], [])


def test_a_source_of_exactly_the_limit_is_developed() -> None:
    (status,) = developed(a_store(), an_event(), limits=Limits(max_source_bytes=len(a_picture())))
    assert status.outcome is Outcome.READY


def test_a_preset_that_cannot_be_made_leaves_the_others() -> None:
    store = a_store(cat=a_picture(size=VERY_WIDE))
    (status,) = developed(store, an_event(presets=("strip", "thumb")))
    assert (status.outcome, [d.preset for d in status.derivatives]) == (Outcome.PARTIAL, ["thumb"])
    assert (only_failure(status).preset, only_failure(status).reason) == ("strip", Reason.RENDER_FAILED)
    assert [d.key for d in status.derivatives] == store.keys()


def test_when_no_preset_can_be_made_the_event_failed_and_what_was_there_stays() -> None:
    store = a_store(cat=a_picture(size=VERY_WIDE), dog=a_picture())
    developed(store, an_event(key="dog.jpg", version=1))
    before = store.keys()
    (status,) = developed(store, an_event(presets=("strip",), version=2))
    assert (status.outcome, status.derivatives) == (Outcome.FAILED, ())
    assert only_failure(status).reason is Reason.RENDER_FAILED
    assert store.keys() == before


@pytest.mark.parametrize(("call", "stage"), [("open_source", Stage.FETCH), ("read", Stage.FETCH), ("put", Stage.STORE)])
def test_what_nobody_expected_fails_the_event_and_tells_no_secret(call: str, stage: Stage) -> None:
    store = a_store(fails={call: [KeyError("password=hunter2")]})
    (status,) = developed(store, an_event())
    assert status.outcome is Outcome.FAILED
    assert only_failure(status) == Failure(
        stage=stage,
        reason=Reason.INTERNAL_ERROR,
        message=f"KeyError at stage {stage}; see the log of the Python worker",
    )


def test_a_failed_put_waits_for_the_other_puts_so_that_none_lands_after_a_later_delete() -> None:
    store = a_store(fails={"put": [KeyError("unexpected"), None]})
    late = store.hold("put", "u/i/1/")

    async def scenario(developer: Developer) -> list[ImageStatus]:
        tasks = [
            asyncio.create_task(developer.develop(event))
            for event in (an_event(), an_event(event_id="gone", kind="DELETED", version=2))
        ]
        await entered(late)
        finished, _ = await asyncio.wait(tasks, timeout=OBSERVED_S)
        assert not finished
        assert "list_keys" not in store.names()
        late.released.set()
        return list(await asyncio.gather(*tasks))

    statuses = with_developer(store, scenario)
    assert [status.outcome for status in statuses] == [Outcome.FAILED, Outcome.DELETED]
    assert store.keys() == []


def test_many_large_sources_at_once_stay_within_the_budget() -> None:
    sources = {f"s{number}": a_picture() for number in range(12)}
    store = a_store(**sources)
    size = len(a_picture())

    async def scenario(developer: Developer) -> tuple[int, int]:
        events = [an_event(event_id=name, image_id=name, key=f"{name}.jpg") for name in sources]
        statuses = await asyncio.gather(*(developer.develop(event) for event in events))
        assert {status.outcome for status in statuses} == {Outcome.READY}
        return developer.budget.peak_bytes, developer.budget.held_bytes

    assert with_developer(store, scenario, bytes_in_flight=3 * size - 1) == (2 * size, 0)


def test_a_source_waits_for_the_budget_unread() -> None:
    store = a_store(dog=a_picture())
    first = store.hold("read", "cat")

    async def scenario(developer: Developer) -> None:
        cat = asyncio.create_task(developer.develop(an_event(image_id="cat")))
        await entered(first)
        dog = asyncio.create_task(developer.develop(an_event(image_id="dog", key="dog.jpg")))
        while not developer.budget._freed._waiters:
            await asyncio.sleep(0)
        assert "dog.jpg" not in {call.key for call in store.calls if call.name == "read"}
        first.released.set()
        assert [s.outcome for s in await asyncio.gather(cat, dog)] == [Outcome.READY] * 2

    with_developer(store, scenario, bytes_in_flight=len(a_picture()))


def test_a_source_larger_than_the_budget_still_goes_through() -> None:
    statuses = developed(
        a_store(), an_event(image_id="a"), an_event(image_id="b"), bytes_in_flight=len(a_picture()) // 2
    )
    assert [status.outcome for status in statuses] == [Outcome.READY] * 2


def test_events_of_one_image_take_effect_one_at_a_time_in_order_and_other_images_do_not_wait() -> None:
    store = a_store(v1=a_picture(), v2=a_picture(), other=a_picture())
    first = store.hold("open_source", "v1")

    async def scenario(developer: Developer) -> None:
        chain = [an_event(version=1, key="v1.jpg"), an_event(version=2, key="v2.jpg")]
        chain.append(an_event(version=3, kind="DELETED"))
        tasks = [asyncio.create_task(developer.develop(event)) for event in chain]
        await entered(first)
        for event in (an_event(image_id="j", key="other.jpg"), an_event(user_id="w", key="other.jpg")):
            assert (await developer.develop(event)).outcome is Outcome.READY
        assert "v2.jpg" not in {call.key for call in store.calls}
        first.released.set()
        statuses = await asyncio.gather(*tasks)
        assert [status.outcome for status in statuses] == [Outcome.READY, Outcome.READY, Outcome.DELETED]

    with_developer(store, scenario)
    opened_or_removed = [call.name for call in store.calls if call.key.startswith(("v", "u/i/"))]
    second = opened_or_removed.index("open_source", 1)
    assert "read" in opened_or_removed[:second]
    assert opened_or_removed[:second].count("put") == 2
    assert [key for key in store.keys() if key.startswith(image_prefix("u", "i"))] == []


def test_different_images_are_fetched_at_the_same_time() -> None:
    store = a_store()
    holds = [store.hold("open_source", name) for name in ("cat", "dog")]
    store.objects[SOURCES, "dog.jpg"] = a_picture()

    async def scenario(developer: Developer) -> None:
        tasks = [
            asyncio.create_task(developer.develop(an_event(image_id=name, key=f"{name}.jpg")))
            for name in ("cat", "dog")
        ]
        for hold in holds:
            await entered(hold)
        for hold in holds:
            hold.released.set()
        await asyncio.gather(*tasks)

    with_developer(store, scenario)


def test_a_deletion_removes_everything_of_the_image_and_nothing_of_another() -> None:
    store = a_store()
    developed(store, an_event(), an_event(image_id="i2"), an_event(user_id="u2"))
    store.objects[DERIVATIVES, "u/i/0/of an earlier job.jpg"] = b"old"
    calls = len(store.calls)
    (status,) = developed(store, an_event(kind="DELETED", version=2))
    assert (status.outcome, status.derivatives, status.source) == (Outcome.DELETED, (), None)
    assert not [key for key in store.keys() if key.startswith("u/i/")]
    assert len(store.keys()) == 4
    assert "open_source" not in store.names()[calls:]


def test_a_deletion_of_nothing_is_a_deletion() -> None:
    (status,) = developed(FakeStore(), an_event(kind="DELETED"))
    assert status.outcome is Outcome.DELETED


def test_a_newer_version_removes_the_older_ones_objects_after_storing_its_own() -> None:
    store = a_store()
    developed(store, an_event(version=1), an_event(image_id="i2", version=1))
    store.objects[DERIVATIVES, "u/i/1/retired-000000000000.png"] = b"of a preset that is no longer asked for"
    calls = len(store.calls)
    (status,) = developed(store, an_event(version=2))
    names = store.names()[calls:]
    assert names.index("remove") > max(index for index, name in enumerate(names) if name == "put")
    assert {key for key in store.keys() if key.startswith("u/i/")} == {d.key for d in status.derivatives}
    assert len([key for key in store.keys() if key.startswith("u/i2/")]) == 2


def test_a_rederive_replaces_other_recipes_of_its_presets_only() -> None:
    store = a_store()
    (before,) = developed(store, an_event())
    for name in ("thumb-000000000000.jpg", "retired-000000000000.png"):
        store.objects[DERIVATIVES, f"u/i/1/{name}"] = b"of another recipe"
    (status,) = developed(store, an_event(event_id="again", kind="REDERIVE", presets=("thumb",)))
    wide = next(d.key for d in before.derivatives if d.preset == "wide")
    assert set(store.keys()) == {status.derivatives[0].key, wide, "u/i/1/retired-000000000000.png"}


def test_the_same_event_twice_puts_the_same_bytes_under_the_same_keys() -> None:
    once, again = a_store(), a_store()
    developed(once, an_event())
    developed(again, an_event(), an_event())
    assert once.keys() == again.keys() != []
    assert once.objects == again.objects
    assert once.headers == again.headers


def test_an_entity_tag_that_no_longer_fits_is_a_changed_source() -> None:
    (status,) = developed(a_store(), an_event(source=Source(bucket=SOURCES, key="cat.jpg", etag="0" * 32)))
    assert only_failure(status).reason is Reason.SOURCE_CHANGED
