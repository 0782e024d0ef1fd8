"""The independent model of chaos: what each event has to end in, by the versions before it and by its source."""

import pytest

from schemas.reasons import Reason
from schemas.records import EventKind, Outcome
from tests.chaos.judging import Judging
from tests.chaos.model import DELETED, READY, Expected, Knowledge, Model, Presets, rejected
from tests.chaos.observed import Observed
from tests.pure.chaos_world import World

NEWER = (Outcome.SUPERSEDED, Reason.NEWER_VERSION_KNOWN)
GONE = (Outcome.SUPERSEDED, Reason.IMAGE_DELETED)


def told(world: World) -> list[Expected | None]:
    """Return what the model says of each published event."""
    observed = Observed()
    observed.add_records(world.events)
    known = Knowledge.of(world.lines)
    model = Model(Presets.read(), known, "images")
    return [model.see(record.event, record.sha256) for record in observed.records if record.event]


def ends(world: World) -> list[object]:
    """Return the ends the model allows for each event: the one, or a set of several; None for a repetition."""
    return [
        None if expected is None else next(iter(expected.ends)) if len(expected.ends) == 1 else set(expected.ends)
        for expected in told(world)
    ]


@pytest.mark.parametrize(
    ("story", "right"),
    [
        ("U1 U2 U3", [READY, READY, READY]),
        ("U3 U1 U2 U3", [READY, NEWER, NEWER, NEWER]),
        ("U3 R3 R3 R2", [READY, READY, READY, NEWER]),
        ("R4 U4 U5", [READY, NEWER, READY]),
        ("U2 D2 D2 U2 R2 U1 U3", [READY, DELETED, DELETED, GONE, GONE, GONE, READY]),
        ("U2 D5 D4 U5 U6 D5", [READY, DELETED, GONE, GONE, READY, NEWER]),
        ("D1 U1 U2", [DELETED, GONE, READY]),
        ("U0 U0 D0", [READY, NEWER, DELETED]),
    ],
)
def test_only_the_newest_version_takes_effect(story: str, right: list[object]) -> None:
    kinds = {"U": EventKind.UPLOADED, "R": EventKind.REDERIVE, "D": EventKind.DELETED}
    world = World()
    world.put("cat", b"cat")
    for word in story.split():
        world.publish(int(word[1:]), kinds[word[0]])
    assert ends(world) == right


def test_images_and_users_do_not_know_each_other() -> None:
    world = World()
    world.put("cat", b"cat")
    world.publish(5)
    world.publish(1, image="dog")
    world.publish(1, user_id="bob")
    assert ends(world) == [READY, READY, READY]


def test_an_event_id_counts_once_per_user() -> None:
    world = World()
    world.put("cat", b"cat")
    world.publish(1, event_id="one")
    world.publish(2, event_id="one")
    world.publish(2, event_id="one", user_id="bob")
    world.publish(1, image="dog", event_id="one")
    assert ends(world) == [READY, None, READY, None]


def test_a_rejected_event_takes_its_version() -> None:
    world = World()
    world.put("torn", b"torn", "CORRUPT_IMAGE")
    world.put("cat", b"cat")
    world.publish(2, key="torn")
    world.publish(1)
    assert ends(world) == [rejected(Reason.CORRUPT_IMAGE), NEWER]


@pytest.mark.parametrize("content", ["CORRUPT_IMAGE", "NOT_AN_IMAGE", "TOO_MANY_PIXELS", "SOURCE_EMPTY"])
def test_a_bad_source_has_one_reason(content: str) -> None:
    world = World()
    world.put("bad", b"", content)
    world.publish(1, key="bad")
    assert ends(world) == [rejected(Reason(content))]


def test_a_source_that_never_comes_is_missing_and_one_that_comes_late_may_be_found() -> None:
    world = World()
    world.publish(1, key="never")
    world.publish(1, image="dog", key="late")
    world.put("late", b"dog")
    assert ends(world) == [rejected(Reason.SOURCE_MISSING), {rejected(Reason.SOURCE_MISSING), READY}]


def test_a_source_replaced_in_place_is_noticed_by_its_entity_tag() -> None:
    world = World()
    old = world.put("cat", b"old")
    source = {"bucket": "images", "key": "cat", "etag": old.etag}
    world.publish(1, source=source)
    world.publish(2)
    new = world.put("cat", b"new")
    world.publish(3, source=source)
    world.publish(4)
    changed = rejected(Reason.SOURCE_CHANGED)
    assert ends(world) == [{READY, changed}, READY, changed, READY]
    assert [one.sources for one in told(world) if one] == [
        {old.sha256},
        {old.sha256, new.sha256},
        set(),
        {new.sha256},
    ]


def test_presets_are_those_asked_for_or_the_default_set() -> None:
    world = World()
    world.put("cat", b"cat")
    world.publish(1)
    world.publish(1, EventKind.REDERIVE, presets=("tiny",))
    world.publish(1, EventKind.REDERIVE, presets=("default", "tiny"))
    world.publish(2, presets=("small", "none-such"))
    world.publish(3, source={"bucket": "elsewhere", "key": "cat"})
    presets = [one.presets for one in told(world) if one]
    assert presets[:3] == [{"small", "square"}, {"tiny"}, {"small", "square", "tiny"}]
    assert ends(world)[3:] == [rejected(Reason.UNKNOWN_PRESET), rejected(Reason.SOURCE_BUCKET_NOT_ALLOWED)]


def test_a_record_that_is_not_what_the_load_meant_is_told() -> None:
    world = World()
    world.publish_bytes(b"junk", "EVENT")
    observed = Observed()
    observed.add_records(world.events)
    known = Knowledge.of(world.lines)
    judging = Judging(Model(Presets.read(), known, "images"), known, Presets.read(), frozenset())
    judging.judge(observed)
    assert "the load is wrong" in judging.verdict.in_words()
