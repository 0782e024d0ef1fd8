import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import MARKER, Codec, load_schema
from schemas.errors import UnknownSchemaError
from schemas.records import EventKind, ImageEvent
from tests.builders import an_event
from udfs.ledger import CLEANUP_INTERVAL_MS, ImageMark, Ledger, LedgerCodec, Memory, Verdict

MEMORY = Memory(event_ms=100, image_ms=1000, max_events=50, max_images=50)
ADMITTED, DUPLICATE = Verdict.ADMITTED, Verdict.DUPLICATE
OLDER, DELETED = Verdict.NEWER_VERSION_KNOWN, Verdict.IMAGE_DELETED


def verdicts(*events: tuple[str, int], image: str = "i") -> list[Verdict]:
    """Admit events of one image, given as kind and version, one millisecond apart."""
    ledger = Ledger({}, {})
    return [
        ledger.admit(an_event(event_id=str(now), kind=kind, version=version, image_id=image), now, MEMORY)
        for now, (kind, version) in enumerate(events)
    ]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([("UPLOADED", 1), ("UPLOADED", 2)], [ADMITTED, ADMITTED]),
        ([("UPLOADED", 0), ("UPLOADED", 0)], [ADMITTED, OLDER]),
        ([("UPLOADED", 2), ("UPLOADED", 1)], [ADMITTED, OLDER]),
        ([("UPLOADED", 2), ("REDERIVE", 1)], [ADMITTED, OLDER]),
        ([("UPLOADED", 2), ("REDERIVE", 2)], [ADMITTED, ADMITTED]),
        ([("REDERIVE", 2), ("REDERIVE", 2)], [ADMITTED, ADMITTED]),
        ([("REDERIVE", 2), ("UPLOADED", 2)], [ADMITTED, OLDER]),
        ([("UPLOADED", 2), ("DELETED", 1)], [ADMITTED, OLDER]),
        ([("UPLOADED", 2), ("DELETED", 2)], [ADMITTED, ADMITTED]),
        ([("UPLOADED", 2), ("DELETED", 3)], [ADMITTED, ADMITTED]),
        ([("DELETED", 2), ("DELETED", 2)], [ADMITTED, ADMITTED]),
        ([("DELETED", 2), ("DELETED", 1)], [ADMITTED, DELETED]),
        ([("DELETED", 2), ("UPLOADED", 1)], [ADMITTED, DELETED]),
        ([("DELETED", 2), ("UPLOADED", 2)], [ADMITTED, DELETED]),
        ([("DELETED", 2), ("REDERIVE", 2)], [ADMITTED, DELETED]),
        ([("DELETED", 2), ("UPLOADED", 3)], [ADMITTED, ADMITTED]),
        ([("DELETED", 2), ("UPLOADED", 3), ("DELETED", 2)], [ADMITTED, ADMITTED, OLDER]),
        ([("UPLOADED", 3), ("UPLOADED", 1), ("UPLOADED", 2)], [ADMITTED, OLDER, OLDER]),
    ],
    ids=lambda value: (
        " ".join(f"{kind}:{version}" for kind, version in value if isinstance(version, int))
        if isinstance(value[0], tuple)
        else ""
    ),
)
def test_an_event_is_judged_by_the_newest_version_of_its_image(
    events: list[tuple[str, int]], expected: list[Verdict]
) -> None:
    assert verdicts(*events) == expected


def test_a_duplicate_changes_nothing_even_when_it_says_something_else() -> None:
    ledger = Ledger({}, {})
    ledger.admit(an_event(version=1), 0, MEMORY)
    before = copy.deepcopy(ledger)
    assert ledger.admit(an_event(version=2, kind="DELETED"), 5, MEMORY) is DUPLICATE
    assert ledger == before


def test_a_superseded_event_is_a_duplicate_the_second_time() -> None:
    ledger = Ledger({}, {})
    ledger.admit(an_event(event_id="new", version=2), 0, MEMORY)
    old = an_event(event_id="old", version=1)
    assert [ledger.admit(old, 1, MEMORY), ledger.admit(old, 2, MEMORY)] == [OLDER, DUPLICATE]


def test_an_event_id_is_forgotten_at_the_end_of_its_window_and_not_before() -> None:
    for now, expected in ((99, DUPLICATE), (100, ADMITTED)):
        ledger = Ledger({}, {})
        event = an_event(kind="REDERIVE")
        ledger.admit(event, 0, MEMORY)
        assert ledger.admit(event, now, MEMORY) is expected


def test_an_image_is_forgotten_a_window_after_its_last_event_even_a_superseded_one() -> None:
    ledger = Ledger({}, {})
    ledger.admit(an_event(event_id="first", version=5, kind="DELETED"), 0, MEMORY)
    assert ledger.admit(an_event(event_id="late", version=1), 600, MEMORY) is DELETED
    assert ledger.admit(an_event(event_id="later", version=1), 1599, MEMORY) is DELETED
    assert ledger.admit(an_event(event_id="too late", version=1), 2599, MEMORY) is ADMITTED


def test_forgetting_drops_what_ended_and_keeps_the_rest() -> None:
    ledger = Ledger({}, {})
    ledger.admit(an_event(event_id="a", image_id="a"), 0, MEMORY)
    ledger.admit(an_event(event_id="b", image_id="b"), 50, MEMORY)
    ledger.forget(100)
    assert (len(ledger.seen_events), len(ledger.images)) == (1, 2)
    ledger.forget(1000)
    assert (len(ledger.seen_events), len(ledger.images), ledger.is_empty) == (0, 1, False)
    ledger.forget(1050)
    assert ledger.is_empty


