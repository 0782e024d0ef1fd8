"""What a replay chooses, and what it leaves out."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from verify_world import NOW_MS, FakeTopic, World, event_bytes, letter_bytes, status_bytes

from darkroom.console import Silent
from darkroom.ports import Topic
from darkroom.replay_events import replay_id, replay_of
from darkroom.replay_selection import GONE, REPLAYED, STILL, SUPERSEDED, UNDECODABLE, Choosing, Plan, Selection
from schemas.reasons import Reason
from schemas.record_codecs import event_codec, status_codec
from schemas.records import EventKind, Failure, ImageEvent, Outcome, Stage

FAILED = frozenset({Outcome.FAILED})
CODEC = event_codec()


def choose(world: World, **asked: Any) -> Plan:
    topics = {"events": world.events, "status": world.statuses, "dead_letters": world.letters}

    def opened(role: str) -> AbstractContextManager[Topic]:
        topics[role]._read = 0
        return nullcontext(topics[role])

    selection = Selection(**{"outcomes": FAILED, "undecodable": True, **asked})
    return Choosing(selection, opened, [], Silent()).plan()


def chosen(plan: Plan) -> list[ImageEvent]:
    return [CODEC.decode(entry.value) for entry in plan.entries]


def left_out(plan: Plan) -> dict[str, int]:
    return {words: count for words, count in plan.skipped.items() if count}


def end(
    world: World,
    event_id: str,
    image: str = "cat",
    version: int = 1,
    outcome: Outcome = Outcome.FAILED,
    reason: Reason = Reason.TIME_BUDGET,
    preset: str | None = None,
    kind: EventKind = EventKind.UPLOADED,
    at_ms: int = NOW_MS,
) -> None:
    """Add an event and how it ended."""
    world.events.append(event_bytes(event_id, image, version, kind), at_ms)
    status = status_codec().decode(status_bytes(event_id, image, version, outcome=outcome, kind=kind))
    failure = Failure(stage=Stage.RENDER, reason=reason, message="", preset=preset)
    failures = () if outcome in (Outcome.READY, Outcome.DELETED) else (failure,)
    world.statuses.append(status_codec().encode(status.model_copy(update={"failures": failures})), at_ms)


def test_failed_events_are_replayed_in_their_order() -> None:
    world = World()
    for name in ("first", "second", "third"):
        end(world, name, image=name)
    end(world, "fine", "fine", outcome=Outcome.READY)
    plan = choose(world)
    assert chosen(plan) == [replay_of(CODEC.decode(event_bytes(name, name))) for name in ("first", "second", "third")]
    assert [entry.key for entry in plan.entries] == [b"ann"] * 3
    assert left_out(plan) == {}


def test_a_second_run_replays_nothing_and_a_replay_that_failed_is_replayed() -> None:
    world = World()
    end(world, "e")
    (entry,) = choose(world).entries
    world.events.append(entry.value)
    plan = choose(world)
    assert (plan.entries, left_out(plan)) == ([], {REPLAYED: 1})
    status = status_codec().decode(world.statuses.records[0].value or b"")
    again = status.model_copy(update={"event_id": replay_id("e"), "kind": EventKind.REDERIVE})
    world.statuses.append(status_codec().encode(again))
    plan = choose(world)
    assert [event.event_id for event in chosen(plan)] == [replay_id(replay_id("e"))]
    assert left_out(plan) == {REPLAYED: 1}


@pytest.mark.parametrize(
    ("later", "replays"),
    [
        ({"version": 2, "outcome": Outcome.READY}, 0),
        ({"version": 2, "outcome": Outcome.REJECTED}, 0),
        ({"version": 1, "outcome": Outcome.DELETED, "kind": EventKind.DELETED}, 0),
        ({"version": 1, "outcome": Outcome.READY, "kind": EventKind.REDERIVE}, 1),
        ({"version": 2, "outcome": Outcome.SUPERSEDED}, 1),
        ({"version": 2, "outcome": Outcome.REJECTED, "reason": Reason.USER_BACKLOG_FULL}, 1),
        ({"version": 2, "outcome": Outcome.READY, "image": "dog"}, 1),
    ],
)
def test_what_took_effect_later_supersedes(later: dict[str, Any], replays: int) -> None:
    world = World()
    end(world, "e")
    end(world, "later", **later)
    plan = choose(world)
    assert len(plan.entries) == replays
    assert left_out(plan) == ({} if replays else {SUPERSEDED: 1})


@pytest.mark.parametrize(
    ("asked", "replays"),
    [
        ({"reasons": frozenset({Reason.TIME_BUDGET})}, 1),
        ({"reasons": frozenset({Reason.MEMORY_BUDGET})}, 0),
        ({"users": frozenset({"ann"})}, 1),
        ({"users": frozenset({"bob"})}, 0),
        ({"presets": frozenset({"s"})}, 1),
        ({"presets": frozenset({"m"})}, 0),
        ({"since_ms": NOW_MS}, 1),
        ({"since_ms": NOW_MS + 1}, 0),
        ({"until_ms": NOW_MS + 1}, 1),
        ({"until_ms": NOW_MS}, 0),
        ({"outcomes": frozenset({Outcome.REJECTED})}, 0),
    ],
)
def test_only_what_is_asked_for_is_replayed(asked: dict[str, Any], replays: int) -> None:
    world = World()
    end(world, "e", preset="s")
    assert len(choose(world, **asked).entries) == replays


def test_a_failed_event_that_is_no_longer_in_the_topic_comes_from_its_dead_letter() -> None:
    world = World()
    end(world, "kept")
    end(world, "gone", "dog")
    world.letters.append(letter_bytes(event_bytes("kept"), "kept"))
    world.events = FakeTopic()
    plan = choose(world)
    assert [event.event_id for event in chosen(plan)] == [replay_id("kept")]
    assert left_out(plan) == {GONE: 1}


class TestRecordsThatDecodeSince:
    def world(self) -> World:
        world = World()
        world.garbage(event_bytes("ahead"))
        world.garbage(b"junk")
        return world

    def test_they_are_published_as_they_were_and_junk_is_left(self) -> None:
        plan = choose(self.world())
        assert [(entry.value, entry.outcome) for entry in plan.entries] == [(event_bytes("ahead"), UNDECODABLE)]
        assert left_out(plan) == {STILL: 1}

    def test_equal_ones_are_published_once_and_not_again_before_there_is_a_new_dead_letter(self) -> None:
        world = self.world()
        world.garbage(event_bytes("ahead"))
        (entry,) = choose(world).entries
        world.events.append(entry.value)
        assert left_out(choose(world)) == {STILL: 1, REPLAYED: 1}
        world.letters.append(letter_bytes(entry.value))
        assert len(choose(world).entries) == 1

    def test_they_are_left_out_when_they_are_not_asked_for(self) -> None:
        assert choose(self.world(), undecodable=False).entries == []
        assert choose(self.world(), reasons=frozenset({Reason.UNKNOWN_SCHEMA})).entries == []
        assert choose(self.world(), users=frozenset({"bob"})).entries == []
