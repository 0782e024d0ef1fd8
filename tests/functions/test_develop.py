import asyncio
import hashlib
from collections.abc import Iterator

import pytest
from pyflink.common import Row

from schemas.reasons import Reason
from schemas.record_codecs import dead_letter_codec, status_codec
from schemas.records import DeadLetter, Outcome, Stage
from tests.builders import SOURCES, a_picture, an_event, an_item, develop_settings, encoded
from tests.fakes import FakeRuntimeContext, FakeStore, wait_for
from udfs.develop import Develop
from udfs.errors import StoreUnavailableError
from udfs.items import item

WAIT_LIMIT_S = 30


@pytest.fixture
def store() -> FakeStore:
    return FakeStore({(SOURCES, "cat.jpg"): a_picture()})


@pytest.fixture
def context() -> FakeRuntimeContext:
    return FakeRuntimeContext()


@pytest.fixture
def develop(store: FakeStore, context: FakeRuntimeContext) -> Iterator[Develop]:
    function = Develop(lambda: store, develop_settings(storage_patience_s=0), [])
    function.open(context)
    yield function
    function.close()


def invoked(function: Develop, value: Row) -> Row:
    async def limited() -> list[Row]:
        return await asyncio.wait_for(function.async_invoke(value), WAIT_LIMIT_S)

    (out,) = asyncio.run(limited())
    return out


def test_an_event_comes_out_with_its_status(develop: Develop) -> None:
    out = invoked(develop, an_item(an_event()))
    assert out == item("u", encoded(an_event()), out.status)
    assert status_codec().decode(out.status).outcome is Outcome.READY


@pytest.mark.parametrize(
    "value",
    [item("u", event=encoded(an_event()), status=b"superseded"), item("digest", dead_letter=b"letter")],
    ids=["a status", "a dead letter"],
)
def test_an_item_that_has_an_outcome_passes_untouched(develop: Develop, store: FakeStore, value: Row) -> None:
    assert invoked(develop, value) == value
    assert store.calls == []


def test_an_event_that_failed_is_kept_as_a_dead_letter_with_its_bytes(store: FakeStore, develop: Develop) -> None:
    store._fails["put"] = [KeyError("unexpected")]
    event = encoded(an_event())
    out = invoked(develop, item("u", event=event))
    assert status_codec().decode(out.status).outcome is Outcome.FAILED
    assert out.outage is None
    assert dead_letter_codec().decode(out.dead_letter) == DeadLetter(
        stage=Stage.STORE,
        reason=Reason.INTERNAL_ERROR,
        message="KeyError at stage STORE; see the log of the Python worker",
        event_id="e",
        payload=event,
        payload_bytes=len(event),
        payload_sha256=hashlib.sha256(event).hexdigest(),
        job_version="9.9.9",
    )


def test_a_rejected_event_is_no_dead_letter(develop: Develop) -> None:
    out = invoked(develop, an_item(an_event(key="missing.jpg")))
    assert status_codec().decode(out.status).outcome is Outcome.REJECTED
    assert out.dead_letter is None


def test_an_outage_becomes_an_item_without_a_status(store: FakeStore, develop: Develop) -> None:
    store._fails["open_source"] = [StoreUnavailableError("GET images: refused")] * 10
    value = an_item(an_event())
    assert invoked(develop, value) == item("u", event=value.event, outage="StoreUnavailableError: GET images: refused")


def test_after_an_outage_the_store_is_tried_no_more_until_the_job_restarts(store: FakeStore, develop: Develop) -> None:
    store._fails["open_source"] = [StoreUnavailableError("GET images: refused")]
    outage = invoked(develop, an_item(an_event())).outage
    calls = len(store.calls)
    assert invoked(develop, an_item(an_event(event_id="next"))).outage == outage
    assert len(store.calls) == calls
    letter = item("digest", dead_letter=b"letter")
    assert invoked(develop, letter) == letter
    develop.close()
    develop.open(FakeRuntimeContext())
    assert invoked(develop, an_item(an_event())).outage is None


def test_whatever_goes_wrong_outside_the_developer_is_an_outage_and_not_an_exception(develop: Develop) -> None:
    out = invoked(develop, item("u", event=b"not an event"))
    assert out.status is None
    assert out.outage.startswith("NotAvroError: ")


def test_a_cancelled_event_is_an_outage_and_not_an_exception(store: FakeStore, develop: Develop) -> None:
    hold = store.hold("open_source", "cat")

    async def scenario() -> list[Row]:
        task = asyncio.create_task(develop.async_invoke(an_item(an_event())))
        await asyncio.to_thread(wait_for, hold.entered, "the fetch")
        task.cancel()
        try:
            return await task
        finally:
            hold.released.set()

    (out,) = asyncio.run(scenario())
    assert out.outage == "CancelledError: "


def test_bytes_in_flight_are_metrics(develop: Develop, context: FakeRuntimeContext) -> None:
    invoked(develop, an_item(an_event()))
    assert {name: gauge() for name, gauge in context.metrics.gauges.items()} == {
        "source_bytes_in_flight": 0,
        "source_bytes_in_flight_peak": len(a_picture()),
    }
