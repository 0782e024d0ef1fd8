from collections.abc import Iterable

import pytest
from pyflink.common import Row

from schemas.codec import MARKER
from schemas.reasons import Reason
from schemas.record_codecs import event_codec, status_codec
from schemas.records import EventKind, Failure, ImageEvent, ImageStatus, Outcome, Stage
from tests.builders import an_event, an_item
from tests.fakes import FakeKeyedOperator
from udfs.admit import Admit
from udfs.items import item
from udfs.ledger import Memory
from udfs.shaping import Rate
from udfs.user_state import UserStateCodec

HOUR = 60 * 60 * 1000
DAY = 24 * HOUR
NOW = 1_700_000_000_000
MEMORY = Memory(event_ms=24 * HOUR, image_ms=30 * DAY, max_events=100, max_images=100)
UNSHAPED = Rate(events_per_minute=60_000, burst=1000, max_held=1)
SHAPED = Rate(events_per_minute=60, burst=3, max_held=4)


def admit(memory: Memory = MEMORY, rate: Rate = UNSHAPED) -> FakeKeyedOperator:
    return FakeKeyedOperator(Admit([], memory, rate, "9.9.9"), NOW)


def status_of(operator: FakeKeyedOperator, event: ImageEvent) -> ImageStatus | None:
    """Process an event; its status if it is superseded, None if it is admitted."""
    (out,) = operator.process(an_item(event))
    assert out.event == an_item(event).event
    return None if out.status is None else status_codec().decode(out.status)


def test_a_new_event_passes_unchanged() -> None:
    assert admit().process(an_item(an_event())) == [an_item(an_event())]


def test_a_duplicate_gives_nothing_writes_nothing_and_is_counted() -> None:
    operator = admit()
    operator.process(an_item(an_event()))
    updates = operator.context.states["user"].updates
    assert operator.process(an_item(an_event()), an_item(an_event(version=2))) == []
    assert operator.context.states["user"].updates == updates
    assert operator.context.metrics.counts() == {"admitted": 1, "duplicate": 2}


@pytest.mark.parametrize(
    ("before", "reason", "message"),
    [
        ("UPLOADED", Reason.NEWER_VERSION_KNOWN, "version 1 is not newer than one that took effect before"),
        ("DELETED", Reason.IMAGE_DELETED, "the image was deleted at version 1 or later"),
    ],
)
def test_a_superseded_event_gets_its_status_here(before: str, reason: Reason, message: str) -> None:
    operator = admit()
    operator.process(an_item(an_event(event_id="before", kind=before, version=2)))
    late = an_event(event_id="late", version=1, traceparent="00-1-2-01")
    assert status_of(operator, late) == ImageStatus(
        event_id="late",
        kind=late.kind,
        user_id="u",
        image_id="i",
        version=1,
        outcome=Outcome.SUPERSEDED,
        failures=(Failure(stage=Stage.ADMIT, reason=reason, message=message),),
        job_version="9.9.9",
        traceparent="00-1-2-01",
    )
    assert operator.context.metrics.counts() == {"admitted": 1, reason.lower(): 1}


def test_an_upload_newer_than_the_deletion_is_admitted() -> None:
    operator = admit()
    operator.process(an_item(an_event(event_id="gone", kind="DELETED", version=2)))
    assert status_of(operator, an_event(version=3)) is None


def test_users_know_nothing_of_each_other() -> None:
    operator = admit()
    for user in ("u", "v"):
        assert status_of(operator, an_event(user_id=user, version=2)) is None
    assert status_of(operator, an_event(event_id="late", user_id="v", version=1)) is not None
    assert set(operator.state["user"]) == {"u", "v"}


def test_a_dead_letter_passes_without_touching_state() -> None:
    operator = admit()
    letter = item("a" * 64, dead_letter=b"letter")
    assert operator.process(letter) == [letter]
    assert (operator.state, operator.timers.pending, operator.context.metrics.counts()) == ({}, set(), {})


