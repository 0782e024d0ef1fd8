"""What failed is replayed and what is damaged repaired, on the real stack, and verify finds nothing afterwards.

Transactions that a killed job left open are ended by the next start.
"""

import io
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from darkroom.kafka import KafkaTopic
from darkroom.lingering import find_lingering
from darkroom.stack.inspection import taskmanager_pid
from darkroom.stack.processes import python_workers
from darkroom.storage import connect
from schemas.codec import Codec, Schema, load_schema
from schemas.keys import derivative_key
from schemas.reasons import Reason
from schemas.records import Outcome, Source
from tests.live_stack import NEVER, PHOTOS, Scenario, event, eventually

PRESETS = """
version: 1
presets:
  - {{name: strip, geometry: fit, height: 8, format: {format}, quality: 80}}
  - {{name: thumb, geometry: cover, width: 16, height: 16, format: jpeg, quality: 80}}
sets:
  default: [strip, thumb]
"""
TOO_WIDE_FOR_WEBP = (20_000, 8)
UNBLOCKED_WITHIN_S = 120  # after the next job runs; the transactions themselves would last for an hour

pytestmark = pytest.mark.timeout(900)


def a_later_schema() -> Schema:
    """What a producer writes with that is ahead of the job."""
    schema = load_schema("image-event")
    more = {"name": "camera_roll", "type": ["null", "string"], "default": None}
    return {**schema, "fields": [*schema["fields"], more]}


def wide_picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", TOO_WIDE_FOR_WEBP, "teal").save(file, "JPEG")
    return file.getvalue()


def by_id(scenario: Scenario) -> dict[str, Outcome]:
    return {status.event_id: status.outcome for status in scenario.statuses()}


