"""What a replay or a repair published in the place of something lost is accounted for, and what is planned to mend."""

import pytest
from verify_world import NOW_MS, World, event_bytes, letter_bytes, status_bytes, world_in_order

from darkroom.ports import TopicRecord
from darkroom.replay_events import REPAIR_HEADER, REPLAY_OF, replay_id, replay_of
from darkroom.verify import Report
from darkroom.verify.repair import OLDEST_MS, Planning, Repairs
from darkroom.verify.report import summary
from schemas.keys import derivative_key
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Outcome

MINUTE_MS = 60_000
LATER_MS = NOW_MS + 10 * MINUTE_MS


def figures(world: World) -> tuple[int, int, int, int]:
    with world.verify() as report:
        f = report.figures
        sums = f.events == f.statuses + f.dead_letters
        assert sums == report.ok, summary(f)
        return f.lost, f.duplicated, f.orphaned, f.corrupt


def planned(world: World, now_ms: int = LATER_MS, in_flight_ms: int = MINUTE_MS) -> Repairs:
    with world.verify() as report:
        return planned_of(report, world, now_ms, in_flight_ms)


def planned_of(report: Report, world: World, now_ms: int, in_flight_ms: int) -> Repairs:
    world.events._read = 0
    return Planning(report, [], now_ms, in_flight_ms).plan(world.events)


def replays(repairs: Repairs) -> list[ImageEvent]:
    return [event_codec().decode(entry.value) for entry in repairs.entries]


def publish(world: World, repairs: Repairs) -> None:
    for entry in repairs.entries:
        record = TopicRecord(0, len(world.events.records), LATER_MS, entry.key, entry.value, entry.headers)
        world.events.records.append(record)


def fresh(world: World) -> World:
    """The same world, to be read from its beginning."""
    for topic in (world.events, world.statuses, world.letters):
        topic._read = 0
    return world


def test_an_upload_is_replayed_as_a_rederive_of_its_version_and_a_deletion_as_one() -> None:
    upload = event_codec().decode(event_bytes("e", "cat", 7))
    replayed = replay_of(upload)
    assert (replayed.kind, replayed.version, replayed.event_id) == (EventKind.REDERIVE, 7, replay_id("e"))
    assert (replayed.source, replayed.attributes) == (upload.source, {REPLAY_OF: "e"})
    deletion = event_codec().decode(event_bytes("d", "cat", 8, EventKind.DELETED))
    assert replay_of(deletion).kind is EventKind.DELETED


def test_replays_of_replays_have_ids_of_their_own_and_every_run_makes_the_same() -> None:
    chain = ["e"]
    for _ in range(5):
        chain.append(replay_id(chain[-1]))
    assert len(set(chain)) == 6
    assert chain[1] == "67314ec6-f384-5232-9ca4-8dfab1bb8601"


@pytest.mark.parametrize("attributes", [{str(n): "" for n in range(64)}, {"a": "x" * 16_383}], ids=["many", "large"])
def test_attributes_without_room_stay_as_they_are(attributes: dict[str, str]) -> None:
    full = event_codec().decode(event_bytes("e")).model_copy(update={"attributes": attributes})
    replayed = replay_of(full)
    assert replayed.attributes == attributes
    assert ImageEvent.model_validate(replayed.model_dump()) == replayed


def test_a_lost_status_is_replaced_by_that_of_its_replay() -> None:
    world = world_in_order()
    world.event("lost", "new")
    assert figures(world) == (1, 0, 0, 0)
    repairs = planned(fresh(world))
    (replay,) = replays(repairs)
    assert (replay.event_id, replay.image_id, replay.kind) == (replay_id("lost"), "new", EventKind.REDERIVE)
    publish(world, repairs)
    assert figures(fresh(world)) == (2, 0, 0, 0), "until the replay has its status"
    whys = {one.why for one in planned(fresh(world)).unmendable}
    assert whys == {"its replay is on its way", "it may still be on its way"}
    world.statuses.append(status_bytes(replay_id("lost"), "new", outcome=Outcome.REJECTED))
    assert figures(fresh(world)) == (0, 0, 0, 0)
    with fresh(world).verify() as report:
        assert report.figures.replaced_by_replays == 1
        assert report.figures.images_unsettled == 0


def test_the_lost_dead_letter_of_a_failed_event_is_replaced_by_its_replay() -> None:
    world = world_in_order()
    world.event("failed", "new")
    world.statuses.append(status_bytes("failed", "new", outcome=Outcome.FAILED))
    assert world_lost(world) == 1
    publish(world, planned(fresh(world)))
    world.statuses.append(status_bytes(replay_id("failed"), "new", outcome=Outcome.REJECTED))
    assert figures(fresh(world)) == (0, 0, 0, 0)


def world_lost(world: World) -> int:
    with world.verify() as report:
        return report.figures.lost


