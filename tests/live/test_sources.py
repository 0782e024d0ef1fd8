"""Sources on a real MinIO that come late, or are replaced between being opened and being read."""

import asyncio
import io
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from darkroom.storage import connect
from schemas.reasons import Reason
from schemas.records import Outcome, Source
from tests.live_stack import PHOTOS, Scenario, Stack, event, eventually
from udfs.course import Course
from udfs.fetching import Fetching, SourceRules
from udfs.in_flight import ByteBudget
from udfs.object_store import ObjectStore, OpenedSource
from udfs.patience import Patience
from udfs.s3_store import S3Address

BUCKET = "images"
pytestmark = pytest.mark.timeout(600)
PHOTO = (PHOTOS / "rocket.jpg").read_bytes()


def put(stack: Stack, key: str, data: bytes) -> None:
    connect(stack.target).put_object(BUCKET, key, io.BytesIO(data), len(data))


@pytest.fixture
def store(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(stack.target.credentials_file))
    return S3Address(stack.target.s3_endpoint, stack.target.s3_region, connections=4)()


class BreaksOnce:
    """The store, whose first source breaks off when it is read, after something else happened."""

    def __init__(self, store: ObjectStore, meanwhile: Any) -> None:
        self._store = store
        self._meanwhile = meanwhile
        self.opened: list[str | None] = []

    def open_source(self, bucket: str, key: str, etag: str | None) -> OpenedSource:
        opened = self._store.open_source(bucket, key, etag)
        self.opened.append(opened.etag)
        if len(self.opened) == 1:
            opened._response.close()  # type: ignore[attr-defined]  # the real one's connection breaks
            self._meanwhile()
        return opened


def fetched(store: Any, source: Source, wait_s: float) -> bytes:
    async def fetch() -> bytes:
        patience = Patience(2, 30)
        rules = SourceRules((BUCKET,), 10_000_000, wait_s)
        happened = event("late", source, occurred_at=datetime.now(UTC))
        try:
            fetching = Fetching(store, patience, ByteBudget(10_000_000), rules)
            async with fetching.fetched(happened, source, Course()) as data:
                return data
        finally:
            patience.close()

    return asyncio.run(fetch())


def test_a_source_that_is_replaced_while_it_is_read_is_read_again(stack: Stack, store: ObjectStore) -> None:
    source = Source(bucket=BUCKET, key=f"changing-{uuid4()}")
    old, new = b"old" * 1_000_000, b"new" * 1_000_000
    put(stack, source.key, old)
    breaking = BreaksOnce(store, lambda: put(stack, source.key, new))
    assert fetched(breaking, source, wait_s=0) == new
    assert breaking.opened[0] != breaking.opened[1]


def test_a_source_that_comes_late_is_waited_for(stack: Stack, store: ObjectStore) -> None:
    source = Source(bucket=BUCKET, key=f"late-{uuid4()}")
    arrival = threading.Timer(1.5, put, (stack, source.key, PHOTO))
    arrival.start()
    assert fetched(store, source, wait_s=60) == PHOTO
    arrival.join()


def test_the_job_waits_for_a_source_and_rejects_one_that_never_comes(scenario: Scenario) -> None:
    scenario.environment = {**scenario.environment, "DARKROOM_SOURCE_WAIT_S": "30"}
    scenario.submit()
    late, never = (Source(bucket=BUCKET, key=f"{name}-{uuid4()}") for name in ("late", "never"))
    ahead = datetime.now(UTC) + timedelta(seconds=50)  # a clock that is ahead: the wait begins when the job sees it
    with scenario.publisher() as publisher:
        publisher.event(event("late", late, occurred_at=ahead))
        publisher.event(event("never", never, occurred_at=ahead))
    put(scenario.stack, late.key, PHOTO)
    eventually(lambda: len(scenario.statuses()) == 2, "both have a status", scenario.statuses)
    found = {status.image_id: status for status in scenario.statuses()}
    assert found["late"].outcome is Outcome.READY
    failure = found["never"].failures[0]
    assert failure.reason is Reason.SOURCE_MISSING
    (waited_s,) = re.findall(r"it did not come within ([\d.]+) s", failure.message)
    assert float(waited_s) >= 30
    assert found["never"].timings.fetch_ms >= 30_000