def test_the_next_cleanup_is_when_the_next_entry_ends_at_least_an_hour_from_now() -> None:
    hours = Memory(event_ms=3 * CLEANUP_INTERVAL_MS, image_ms=9 * CLEANUP_INTERVAL_MS, max_events=5, max_images=5)
    ledger = Ledger({}, {})
    assert ledger.next_cleanup(0) == 0
    ledger.admit(an_event(), 0, hours)
    assert ledger.next_cleanup(0) == 3 * CLEANUP_INTERVAL_MS
    assert ledger.next_cleanup(3 * CLEANUP_INTERVAL_MS - 1) == 4 * CLEANUP_INTERVAL_MS - 1


def test_beyond_its_bounds_the_oldest_entries_go_first() -> None:
    small = Memory(event_ms=100, image_ms=1000, max_events=2, max_images=2)
    ledger = Ledger({}, {})
    for now, image in enumerate(("a", "b", "a", "c")):  # "a" was touched after "b"
        ledger.admit(an_event(event_id=f"{now}", image_id=image, kind="REDERIVE", version=1), now, small)
    assert len(ledger.seen_events) == len(ledger.images) == 2
    assert ledger.admit(an_event(event_id="3", image_id="c"), 4, small) is DUPLICATE
    assert ledger.admit(an_event(event_id="2", image_id="a", version=0), 4, small) is DUPLICATE
    assert ledger.admit(an_event(event_id="4", image_id="a", version=0), 4, small) is OLDER
    assert ledger.admit(an_event(event_id="1", image_id="b", version=0), 4, small) is ADMITTED


MODEL_MEMORY = Memory(event_ms=20, image_ms=40, max_events=10_000, max_images=10_000)

steps = st.lists(
    st.tuples(
        st.integers(0, 15),
        st.builds(
            an_event,
            event_id=st.sampled_from("abcdef"),
            image_id=st.sampled_from("xy"),
            kind=st.sampled_from(EventKind),
            version=st.integers(0, 3),
        ),
    ),
    max_size=25,
)


def expected_verdict(past: list[tuple[int, ImageEvent, Verdict]], now: int, event: ImageEvent) -> Verdict:
    """Judge from the whole past, remembering everything: the promise as plainly as it can be said."""
    taken = [entry for entry in past if entry[2] is not DUPLICATE]
    if any(seen.event_id == event.event_id and now < time + MODEL_MEMORY.event_ms for time, seen, _ in taken):
        return DUPLICATE
    newest: ImageEvent | None = None
    last: int | None = None
    for time, seen, verdict in taken:
        if seen.image_id != event.image_id:
            continue
        if last is not None and time >= last + MODEL_MEMORY.image_ms:
            newest = None
        last = time
        if verdict is ADMITTED:
            newest = seen
    if newest is None or last is None or now >= last + MODEL_MEMORY.image_ms or event.version > newest.version:
        return ADMITTED
    deleted = newest.kind is EventKind.DELETED
    same_again = {EventKind.DELETED} if deleted else {EventKind.DELETED, EventKind.REDERIVE}
    if event.version == newest.version and event.kind in same_again:
        return ADMITTED
    return DELETED if deleted else OLDER


@given(steps, st.booleans())
def test_the_ledger_judges_as_one_who_remembers_the_whole_past(steps: list[tuple[int, ImageEvent]], tidy: bool) -> None:
    codec, data = LedgerCodec(), None
    past: list[tuple[int, ImageEvent, Verdict]] = []
    now = 0
    for pause, event in steps:
        now += pause
        ledger = codec.decode(data)
        if tidy:
            ledger.forget(now)
        verdict = ledger.admit(event, now, MODEL_MEMORY)
        assert verdict is expected_verdict(past, now, event)
        past.append((now, event, verdict))
        data = codec.encode(ledger)


def an_id(letter: str) -> bytes:
    return letter.encode() * 16


def a_ledger() -> Ledger:
    marks = {an_id("z"): ImageMark(3, True, 11), an_id("y"): ImageMark(2**40, False, 5)}
    return Ledger({an_id("b"): 7, an_id("a"): 9}, marks, cleanup_at=13)


def test_a_ledger_is_read_back_as_it_was_in_the_same_order() -> None:
    read = LedgerCodec().decode(LedgerCodec().encode(a_ledger()))
    assert read == a_ledger()
    assert list(read.seen_events) == [an_id("b"), an_id("a")]
    assert list(read.images) == [an_id("z"), an_id("y")]


def test_no_state_is_an_empty_ledger() -> None:
    assert LedgerCodec().decode(None).is_empty


def test_the_state_names_the_schema_it_was_written_with() -> None:
    assert LedgerCodec().encode(a_ledger()).startswith(MARKER + bytes.fromhex("afeac996177067ae"))


def test_state_of_a_compatible_older_or_newer_schema_is_read() -> None:
    older = load_schema("user-ledger")
    older["fields"][-1]["type"] = "int"
    newer = load_schema("user-ledger")
    newer["fields"].append({"name": "plan", "type": "string", "default": "free", "doc": "Not known yet."})
    record = Codec(load_schema("user-ledger")).decode(LedgerCodec().encode(a_ledger()))
    for schema in (older, newer):
        data = Codec(schema).encode({"plan": "paid", **record} if schema is newer else record)
        assert LedgerCodec(writers=[schema]).decode(data) == a_ledger()
        with pytest.raises(UnknownSchemaError):
            LedgerCodec().decode(data)


def test_ids_are_kept_as_hashes_of_one_length() -> None:
    ledger = Ledger({}, {})
    ledger.admit(an_event(event_id="x" * 1024, image_id="\0"), 0, MEMORY)
    assert [len(key) for key in (*ledger.seen_events, *ledger.images)] == [16, 16]
