import pytest

from schemas.codec import MARKER
from schemas.reasons import Reason
from schemas.records import Failure, ImageEvent, ImageStatus, Outcome, Stage, status_codec
from tests.builders import an_event, an_item
from tests.fakes import FakeKeyedOperator
from udfs.admit import Admit
from udfs.items import item
from udfs.ledger import Memory

HOUR = 60 * 60 * 1000
DAY = 24 * HOUR
NOW = 1_700_000_000_000
MEMORY = Memory(event_ms=24 * HOUR, image_ms=30 * DAY, max_events=100, max_images=100)


def admit(memory: Memory = MEMORY) -> FakeKeyedOperator:
    return FakeKeyedOperator(Admit([], memory, "9.9.9"), NOW)


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
    updates = operator.context.states["user-ledger"].updates
    assert operator.process(an_item(an_event()), an_item(an_event(version=2))) == []
    assert operator.context.states["user-ledger"].updates == updates
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
    assert set(operator.state) == {"u", "v"}


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
        sizes.append(len(operator.state["u"]))
    assert sizes[-1] == sizes[10] == max(sizes)
    assert operator.context.metrics.gauges["largest_user_state_bytes"]() == max(sizes)


def test_the_state_is_versioned_bytes() -> None:
    operator = admit()
    operator.process(an_item(an_event()))
    assert operator.state["u"].startswith(MARKER)


def test_the_name_of_the_state_is_part_of_the_savepoint_format() -> None:
    assert list(admit().context.states) == ["user-ledger"]
