"""Each way to be wrong is found and named, and nothing else is."""

from collections.abc import Callable

import pytest
from verify_world import BUCKET, NOW_MS, World, event_bytes, letter_bytes, status_bytes, world_in_order

from darkroom.verify import Kind
from darkroom.verify.report import summary
from schemas.records import Outcome


def last_object(world: World) -> tuple[str, str]:
    return max(world.objects.data)


def lose_a_status(world: World) -> None:
    world.event("lost", "new")


def lose_a_dead_letter(world: World) -> None:
    world.events.append(b"no event")


def lose_the_dead_letter_of_a_failed_event(world: World) -> None:
    world.event("failed", "new")
    world.statuses.append(status_bytes("failed", "new", outcome=Outcome.FAILED))


def lose_an_object(world: World) -> None:
    del world.objects.data[last_object(world)]


def lose_the_object_of_a_preset_developed_again(world: World) -> None:
    world.event("again", "cat", 2)
    world.statuses.append(status_bytes("again", "cat", 2, [world.store("cat", 2, "s", recipe="r2")]))
    del world.objects.data[BUCKET, "ann/cat/2/s-r1.webp"]
    del world.objects.data[BUCKET, "ann/cat/2/s-r2.webp"]


def duplicate_a_status(world: World) -> None:
    world.statuses.append(status_bytes("e5", "cat", 1, outcome=Outcome.SUPERSEDED))


def duplicate_a_dead_letter(world: World) -> None:
    world.letters.append(letter_bytes(b"no event"))


def duplicate_the_dead_letter_of_a_failed_event(world: World) -> None:
    world.letters.append(letter_bytes(event_bytes("e6", "dog"), "e6"))


def orphan_a_status(world: World) -> None:
    world.statuses.append(status_bytes("unknown", "new", outcome=Outcome.REJECTED))


def orphan_a_dead_letter(world: World) -> None:
    world.letters.append(letter_bytes(b"never on the topic"))


def orphan_a_dead_letter_of_a_ready_event(world: World) -> None:
    world.letters.append(letter_bytes(event_bytes("e2", version=2), "e2"))


def orphan_an_object(world: World) -> None:
    world.objects.data[BUCKET, "ann/cat/2/xl-r1.webp"] = b"?"


def orphan_a_replaced_object(world: World) -> None:
    world.store("cat", 1, "s")


def orphan_an_object_that_is_not_ours(world: World) -> None:
    world.objects.data[BUCKET, "readme.txt"] = b"?"


def corrupt_the_size_of_an_object(world: World) -> None:
    world.objects.data[last_object(world)] += b"!"


def corrupt_the_bytes_of_an_object(world: World) -> None:
    data = world.objects.data[last_object(world)]
    world.objects.data[last_object(world)] = data[:-1] + b"!"


def corrupt_a_status(world: World) -> None:
    world.statuses.append(b"not avro")


def corrupt_a_dead_letter(world: World) -> None:
    world.letters.append(b"not avro")


def corrupt_the_digest_of_a_dead_letter(world: World) -> None:
    world.events.append(b"no event")
    world.letters.append(letter_bytes(b"no event", digest="0" * 64))


def corrupt_the_payload_of_a_dead_letter(world: World) -> None:
    world.letters.append(letter_bytes(event_bytes("e1"), "another"))


BREAKS = [
    (lose_a_status, Kind.LOST, "event"),
    (lose_a_dead_letter, Kind.LOST, "record"),
    (lose_the_dead_letter_of_a_failed_event, Kind.LOST, "dead letter"),
    (lose_an_object, Kind.LOST, "object"),
    (lose_the_object_of_a_preset_developed_again, Kind.LOST, "object"),
    (duplicate_a_status, Kind.DUPLICATED, "status"),
    (duplicate_a_dead_letter, Kind.DUPLICATED, "dead letter"),
    (duplicate_the_dead_letter_of_a_failed_event, Kind.DUPLICATED, "dead letter"),
    (orphan_a_status, Kind.ORPHANED, "status"),
    (orphan_a_dead_letter, Kind.ORPHANED, "dead letter"),
    (orphan_a_dead_letter_of_a_ready_event, Kind.ORPHANED, "dead letter"),
    (orphan_an_object, Kind.ORPHANED, "object"),
    (orphan_a_replaced_object, Kind.ORPHANED, "object"),
    (orphan_an_object_that_is_not_ours, Kind.ORPHANED, "object"),
    (corrupt_the_size_of_an_object, Kind.CORRUPT, "object"),
    (corrupt_the_bytes_of_an_object, Kind.CORRUPT, "object"),
    (corrupt_a_status, Kind.CORRUPT, "record"),
    (corrupt_a_dead_letter, Kind.CORRUPT, "record"),
    (corrupt_the_digest_of_a_dead_letter, Kind.CORRUPT, "record"),
    (corrupt_the_payload_of_a_dead_letter, Kind.CORRUPT, "record"),
]