def test_a_user_has_one_pending_timer_however_many_events() -> None:
    operator = admit()
    for number in range(100):
        operator.process(an_item(an_event(event_id=f"{number}", image_id=f"{number % 3}", version=number)))
        assert len(operator.timers.pending) == 1
        operator.advance_to(operator.timers.now + 37 * HOUR // 60)
    operator.process(an_item(an_event(user_id="v")))
    assert {user for _, user in operator.timers.pending} == {"u", "v"}
    assert len(operator.timers.pending) == 2


def test_an_event_id_is_forgotten_after_24_hours() -> None:
    operator = admit()
    rederive = an_item(an_event(kind="REDERIVE"))
    operator.process(rederive)
    operator.advance_to(NOW + DAY - 1)
    assert operator.process(rederive) == []
    operator.advance_to(NOW + DAY)
    assert operator.process(rederive) == [rederive]


def test_an_image_is_forgotten_30_days_after_its_last_event() -> None:
    operator = admit()
    operator.process(an_item(an_event(event_id="gone", kind="DELETED", version=5)))
    for day, expected in ((29, Outcome.SUPERSEDED), (58, Outcome.SUPERSEDED), (88, None)):
        operator.advance_to(NOW + day * DAY)
        status = status_of(operator, an_event(event_id=f"day {day}", version=1))
        assert (status and status.outcome) == expected


def test_state_and_timers_are_gone_at_the_end() -> None:
    operator = admit()
    for number in range(30):
        user = f"user {number % 3}"
        operator.process(an_item(an_event(user_id=user, event_id=f"{number}", image_id=f"{number}")))
        operator.advance_to(operator.timers.now + 5 * HOUR)
    end = operator.timers.now + 30 * DAY
    operator.run_out()
    assert operator.state == {}
    assert operator.timers.pending == set()
    assert operator.timers.now <= end + HOUR


def test_timers_are_at_least_an_hour_apart() -> None:
    operator = admit()
    for second in range(60):
        operator.process(an_item(an_event(event_id=f"{second}", image_id=f"{second}")))
        operator.advance_to(operator.timers.now + 1000)
    operator.run_out()
    assert operator.fired <= 4  # event ids, images, each at most once more an hour later


def test_a_timer_that_fires_late_after_a_pause_of_the_job_forgets_by_the_clock() -> None:
    operator = admit()
    operator.process(an_item(an_event()))
    ((timer, _),) = operator.timers.pending
    operator.timers.now = timer + 40 * DAY
    operator.advance_to(operator.timers.now)
    assert (operator.state, operator.timers.pending, operator.fired) == ({}, set(), 1)


def test_after_everything_is_forgotten_a_user_starts_anew() -> None:
    operator = admit()
    operator.process(an_item(an_event(version=9)))
    operator.run_out()
    assert status_of(operator, an_event(version=1)) is None
    assert len(operator.timers.pending) == 1


def test_the_state_of_a_user_is_bounded_and_its_largest_size_is_a_metric() -> None:
    operator = admit(Memory(event_ms=24 * HOUR, image_ms=30 * DAY, max_events=5, max_images=5))
    sizes = []
    for number in range(100):
        operator.process(an_item(an_event(event_id=f"{number}", image_id=f"{number}")))
        sizes.append(len(operator.state["user"]["u"]))
    assert sizes[-1] == sizes[10] == max(sizes)
    assert operator.context.metrics.gauges["largest_user_state_bytes"]() == max(sizes)


def test_the_state_is_versioned_bytes() -> None:
    operator = admit()
    operator.process(an_item(an_event()))
    assert operator.state["user"]["u"].startswith(MARKER)


def test_the_names_of_the_states_are_part_of_the_savepoint_format() -> None:
    context = admit().context
    assert (list(context.states), list(context.map_states)) == (["user"], ["user-held-events"])


def flood(operator: FakeKeyedOperator, count: int, **changes: object) -> list[Row]:
    """Process events of one user at once: `e0`, `e1`, ... of images of their own."""
    return operator.process(
        *(an_item(an_event(**{"event_id": f"e{n}", "image_id": f"i{n}", **changes})) for n in range(count))
    )


def event_ids(items: Iterable[Row]) -> list[str]:
    return [event_codec().decode(one.event).event_id for one in items]


def statuses(items: Iterable[Row]) -> list[ImageStatus]:
    return [status_codec().decode(one.status) for one in items if one.status is not None]


def test_beyond_the_burst_events_are_held_and_go_on_unchanged_in_their_order_at_the_rate() -> None:
    operator = admit(rate=SHAPED)
    assert event_ids(flood(operator, 7)) == ["e0", "e1", "e2"]
    assert len(operator.state["user-held-events"]["u"]) == 4
    operator.advance_to(NOW + 10_000)
    assert [time - NOW for time, _ in operator.released] == [1000, 2000, 3000, 4000]
    assert [out for _, out in operator.released] == [
        an_item(an_event(event_id=f"e{n}", image_id=f"i{n}")) for n in range(3, 7)
    ]
    assert operator.context.metrics.counts() == {"admitted": 7, "held": 4}


def test_one_timer_and_its_guards_are_pending_for_all_held_events_of_a_user() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 7)
    others = {(NOW + 10_000, "u"), (NOW + 20_000, "u"), (NOW + MEMORY.event_ms, "u")}
    assert operator.timers.pending == {(NOW + 1000, "u"), *others}
    operator.advance_to(NOW + 1000)
    assert operator.timers.pending == {(NOW + 2000, "u"), *others}


