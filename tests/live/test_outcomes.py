"""Every kind of event and every kind of bad input on the running job: exactly the outcome that is documented."""

import gzip
import hashlib
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PIL import Image

from darkroom.storage import connect
from darkroom.synthetic import corrupt_image, huge_dimensions_png
from schemas.codec import Codec, load_schema
from schemas.keys import image_prefix
from schemas.reasons import Reason
from schemas.record_codecs import event_codec
from schemas.records import DeadLetter, EventKind, ImageStatus, Outcome, Source
from tests.live_stack import PHOTOS, Scenario, Stack, event, eventually

pytestmark = pytest.mark.timeout(600)

PHOTO = (PHOTOS / "rocket.jpg").read_bytes()
BUDGET_BYTES = 30_000_000
OTHER_PHOTO = (PHOTOS / "flower.jpg").read_bytes()


@pytest.fixture(scope="module")
def scenario(stack: Stack) -> Iterator[Scenario]:
    budget = str(BUDGET_BYTES)
    running = Scenario(stack, DARKROOM_BYTES_IN_FLIGHT=budget, DARKROOM_MAX_SOURCE_BYTES=budget)
    running.submit()
    yield running
    figures = running.verify()
    running.cancel()
    assert (figures["lost"], figures["duplicated"], figures["orphaned"], figures["corrupt"]) == (0, 0, 0, 0)


def outcomes(scenario: Scenario, event_ids: list[str]) -> list[ImageStatus]:
    def found() -> dict[str, ImageStatus]:
        return {status.event_id: status for status in scenario.statuses()}

    eventually(lambda: set(event_ids) <= found().keys(), f"{len(event_ids)} statuses", lambda: list(found()))
    return [found()[event_id] for event_id in event_ids]


def stored(scenario: Scenario, image: str, user: str = "anna") -> set[str]:
    found = connect(scenario.target).list_objects(
        scenario.target.buckets.derivatives, image_prefix(user, image), recursive=True
    )
    return {item.object_name or "" for item in found}


def put(scenario: Scenario, name: str, data: bytes) -> Source:
    with scenario.publisher() as publisher:
        return publisher.upload("anna", name, data, 1)


def outcome_of_source(scenario: Scenario, name: str, data: bytes) -> ImageStatus:
    upload = event(name, put(scenario, name, data))
    with scenario.publisher() as publisher:
        publisher.event(upload)
    return outcomes(scenario, [upload.event_id])[0]


def test_an_image_lives_through_upload_replacement_repetition_and_deletion(scenario: Scenario) -> None:
    first, second = put(scenario, "life-1", PHOTO), put(scenario, "life-2", OTHER_PHOTO)
    life = [
        event("life", first, version=1),
        event("life", second, version=2),
        event("life", first, version=1),
        event("life", second, version=2, kind=EventKind.REDERIVE),
        event("life", None, version=3, kind=EventKind.DELETED),
        event("life", second, version=2, kind=EventKind.REDERIVE),
        event("life", first, version=4),
    ]
    with scenario.publisher() as publisher:
        for step in life:
            publisher.event(step)
    found = outcomes(scenario, [step.event_id for step in life])

    assert [status.outcome for status in found] == [
        Outcome.READY,
        Outcome.READY,
        Outcome.SUPERSEDED,
        Outcome.READY,
        Outcome.DELETED,
        Outcome.SUPERSEDED,
        Outcome.READY,
    ]
    assert [found[index].failures[0].reason for index in (2, 5)] == [Reason.NEWER_VERSION_KNOWN, Reason.IMAGE_DELETED]
    assert found[1].derivatives == found[3].derivatives
    assert stored(scenario, "life") == {derivative.key for derivative in found[6].derivatives}


def test_a_deletion_leaves_no_object(scenario: Scenario) -> None:
    upload = event("gone", put(scenario, "gone", PHOTO), version=1)
    deletion = event("gone", None, version=2, kind=EventKind.DELETED)
    with scenario.publisher() as publisher:
        publisher.event(upload)
        publisher.event(deletion)
    assert [status.outcome for status in outcomes(scenario, [upload.event_id, deletion.event_id])] == [
        Outcome.READY,
        Outcome.DELETED,
    ]
    assert stored(scenario, "gone") == set()