def test_a_world_in_order_has_no_findings() -> None:
    with world_in_order().verify() as report:
        assert list(report.findings()) == []
        assert report.ok
        assert summary(report.figures) == (
            "9 events = 6 statuses + 3 dead letters; 1 duplicate ignored; 2 objects;"
            " 0 lost, 0 duplicated, 0 orphaned, 0 corrupt"
        )
        assert report.figures.outcomes == {"DELETED": 1, "FAILED": 1, "READY": 3, "SUPERSEDED": 1}
        assert (report.figures.dead_letters_of_failed, report.figures.empty_records) == (1, 1)


@pytest.mark.parametrize(("break_it", "kind", "subject"), BREAKS)
def test_what_is_wrong_is_found_once_and_nothing_else_is(
    break_it: Callable[[World], None], kind: Kind, subject: str
) -> None:
    world = world_in_order()
    break_it(world)
    with world.verify() as report:
        assert [(one.kind, one.subject, one.count) for one in report.findings()] == [(kind, subject, 1)]
        assert getattr(report.figures, kind.value) == 1
        assert not report.ok


def test_an_uncommitted_outcome_makes_events_and_outcomes_unequal() -> None:
    world = world_in_order()
    lose_a_status(world)
    world.statuses.uncommitted = 3
    with world.verify() as report:
        assert summary(report.figures).startswith("10 events != 6 statuses + 3 dead letters;")
        assert report.figures.uncommitted_records == 3


def test_equal_undecodable_records_are_counted_one_by_one() -> None:
    world = world_in_order()
    for _ in range(3):
        world.events.append(b"no event")
    with world.verify() as report:
        assert [(one.subject, one.count) for one in report.findings()] == [("record", 3)]
        assert report.figures.lost == 3


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_second_status_does_not_change_what_must_be_stored(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darkroom.verify.reading.BATCH_RECORDS", batch)
    world = World()
    world.upload("e1")
    first = world.statuses.records[0].value
    world.remove("cat", 1)
    world.upload("e2", version=2)
    world.statuses.append(first)
    with world.verify() as report:
        assert [(one.kind, one.subject) for one in report.findings()] == [(Kind.DUPLICATED, "status")]


def test_presence_only_reads_no_bytes_and_still_compares_sizes() -> None:
    world = world_in_order()
    corrupt_the_bytes_of_an_object(world)
    with world.verify(read_bytes=False) as report:
        assert report.ok
    assert world.objects.reads == 0
    world = world_in_order()
    corrupt_the_size_of_an_object(world)
    with world.verify(read_bytes=False) as report:
        assert report.figures.corrupt == 1


def test_waiting_ends_when_the_last_outcome_is_committed() -> None:
    world = world_in_order()
    world.event("slow", "new")
    status = status_bytes("slow", "new", 1, [world.store("new", 1, "s")])
    world.statuses.arrivals = [[], [], [(status, NOW_MS)]]
    with world.verify(wait_seconds=60) as report:
        assert report.ok
        assert report.figures.statuses == 7


def test_waiting_ends_when_the_time_is_over() -> None:
    world = world_in_order()
    lose_a_status(world)
    with world.verify(wait_seconds=0.05) as report:
        assert report.figures.lost == 1


def test_what_happens_while_verifying_is_neither_lost_nor_orphaned() -> None:
    world = world_in_order()
    world.event("answered", "new")
    world.statuses.arrivals = [[(status_bytes("answered", "new", outcome=Outcome.REJECTED), NOW_MS)]]
    world.events.arrivals = [[(event_bytes("later", "bird", 3), NOW_MS), (b"later garbage", NOW_MS)]]
    world.store("bird", 3, "s")
    with world.verify(wait_seconds=60) as report:
        assert list(report.findings()) == []
        assert (report.figures.in_flight, report.figures.images_unsettled) == (2, 1)
        assert report.figures.events == report.figures.statuses + report.figures.dead_letters


def test_a_window_judges_no_objects_of_its_past_and_knows_duplicates_of_older_events() -> None:
    whole = world_in_order()
    window = World(objects=whole.objects, earlier=whole.statuses)
    window.events.append(event_bytes("e5", "cat", 1))
    window.upload("e7", image="fox")
    with window.verify(whole_history=False) as report:
        assert list(report.findings()) == []
        assert (report.figures.events, report.figures.statuses, report.figures.duplicates_ignored) == (1, 1, 1)
    del whole.objects.data[last_object(whole)]
    again = World(objects=whole.objects)
    again.upload("e7", image="fox")
    del again.objects.data[BUCKET, "ann/fox/1/s-r1.webp"]
    with again.verify(whole_history=False) as report:
        assert [(one.kind, one.key) for one in report.findings()] == [(Kind.LOST, "ann/fox/1/s-r1.webp")]
