"""The order of events on the real stack: storms on few images end as the model says, worker killed or not."""

import os
import random
import signal

import pytest

from darkroom.kafka import KafkaTopic
from darkroom.replay_events import replay_of
from darkroom.stack.processes import python_workers
from darkroom.storage import S3Objects
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source
from tests.live_stack import PHOTOS, Scenario, event, eventually
from tests.order_model import Model, objects_of
from udfs.ledger import Memory

SEED = 20260521
USERS, IMAGES, PRODUCERS, EVENTS_EACH = ("anna", "bella"), ("cat", "dog"), 4, 60
PRESETS = ("thumb-256", "fit-640-jpeg")
KINDS = (*[EventKind.UPLOADED] * 6, EventKind.DELETED, EventKind.REDERIVE, EventKind.REDERIVE)
HOUR_MS = 60 * 60 * 1000
MEMORY = Memory(event_ms=24 * HOUR_MS, image_ms=30 * 24 * HOUR_MS, max_events=10_000, max_images=10_000)

pytestmark = pytest.mark.timeout(600)


def storm(chosen: random.Random, source: Source) -> list[ImageEvent]:
    """One producer's events: versions that mostly rise, with late old ones, deletions, repetitions and replays."""
    events: list[ImageEvent] = []
    for number in range(EVENTS_EACH):
        if events and chosen.random() < 0.15:
            events.append(chosen.choice(events))
        elif events and chosen.random() < 0.1:
            events.append(replay_of(chosen.choice(events)))
        else:
            events.append(an_event(chosen, source, number))
    return events


def an_event(chosen: random.Random, source: Source, number: int) -> ImageEvent:
    kind = chosen.choice(KINDS)
    version = chosen.randint(1, number + 1) if chosen.random() < 0.2 else number + 1
    presets = chosen.choice([PRESETS, PRESETS[:1], PRESETS[1:]])
    deletion = kind is EventKind.DELETED
    return event(
        chosen.choice(IMAGES),
        None if deletion else source,
        event_id=str(chosen.getrandbits(64)),
        user_id=chosen.choice(USERS),
        kind=kind,
        version=version,
        presets=None if deletion else presets,
    )


def published(scenario: Scenario) -> list[ImageEvent]:
    """The events as they lie in the topic: those of one user in the order in which the job takes them."""
    codec = event_codec()
    with KafkaTopic(scenario.target.kafka_bootstrap, scenario.target.topics.events) as topic:
        return [codec.decode(record.value or b"") for record in topic.read()]


def test_a_storm_on_few_images_ends_as_the_model_says(scenario: Scenario) -> None:
    scenario.environment = {
        **scenario.environment,
        "DARKROOM_USER_BURST": "10000",
        "DARKROOM_USER_EVENTS_PER_MINUTE": "100000",
    }
    scenario.submit()
    with scenario.publisher() as publisher:
        source = publisher.upload("anna", "photo", (PHOTOS / "rocket.jpg").read_bytes())
        storms = [storm(random.Random(SEED + number), source) for number in range(PRODUCERS)]
        for one in (one for interleaved in zip(*storms, strict=True) for one in interleaved):
            publisher.event(one)
    eventually(lambda: len(scenario.statuses()) > 20, "a first part is committed", lambda: len(scenario.statuses()))
    workers = python_workers(scenario.stack.home.path)
    os.kill(workers[0], signal.SIGKILL)

    model = Model(MEMORY, PRESETS)
    for one in published(scenario):
        model.take(one, now=0)
    figures = scenario.verify(wait_s=300)
    print(f"\n{figures['outcomes']}, {figures['duplicates_ignored']} duplicates ignored, {figures['objects']} objects")
    assert [figures[kind] for kind in ("lost", "duplicated", "orphaned", "corrupt")] == [0, 0, 0, 0]
    told = sorted((status.user_id, status.event_id, status.outcome) for status in scenario.statuses())
    assert told == sorted(model.outcomes)
    assert {one.outcome for one in scenario.statuses()} >= {"READY", "DELETED", "SUPERSEDED"}
    bucket = scenario.target.buckets.derivatives
    stored = [found.key for found in S3Objects(scenario.target).list(bucket)]
    assert objects_of(stored) == model.stored() != []