def test_while_events_are_held_a_guard_is_pending_that_was_set_ten_seconds_before() -> None:
    operator = admit(rate=Rate(events_per_minute=1, burst=1, max_held=4))
    flood(operator, 5)
    seen = set(operator.timers.pending)
    for second in range(5, 240, 5):
        operator.advance_to(NOW + second * 1000 + 1)
        assert min(operator.timers.pending & seen)[0] <= operator.timers.now + 20_000
        seen = set(operator.timers.pending)


@pytest.mark.parametrize("lost_ms", [1000, 2000, 3000])
def test_events_go_on_when_a_restart_has_lost_the_timer_of_the_last_bundle(lost_ms: int) -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 7)
    operator.advance_to(NOW + lost_ms - 1)
    operator.timers.pending.remove((NOW + lost_ms, "u"))
    operator.advance_to(NOW + MEMORY.event_ms - 1)
    assert event_ids(out for _, out in operator.released) == ["e3", "e4", "e5", "e6"]
    assert max(time for time, _ in operator.released) <= NOW + 11_000 + lost_ms


def test_an_event_that_arrives_mends_a_user_who_has_lost_every_timer() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 5)
    operator.timers.pending.clear()
    operator.timers.now = NOW + 30 * HOUR
    operator.process(an_item(an_event(event_id="later")))
    operator.run_out()
    assert event_ids(out for _, out in operator.released) == ["e3", "e4", "later"]
    assert (operator.state, operator.timers.pending) == ({}, set())


def test_an_event_behind_a_held_one_waits_even_when_it_could_go_on() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 4)
    operator.timers.now = NOW + 2500  # the timer of 1000 is late
    assert operator.process(an_item(an_event(event_id="behind"))) == []
    operator.advance_to(NOW + 2500)
    assert event_ids(out for _, out in operator.released) == ["e3", "behind"]


def test_beyond_the_bound_events_are_rejected_once_and_touch_no_version() -> None:
    operator = admit(rate=SHAPED)
    out = flood(operator, 9)
    assert event_ids(out) == ["e0", "e1", "e2", "e7", "e8"]
    assert statuses(out) == [
        ImageStatus(
            event_id=f"e{n}",
            kind=EventKind.UPLOADED,
            user_id="u",
            image_id=f"i{n}",
            version=1,
            outcome=Outcome.REJECTED,
            failures=(
                Failure(
                    stage=Stage.ADMIT,
                    reason=Reason.USER_BACKLOG_FULL,
                    message="4 events of the user are held back already",
                ),
            ),
            job_version="9.9.9",
        )
        for n in (7, 8)
    ]
    assert operator.context.metrics.counts() == {"admitted": 3, "held": 4, "user_backlog_full": 2}
    assert flood(operator, 9) == []
    operator.advance_to(NOW + 10_000)
    assert status_of(operator, an_event(event_id="again", image_id="i8", version=1)) is None