def test_an_event_published_three_times_has_one_status_and_is_counted(scenario: Scenario) -> None:
    upload = event("thrice", put(scenario, "thrice", PHOTO))
    after = event("after", upload.source)
    with scenario.publisher() as publisher:
        for published in (upload, upload, upload, after):
            publisher.event(published)
    outcomes(scenario, [upload.event_id, after.event_id])
    assert [status.event_id for status in scenario.statuses()].count(upload.event_id) == 1
    eventually(lambda: metric(scenario, "duplicate") >= 2, "2 duplicates", lambda: metric(scenario, "duplicate"))
    assert metric(scenario, "largest_user_state_bytes") > 0


def metric(scenario: Scenario, name: str) -> float:
    job = scenario.job().job_id
    total = 0.0
    for vertex in scenario.rest.get(f"/jobs/{job}")["vertices"]:
        path = f"/jobs/{job}/vertices/{vertex['id']}/subtasks/metrics"
        names = [found["id"] for found in scenario.rest.get(path) if found["id"].endswith(f".{name}")]
        if names:
            total += sum(found["sum"] for found in scenario.rest.get(f"{path}?get={','.join(names)}"))
    return total


@pytest.mark.parametrize(
    ("name", "data", "outcome", "reason"),
    [
        ("empty.jpg", b"", Outcome.REJECTED, Reason.SOURCE_EMPTY),
        ("truncated.jpg", PHOTO[: len(PHOTO) // 2], Outcome.REJECTED, Reason.CORRUPT_IMAGE),
        ("truncated-synthetic.jpg", corrupt_image(3), Outcome.REJECTED, Reason.CORRUPT_IMAGE),
        ("letter.jpg", b"this is no image", Outcome.REJECTED, Reason.NOT_AN_IMAGE),
        ("zeros.jpg", bytes(100_000), Outcome.REJECTED, Reason.NOT_AN_IMAGE),
        ("200-megapixels.png", huge_dimensions_png(), Outcome.REJECTED, Reason.TOO_MANY_PIXELS),
        ("a-photograph.txt", PHOTO, Outcome.READY, None),
    ],
)
def test_a_bad_picture_is_rejected_with_its_reason(
    scenario: Scenario, name: str, data: bytes, outcome: Outcome, reason: Reason | None
) -> None:
    status = outcome_of_source(scenario, name, data)
    assert status.outcome == outcome
    assert [failure.reason for failure in status.failures] == ([reason] if reason else [])


def test_sources_that_cannot_be_fetched_are_rejected_with_their_reason(scenario: Scenario) -> None:
    changed = put(scenario, "changed", PHOTO).model_copy(update={"etag": "0" * 32})
    bad = {
        Reason.SOURCE_MISSING: Source(bucket="images", key="no/such/key"),
        Reason.SOURCE_BUCKET_NOT_ALLOWED: Source(bucket="no-such-bucket", key="key"),
        Reason.SOURCE_CHANGED: changed,
    }
    events = {reason: event(f"bad-{reason}", source) for reason, source in bad.items()}
    odd_bucket = event("odd-bucket", Source(bucket="Not A Bucket", key="key"))
    odd_key = event("odd-key", Source(bucket="images", key="a/../../b\0c"))
    with scenario.publisher() as publisher:
        for published in (*events.values(), odd_bucket, odd_key):
            publisher.event(published)
    found = outcomes(scenario, [published.event_id for published in events.values()])
    assert [status.failures[0].reason for status in found] == list(events)
    reasons = [s.failures[0].reason for s in outcomes(scenario, [odd_bucket.event_id, odd_key.event_id])]
    assert reasons == [Reason.SOURCE_BUCKET_NOT_ALLOWED, Reason.SOURCE_MISSING]


def test_an_unknown_preset_is_rejected_and_a_known_one_is_developed_alone(scenario: Scenario) -> None:
    source = put(scenario, "presets", PHOTO)
    unknown, alone = event("presets-1", source, presets=("poster",)), event("presets-2", source, presets=("thumb-256",))
    with scenario.publisher() as publisher:
        publisher.event(unknown)
        publisher.event(alone)
    rejected, ready = outcomes(scenario, [unknown.event_id, alone.event_id])
    assert rejected.failures[0].reason == Reason.UNKNOWN_PRESET
    assert "poster" in rejected.failures[0].message
    assert [derivative.preset for derivative in ready.derivatives] == ["thumb-256"]


def test_hostile_ids_end_in_safe_keys(scenario: Scenario) -> None:
    source = put(scenario, "hostile", PHOTO)
    images = ["../../etc/passwd", "a/b\\c", "nul\0byte", "🦊" * 200, ".", "..", "%2e%2e/", "\x1b[31mred"]
    events = [event(image, source, user_id="../" + image[:50], presets=("thumb-256",)) for image in images]
    with scenario.publisher() as publisher:
        for published in events:
            publisher.event(published)
    found = outcomes(scenario, [published.event_id for published in events])
    assert {status.outcome for status in found} == {Outcome.READY}
    for status in found:
        assert stored(scenario, status.image_id, status.user_id) == {status.derivatives[0].key}


def test_a_source_stored_with_a_content_encoding_is_not_inflated(scenario: Scenario) -> None:
    packed = gzip.compress(bytes(20_000_000))
    connect(scenario.target).put_object(
        "images", "packed", io.BytesIO(packed), len(packed), metadata={"Content-Encoding": "gzip"}
    )
    upload = event("packed", Source(bucket="images", key="packed"))
    with scenario.publisher() as publisher:
        publisher.event(upload)
    assert outcomes(scenario, [upload.event_id])[0].failures[0].reason == Reason.NOT_AN_IMAGE


def test_a_record_as_large_as_the_broker_takes_is_one_dead_letter_cut_short(scenario: Scenario) -> None:
    record = os.urandom(1_040_000)
    with scenario.publisher() as publisher:
        publisher.raw(b"anna", record)
    digest = hashlib.sha256(record).hexdigest()

    def found() -> list[DeadLetter]:
        return [letter for letter in scenario.dead_letters() if letter.payload_sha256 == digest]

    eventually(found, "its dead letter", lambda: len(scenario.dead_letters()))
    assert found()[0].payload_bytes == len(record)
    assert record.startswith(found()[0].payload)


def test_bytes_that_are_no_event_become_dead_letters_one_each(scenario: Scenario) -> None:
    good = event_codec().encode(event("fine", Source(bucket="images", key="k")))
    invalid = Codec(load_schema("image-event")).encode(
        {
            "event_id": "",
            "kind": "UPLOADED",
            "user_id": "",
            "image_id": "",
            "version": -1,
            "occurred_at": datetime.now(UTC),
        }
    )
    huge = Codec(load_schema("image-event")).encode(
        {**event("huge", Source(bucket="images", key="k")).model_dump(), "attributes": {"note": "x" * 100_000}}
    )
    source = {"bucket": "images", "key": "k", "etag": "a\r\nX-Evil: 1"}
    hostile_etag = Codec(load_schema("image-event")).encode(
        {**event("etag", None, kind=EventKind.DELETED).model_dump(), "source": source}
    )
    payloads = {
        b"not avro" + os.urandom(4): Reason.NOT_AVRO,
        good[:-3]: Reason.NOT_AVRO,
        good[:2] + bytes(8) + good[10:]: Reason.UNKNOWN_SCHEMA,
        hostile_etag: Reason.INVALID_EVENT,
        invalid: Reason.INVALID_EVENT,
        huge: Reason.INVALID_EVENT,
    }
    with scenario.publisher() as publisher:
        for payload in payloads:
            publisher.raw(b"anna", payload)

    def found() -> dict[bytes, Reason]:
        return {letter.payload: letter.reason for letter in scenario.dead_letters()}

    eventually(lambda: payloads.items() <= found().items(), "a dead letter each", found)


def test_a_burst_of_large_sources_fits_the_memory_budget(scenario: Scenario) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((3000, 2000), 60).convert("RGB").save(buffer, "PNG")
    size = len(buffer.getvalue())
    assert BUDGET_BYTES / 3 < size < BUDGET_BYTES
    source = put(scenario, "large", buffer.getvalue())
    events = [event(f"large-{number}", source, presets=("thumb-256",)) for number in range(12)]
    with scenario.publisher() as publisher:
        for published in events:
            publisher.event(published)
    assert {status.outcome for status in outcomes(scenario, [e.event_id for e in events])} == {Outcome.READY}
    slots = 2
    eventually(
        lambda: size <= metric(scenario, "source_bytes_in_flight_peak") <= slots * BUDGET_BYTES,
        f"a peak between {size} and {slots * BUDGET_BYTES} bytes",
        lambda: metric(scenario, "source_bytes_in_flight_peak"),
    )