def told(output: str) -> dict[str, Any]:
    """The last JSON document of a command's output."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    found: dict[str, Any] = lines[-1]
    return found


def is_green(figures: dict[str, Any]) -> bool:
    return [figures[kind] for kind in ("lost", "duplicated", "orphaned", "corrupt")] == [0, 0, 0, 0]


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    path = tmp_path / "presets.yaml"
    path.write_text(PRESETS.format(format="webp"))
    return path


def test_what_failed_is_replayed_once_its_cause_is_mended(scenario: Scenario, presets: Path, tmp_path: Path) -> None:
    mutable = dict(scenario.environment)
    scenario.environment = mutable
    mutable |= {"DARKROOM_PRESETS_FILE": str(presets), "DARKROOM_SOURCE_WAIT_S": "0"}
    with scenario.publisher() as publisher:
        photo = publisher.upload("anna", "photo", (PHOTOS / "rocket.jpg").read_bytes())
        fine = event("fine", photo)
        failed = event("wide", publisher.upload("anna", "wide", wide_picture()), presets=("strip",))
        outdated = event("outdated", publisher.upload("anna", "outdated", wide_picture()), presets=("strip",))
        newer = event("outdated", photo, version=2)
        missing = event("missing", Source(bucket="images", key=f"not-yet-{uuid4()}"))
        ahead = event("ahead", photo)
        for one in (fine, failed, outdated, newer, missing):
            publisher.event(one)
        publisher.raw(b"anna", Codec(a_later_schema()).encode(ahead.model_dump()))
        publisher.raw(None, b"junk")
    scenario.submit()
    figures = scenario.verify()
    assert (figures["outcomes"], figures["dead_letters"]) == ({"FAILED": 2, "READY": 2, "REJECTED": 1}, 2)

    savepoint = scenario.stop_with_savepoint()
    presets.write_text(PRESETS.format(format="jpeg"))
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "later.avsc").write_text(json.dumps(a_later_schema()))
    mutable["DARKROOM_SCHEMAS_DIR"] = str(tmp_path / "schemas")
    scenario.submit("--savepoint", savepoint)
    assert is_green(scenario.verify()), "a record that is an event since has its dead letter"

    plan = told(scenario.darkroom("replay", "--json"))
    assert plan["of"] == [
        {"outcome": "FAILED", "reason": Reason.RENDER_FAILED, "count": 1},
        {"outcome": "UNDECODABLE", "reason": Reason.UNKNOWN_SCHEMA, "count": 1},
    ]
    assert plan["skipped"] == {"are superseded since": 1, "still cannot be decoded": 1}
    assert len(scenario.statuses()) == 5, "a dry run publishes nothing"

    assert told(scenario.darkroom("replay", "--yes", "--json"))["records"] == 2
    again = told(scenario.darkroom("replay", "--yes", "--json"))
    assert (again["records"], again["skipped"]["were replayed before"]) == (0, 2)
    figures = scenario.verify()
    assert is_green(figures)
    assert figures["outcomes"] == {"FAILED": 2, "READY": 4, "REJECTED": 1}
    assert by_id(scenario)[ahead.event_id] is Outcome.READY

    assert "nothing to replay" in scenario.darkroom("replay", "--user", "bella")
    assert missing.source is not None
    connect(scenario.target).put_object("images", missing.source.key, io.BytesIO(wide_picture()), len(wide_picture()))
    choice = ("replay", "--outcome", "REJECTED", "--reason", "SOURCE_MISSING", "--user", "anna", "--since", "1h")
    assert told(scenario.darkroom(*choice, "--yes", "--json"))["records"] == 1
    figures = scenario.verify()
    assert is_green(figures)
    assert figures["outcomes"] == {"FAILED": 2, "READY": 5, "REJECTED": 1}


def test_what_is_damaged_is_repaired(scenario: Scenario) -> None:
    images = ("lost", "corrupt", "cut", "whole")
    with scenario.publisher() as publisher:
        photo = publisher.upload("anna", "photo", (PHOTOS / "rocket.jpg").read_bytes())
        for image in images:
            publisher.event(event(image, photo))
    scenario.submit()
    assert is_green(scenario.verify())
    store, bucket = connect(scenario.target), scenario.target.buckets.derivatives
    keys = {status.image_id: status.derivatives[0] for status in scenario.statuses()}
    orphan = derivative_key("anna", "nobody's", 1, "thumb", "0123456789ab", "jpg")
    metadata: dict[str, Any] = {"x-amz-meta-sha256": "0" * 64}
    store.remove_object(bucket, keys["lost"].key)
    store.put_object(bucket, keys["corrupt"].key, io.BytesIO(b"x" * keys["corrupt"].bytes), keys["corrupt"].bytes)
    store.put_object(bucket, keys["cut"].key, io.BytesIO(b"x"), 1)
    store.put_object(bucket, orphan, io.BytesIO(b"x"), 1, metadata=metadata)
    store.put_object(bucket, "not ours", io.BytesIO(b"x"), 1)

    figures = scenario.verify(wait_s=0, status=1)
    assert (figures["lost"], figures["orphaned"], figures["corrupt"]) == (1, 2, 2)
    plan = told(scenario.darkroom("verify", "--repair", "--json", "--older-than", "0s", status=1))
    assert (plan["done"], plan["replays"], plan["removals"]) == (False, {"corrupt object": 2, "lost object": 1}, 1)
    assert scenario.verify(wait_s=0, status=1)["corrupt"] == 2, "a dry run mends nothing"
    young = told(scenario.darkroom("verify", "--repair", "--yes", "--json", status=1))
    assert (young["removals"], sum(young["replays"].values())) == (0, 3), "what is young is not removed"
    scenario.darkroom("verify", "--repair", "--yes", "--wait", "60", "--older-than", "0s", status=1)
    assert [found.object_name for found in store.list_objects(bucket) if not found.is_dir] == ["not ours"]
    store.remove_object(bucket, "not ours")
    figures = scenario.verify()
    assert is_green(figures)
    assert figures["outcomes"] == {"READY": len(images) + 3}


def pending(scenario: Scenario) -> int:
    """How many records of statuses no read_committed reader can see."""
    with KafkaTopic(scenario.target.kafka_bootstrap, scenario.target.topics.status) as topic:
        return topic.pending()


def open_transactions(scenario: Scenario) -> list[str]:
    found = find_lingering(scenario.target.kafka_bootstrap, [scenario.target.topics.status])
    return [one.transactional_id for one in found]


def publish_photos(scenario: Scenario, count: int) -> None:
    with scenario.publisher() as publisher:
        photo = publisher.upload("anna", "photo", (PHOTOS / "rocket.jpg").read_bytes())
        for number in range(count):
            publisher.event(event(f"photo-{time.monotonic_ns()}-{number}", photo, user_id=f"user-{number % 4}"))


def kill_with_an_open_transaction(scenario: Scenario) -> list[str]:
    """Kill the TaskManager and its workers while statuses are written and not committed; then cancel what is left."""
    eventually(lambda: pending(scenario), "a transaction is open", lambda: pending(scenario))
    home = scenario.stack.home
    workers, taskmanager = python_workers(home.path), taskmanager_pid(home)
    assert taskmanager is not None
    for pid in (taskmanager, *workers):
        with suppress(ProcessLookupError):  # a worker ends with its TaskManager
            os.kill(pid, signal.SIGKILL)
    scenario.cancel()
    left = open_transactions(scenario)
    assert left
    assert pending(scenario)
    return left


def wait_until_unblocked(scenario: Scenario, left: list[str]) -> None:
    """Wait until nothing that was left open hides anything; tell how long it took once the next job ran."""
    started = time.monotonic()
    eventually(
        lambda: not set(left) & set(open_transactions(scenario)),
        "what the killed job left open is ended",
        lambda: open_transactions(scenario),
        limit_s=UNBLOCKED_WITHIN_S,
    )
    print(f"\n{len(left)} transactions had ended {time.monotonic() - started:.1f} s after the job ran")


@pytest.mark.parametrize("prefix", ["the same prefix", "another prefix"])
def test_a_start_from_nothing_aborts_what_a_killed_job_left_open(scenario: Scenario, prefix: str) -> None:
    scenario.environment = {**scenario.environment}
    scenario.submit(interval=NEVER)
    publish_photos(scenario, 8)
    left = kill_with_an_open_transaction(scenario)
    if prefix == "another prefix":
        scenario.environment["DARKROOM_TRANSACTIONAL_ID_PREFIX"] += "-other"
    wait_for_slots(scenario)
    told = scenario.submit("--from-nothing", "--parallelism", "1")
    wait_until_unblocked(scenario, left)
    assert "that an earlier job left open" in told
    figures = scenario.verify()
    assert (is_green(figures), figures["outcomes"]) == (True, {"READY": 8})


def test_a_job_that_resumes_commits_what_its_checkpoint_holds_and_ends_the_rest(scenario: Scenario) -> None:
    scenario.submit(interval=NEVER)
    publish_photos(scenario, 8)
    eventually(lambda: pending(scenario) == 8, "8 statuses are written", lambda: pending(scenario))
    scenario.flink("checkpoint", scenario.job().job_id)
    assert is_green(scenario.verify())
    publish_photos(scenario, 40)
    left = kill_with_an_open_transaction(scenario)
    wait_for_slots(scenario)
    assert "left open" not in scenario.submit()
    wait_until_unblocked(scenario, left)
    figures = scenario.verify()
    assert (is_green(figures), figures["outcomes"]) == (True, {"READY": 48})


def wait_for_slots(scenario: Scenario) -> None:
    """Wait until the TaskManager that was killed is replaced and all of its slots are free."""

    def free() -> bool:
        overview = scenario.rest.get("/overview")
        return bool(overview["slots-total"] and overview["slots-available"] == overview["slots-total"])

    eventually(free, "the slots of a new TaskManager are free", lambda: scenario.rest.get("/overview"))