def test_a_deletion_that_is_held_is_not_undone_by_an_older_upload_behind_it() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 3)
    late = [
        an_event(event_id="first", version=1),
        an_event(event_id="gone", kind="DELETED", version=3),
        an_event(event_id="older", version=2),
    ]
    assert operator.process(*map(an_item, late)) == []
    operator.advance_to(NOW + 10_000)
    outcomes = [(status_codec().decode(out.status).outcome if out.status else None) for _, out in operator.released]
    assert outcomes == [None, None, Outcome.SUPERSEDED]


def test_a_version_that_is_held_has_not_taken_effect() -> None:
    operator = admit(Memory(event_ms=DAY, image_ms=DAY, max_events=100, max_images=2), SHAPED)
    flood(operator, 3)
    operator.process(an_item(an_event(event_id="gone", kind="DELETED", version=3)))
    marks = UserStateCodec().decode(operator.state["user"]["u"], NOW, SHAPED).ledger.images
    assert len(marks) == 2
    operator.advance_to(NOW + 10_000)
    assert status_of(operator, an_event(event_id="older", version=2)) is not None


def test_a_duplicate_of_a_held_event_is_dropped() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 5)
    assert flood(operator, 5) == []
    operator.run_out()
    assert event_ids(out for _, out in operator.released) == ["e3", "e4"]


def test_held_users_know_nothing_of_each_other() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 7)
    assert event_ids(flood(operator, 3, user_id="v")) == ["e0", "e1", "e2"]
    flood(operator, 5, user_id="w")
    assert operator.context.metrics.gauges["held_events"]() == 6
    assert operator.context.metrics.gauges["held_users"]() == 2
    operator.advance_to(NOW + 1000)
    assert sorted((out.key, *event_ids([out])) for _, out in operator.released) == [("u", "e3"), ("w", "e3")]
    operator.advance_to(NOW + 60_000)
    assert [operator.context.metrics.gauges[name]() for name in ("held_events", "held_users")] == [0, 0]


def test_held_events_are_gone_when_they_went_on_and_everything_is_gone_at_the_end() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 7)
    operator.advance_to(NOW + 4000)
    assert "user-held-events" not in operator.state
    operator.run_out()
    assert (operator.state, operator.timers.pending) == ({}, set())


def test_a_bucket_that_fills_for_longer_than_anything_is_remembered_is_kept_until_it_is_full() -> None:
    slow = Rate(events_per_minute=1, burst=600, max_held=4)
    operator = admit(Memory(event_ms=HOUR, image_ms=HOUR, max_events=5, max_images=5), slow)
    flood(operator, 600)
    operator.advance_to(NOW + 3 * HOUR)
    assert len(flood(operator, 600, image_id="other", kind="REDERIVE")) == 180 + (600 - 180 - 4)
    operator.run_out()
    assert (operator.state, operator.timers.pending) == ({}, set())


def test_a_new_worker_goes_on_with_what_is_held_and_finds_its_gauge_again() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 7)
    restarted = admit(rate=SHAPED)
    restarted.take_over(operator)
    assert restarted.context.metrics.gauges["held_events"]() == 0
    restarted.advance_to(NOW + 1000)
    assert restarted.context.metrics.gauges["held_events"]() == 3
    restarted.run_out()
    assert event_ids(out for _, out in restarted.released) == ["e3", "e4", "e5", "e6"]


def test_after_an_outage_no_more_than_a_burst_goes_on_at_once() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 7)
    operator.timers.now = NOW + HOUR
    operator.advance_to(NOW + HOUR)
    assert event_ids(out for _, out in operator.released) == ["e3", "e4", "e5"]
    operator.advance_to(NOW + HOUR + 1000)
    assert event_ids(out for _, out in operator.released) == ["e3", "e4", "e5", "e6"]


def test_a_clock_that_is_set_back_holds_nothing_for_longer_than_the_rate_asks() -> None:
    operator = admit(rate=SHAPED)
    flood(operator, 5)
    operator.timers.now = NOW - HOUR
    operator.process(an_item(an_event(event_id="later")))
    operator.advance_to(NOW - HOUR + 5000)
    assert event_ids(out for _, out in operator.released) == ["e3", "e4", "later"]