def test_a_record_whose_dead_letter_is_lost_is_published_again_and_then_counts_once() -> None:
    world = world_in_order()
    for _ in range(2):
        world.events.append(b"lost bytes")
    assert figures(world) == (2, 0, 0, 0)
    for round_ in range(2):
        repairs = planned(fresh(world))
        assert [(entry.value, entry.headers) for entry in repairs.entries] == [
            (b"lost bytes", ((REPAIR_HEADER, b"1"),))
        ]
        publish(world, repairs)
        world.letters.append(letter_bytes(b"lost bytes"))
        assert figures(fresh(world)) == (1 - round_, 0, 0, 0)
    world.letters.append(letter_bytes(b"lost bytes"))
    world.letters.append(letter_bytes(b"lost bytes"))
    assert figures(fresh(world)) == (0, 0, 0, 0), "the dead letters of the first two were only late"
    world.letters.append(letter_bytes(b"lost bytes"))
    assert figures(fresh(world))[1] == 1


def test_a_lost_object_is_made_again_by_the_event_that_announced_it() -> None:
    world = world_in_order()
    victim = max(world.objects.data)
    data = world.objects.data.pop(victim)
    (replay,) = replays(planned(world))
    assert (replay.event_id, replay.version) == (replay_id("e2"), 2)
    world.objects.data[victim] = data[:-1] + b"?"
    (replay,) = replays(planned(fresh(world)))
    assert replay.event_id == replay_id("e2")


def test_a_replay_that_ended_is_replayed_and_one_on_its_way_or_superseded_is_left() -> None:
    world = world_in_order()
    world.objects.data.pop(max(world.objects.data))
    publish(world, planned(world))
    repairs = planned(fresh(world))
    assert (repairs.entries, [one.why for one in repairs.unmendable]) == ([], ["it may still be on its way"])
    world.statuses.append(status_bytes(replay_id("e2"), "cat", 2, outcome=Outcome.REJECTED))
    (replay,) = replays(planned(fresh(world)))
    assert replay.event_id == replay_id(replay_id("e2"))
    publish(world, planned(fresh(world)))
    world.statuses.append(status_bytes(replay.event_id, "cat", 2, outcome=Outcome.SUPERSEDED))
    repairs = planned(fresh(world))
    assert repairs.entries == []
    assert "SUPERSEDED" in repairs.unmendable[0].why


def test_what_is_young_or_older_than_the_memory_of_images_is_not_replayed() -> None:
    world = world_in_order()
    world.event("lost", "new")
    for now_ms, why in ((NOW_MS + 1, "on its way"), (NOW_MS + OLDEST_MS + 1, "older than what the job remembers")):
        repairs = planned(fresh(world), now_ms=now_ms)
        assert repairs.entries == []
        assert why in repairs.unmendable[0].why


def test_only_orphaned_objects_with_a_key_of_ours_are_removed() -> None:
    world = world_in_order()
    ours = derivative_key("ann", "ghost", 1, "s", "0123456789ab", "webp")
    for key in (ours, "ann/ghost/notes.txt", "elsewhere"):
        world.objects.data["derivatives", key] = b"x"
    repairs = planned(world)
    assert repairs.removals == [ours]
    assert [one.finding.key for one in repairs.unmendable] == ["ann/ghost/notes.txt", "elsewhere"]


def test_what_was_published_twice_is_left() -> None:
    world = world_in_order()
    world.statuses.append(status_bytes("e5", "cat", 1, outcome=Outcome.SUPERSEDED))
    world.letters.append(letter_bytes(b"never on the topic"))
    repairs = planned(world)
    assert (repairs.entries, repairs.removals) == ([], [])
    assert {one.why for one in repairs.unmendable} == {"what was published cannot be taken back"}


def test_a_world_in_order_needs_no_repair() -> None:
    repairs = planned(world_in_order())
    assert (repairs.entries, repairs.removals, repairs.unmendable) == ([], [], [])


class TestRecordsThatDecodeSince:
    """An event that the job could not decode then, and verify can now: its schema was added."""

    def world(self, records: int, letters: int) -> World:
        world = world_in_order()
        for _ in range(records):
            world.event("ahead", "new")
        for _ in range(letters):
            world.letters.append(letter_bytes(event_bytes("ahead", "new")))
        return world

    @pytest.mark.parametrize("count", [1, 3])
    def test_each_has_its_dead_letter(self, count: int) -> None:
        world = self.world(count, count)
        assert figures(world) == (0, 0, 0, 0)

    @pytest.mark.parametrize(("records", "letters"), [(2, 1), (3, 1), (4, 2)])
    def test_a_replayed_one_has_a_status_besides(self, records: int, letters: int) -> None:
        world = self.world(records, letters)
        assert figures(world)[0] == 1, "until its status is there"
        world.statuses.append(status_bytes("ahead", "new", outcome=Outcome.REJECTED))
        assert figures(fresh(world)) == (0, 0, 0, 0)
        with fresh(world).verify() as report:
            assert report.figures.duplicates_ignored == 1 + records - letters - 1

    def test_a_dead_letter_too_many_is_duplicated(self) -> None:
        assert figures(self.world(1, 2))[1] == 1

    def test_a_dead_letter_without_its_record_is_orphaned(self) -> None:
        assert figures(self.world(0, 1))[2] == 1

    def test_its_image_is_settled(self) -> None:
        with self.world(1, 1).verify() as report:
            assert report.figures.images_unsettled == 0
