"""The chaos oracle: a world in order is green, and each thing that can be wrong with it is red for the right reason."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from schemas.reasons import Reason
from schemas.record_codecs import status_codec
from schemas.records import EventKind, ImageEvent, Outcome
from tests.chaos.journal import Acknowledged, digest
from tests.chaos.verdict import Kind
from tests.pure.chaos_world import World, picture

JUNK = b"no event at all"
OWN_MODULES = ("udfs", "jobs", "darkroom.verify", "pyflink")


class Story(World):
    """A life of two images: Ada's cat is replaced, the old version comes late; her dog is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self.put("cat", b"one")
        self.put("dog", b"two")
        self.put("torn", b"three", "CORRUPT_IMAGE")
        self.first = self.publish(1)
        self.second = self.publish(5)
        self.late = self.publish(3)
        self.dog = self.publish(1, image="dog", key="dog")
        self.dog_gone = self.publish(2, EventKind.DELETED, image="dog")
        self.torn = self.publish(7, key="torn")
        self.again = self.publish(7, EventKind.REDERIVE, presets=("tiny",))
        self.publish_bytes(self.events[0].value or b"")
        self.publish_bytes(JUNK, "NOT_AVRO")

        self.status(self.late, Outcome.SUPERSEDED, Reason.NEWER_VERSION_KNOWN)
        self.ready(self.first)
        self.ready(self.second)
        self.ready(self.dog)
        self.deleted(self.dog_gone)
        self.status(self.torn, Outcome.REJECTED, Reason.CORRUPT_IMAGE)
        self.ready(self.again, ("tiny",))
        self.letter(JUNK, Reason.NOT_AVRO)

    @property
    def stored(self) -> str:
        """The one key that is left."""
        (key,) = self.objects.data
        return key

    def forget_status(self, event: ImageEvent) -> None:
        (index,) = (i for i, one in enumerate(self.statuses) if _id(one.value) == event.event_id)
        del self.statuses[index]

    def move_status_to_end(self, event: ImageEvent) -> None:
        (moved,) = (one for one in self.statuses if _id(one.value) == event.event_id)
        self.statuses.remove(moved)
        self.statuses.append(moved)

    def say_instead(self, event: ImageEvent, outcome: Outcome, reason: Reason | None) -> None:
        self.forget_status(event)
        self.status(event, outcome, reason)


def _id(value: bytes | None) -> str:
    return status_codec().decode(value or b"").event_id


def test_a_world_in_order_is_green() -> None:
    story = Story()
    verdict = story.judge()
    assert verdict.ok, verdict.in_words()
    assert (verdict.records, verdict.events, verdict.statuses) == (9, 7, 7)
    assert (verdict.dead_letters, verdict.objects) == (1, 1)
    assert story.stored.startswith("ada/cat/7/tiny-")


def no_status(story: Story) -> None:
    story.forget_status(story.again)


def no_object(story: Story) -> None:
    del story.objects.data[story.stored]


def lost_by_kafka(story: Story) -> None:
    story.lines.append(Acknowledged(digest(JUNK)))


def twice(story: Story) -> None:
    story.statuses.append(story.statuses[-1])


def older_last(story: Story) -> None:
    story.move_status_to_end(story.first)


def deletion_first(story: Story) -> None:
    story.move_status_to_end(story.dog)


def rejection_last(story: Story) -> None:
    story.move_status_to_end(story.torn)


def older_one_takes_effect_in_its_turn(story: Story) -> None:
    story.ready(story.publish(6))


def other_partition(story: Story) -> None:
    story.statuses[-1] = replace(story.statuses[-1], partition=1)


def late_one_ready(story: Story) -> None:
    story.forget_status(story.late)
    story.ready(story.late)


def wrong_reason(story: Story) -> None:
    story.say_instead(story.torn, Outcome.REJECTED, Reason.NOT_AN_IMAGE)


def blamed(story: Story) -> None:
    story.say_instead(story.again, Outcome.REJECTED, Reason.SOURCE_MISSING)


def failed_without_allowance(story: Story) -> None:
    story.say_instead(story.again, Outcome.FAILED, Reason.DECODER_CRASH)


def too_few_presets(story: Story) -> None:
    story.forget_status(story.second)
    story.ready(story.second, ("small",))


def another_preset(story: Story) -> None:
    story.forget_status(story.again)
    story.ready(story.again, ("square",))


def preset_twice(story: Story) -> None:
    story.forget_status(story.again)
    story.ready(story.again, ("tiny", "tiny"))


def another_source(story: Story) -> None:
    story.sources["cat"] = story.sources["dog"]
    story.forget_status(story.again)
    story.ready(story.again, ("tiny",))


def of_no_event(story: Story) -> None:
    story.status(story.again.model_copy(update={"event_id": "nobody's"}), Outcome.DELETED)


def of_another_version(story: Story) -> None:
    story.forget_status(story.torn)
    story.status(story.torn, Outcome.REJECTED, Reason.CORRUPT_IMAGE, version=8)


def announced_and_rejected(story: Story) -> None:
    derivatives = status_codec().decode(story.statuses[1].value or b"").derivatives
    story.forget_status(story.torn)
    story.status(story.torn, Outcome.REJECTED, Reason.CORRUPT_IMAGE, derivatives=derivatives)


def wrong_size_announced(story: Story) -> None:
    (right,) = status_codec().decode(story.statuses[-1].value or b"").derivatives
    story.forget_status(story.again)
    story.ready(story.again, ("tiny",), derivatives=(right.model_copy(update={"width": 31}),))


def unknown_record(story: Story) -> None:
    story.events.append(replace(story.events[-1], value=b"from nobody"))
    story.letter(b"from nobody", Reason.NOT_AVRO)


def unreadable_status(story: Story) -> None:
    story.statuses.append(replace(story.statuses[-1], value=b"garbage"))


def left_of_an_older_version(story: Story) -> None:
    story.objects.data["ada/cat/5/small-0123456789ab.jpg"] = picture("small")


def left_of_a_deleted_image(story: Story) -> None:
    story.objects.data["ada/dog/1/small-0123456789ab.jpg"] = picture("small")


def left_of_nobody(story: Story) -> None:
    story.objects.data["stray"] = b""


def bit_flipped(story: Story) -> None:
    data = bytearray(story.objects.data[story.stored])
    data[len(data) // 2] ^= 1
    story.objects.data[story.stored] = bytes(data)


def another_picture_stored(story: Story) -> None:
    story.objects.data[story.stored] = picture("tiny", 200)


def damaged_and_announced(story: Story) -> None:
    (right,) = status_codec().decode(story.statuses[-1].value or b"").derivatives
    bit_flipped(story)
    damaged = story.objects.data[right.key]
    story.forget_status(story.again)
    story.ready(story.again, ("tiny",), derivatives=(right.model_copy(update={"sha256": digest(damaged)}),))
    story.objects.data[right.key] = damaged


def half_stored_and_announced(story: Story) -> None:
    half = story.objects.data[story.stored][:40]
    (right,) = status_codec().decode(story.statuses[-1].value or b"").derivatives
    story.forget_status(story.again)
    announced = right.model_copy(update={"bytes": len(half), "sha256": digest(half)})
    story.ready(story.again, ("tiny",), derivatives=(announced,))
    story.objects.data[right.key] = half


def another_format_announced(story: Story) -> None:
    (right,) = status_codec().decode(story.statuses[-1].value or b"").derivatives
    story.forget_status(story.again)
    story.ready(story.again, ("tiny",), derivatives=(right.model_copy(update={"format": "webp"}),))


def no_letter(story: Story) -> None:
    story.letters.clear()


def letter_twice(story: Story) -> None:
    story.letters *= 2


def letter_with_another_reason(story: Story) -> None:
    story.letters.clear()
    story.letter(JUNK, Reason.UNKNOWN_SCHEMA)


def letter_of_an_event(story: Story) -> None:
    story.letter(story.events[0].value or b"", Reason.NOT_AVRO)


def failed_without_a_letter(story: Story) -> None:
    story.say_instead(story.again, Outcome.FAILED, Reason.DECODER_CRASH)


@pytest.mark.parametrize(
    ("breaks", "kind"),
    [
        (no_status, Kind.LOST),
        (no_object, Kind.LOST),
        (lost_by_kafka, Kind.LOST),
        (twice, Kind.DUPLICATED),
        (older_last, Kind.OUT_OF_ORDER),
        (deletion_first, Kind.OUT_OF_ORDER),
        (rejection_last, Kind.OUT_OF_ORDER),
        (older_one_takes_effect_in_its_turn, Kind.OUT_OF_ORDER),
        (other_partition, Kind.OUT_OF_ORDER),
        (late_one_ready, Kind.OUT_OF_ORDER),
        (late_one_ready, Kind.WRONG_OUTCOME),
        (wrong_reason, Kind.WRONG_OUTCOME),
        (blamed, Kind.WRONG_OUTCOME),
        (failed_without_allowance, Kind.WRONG_OUTCOME),
        (too_few_presets, Kind.WRONG_OUTCOME),
        (another_preset, Kind.WRONG_OUTCOME),
        (preset_twice, Kind.WRONG_OUTCOME),
        (another_source, Kind.WRONG_OUTCOME),
        (of_no_event, Kind.WRONG_OUTCOME),
        (of_another_version, Kind.WRONG_OUTCOME),
        (announced_and_rejected, Kind.WRONG_OUTCOME),
        (wrong_size_announced, Kind.WRONG_OUTCOME),
        (unknown_record, Kind.WRONG_OUTCOME),
        (unreadable_status, Kind.WRONG_OUTCOME),
        (left_of_an_older_version, Kind.ORPHANED),
        (left_of_a_deleted_image, Kind.ORPHANED),
        (left_of_nobody, Kind.ORPHANED),
        (bit_flipped, Kind.CORRUPT),
        (another_picture_stored, Kind.CORRUPT),
        (damaged_and_announced, Kind.CORRUPT),
        (half_stored_and_announced, Kind.CORRUPT),
        (another_format_announced, Kind.CORRUPT),
        (no_letter, Kind.DEAD_LETTERS_WRONG),
        (letter_twice, Kind.DEAD_LETTERS_WRONG),
        (letter_with_another_reason, Kind.DEAD_LETTERS_WRONG),
        (letter_of_an_event, Kind.DEAD_LETTERS_WRONG),
        (failed_without_a_letter, Kind.DEAD_LETTERS_WRONG),
    ],
)
def test_what_is_wrong_is_red(breaks: Callable[[Story], None], kind: Kind) -> None:
    story = Story()
    breaks(story)
    verdict = story.judge()
    assert verdict.count(kind), verdict.in_words()


def test_one_lost_status_is_one_finding_and_its_image_is_not_judged() -> None:
    story = Story()
    story.forget_status(story.again)
    assert [finding.kind for finding in story.judge().findings] == [Kind.LOST]


@pytest.mark.parametrize("attempted", [True, False])
def test_what_an_undone_attempt_left_is_not_judged_once_its_source_is_replaced(attempted: bool) -> None:
    story = Story()
    etag = story.sources["cat"].etag
    changed = story.publish(8, source={"bucket": "images", "key": "cat", "etag": etag})
    if attempted:
        story.ready(changed)
        story.statuses.pop()
    story.put("cat", b"other bytes")
    story.status(changed, Outcome.REJECTED, Reason.SOURCE_CHANGED)
    assert story.judge().ok, story.judge().in_words()
    after = story.publish(9)
    story.ready(after)
    assert story.judge().ok
    story.objects.data["ada/cat/8/small-0123456789ab.jpg"] = picture("small")
    assert story.judge().orphaned == 1


def test_an_allowed_failure_with_its_letter_is_green() -> None:
    story = Story()
    story.say_instead(story.torn, Outcome.FAILED, Reason.DECODER_CRASH)
    story.letter(story.events[5].value or b"", Reason.DECODER_CRASH, story.torn.event_id)
    story.move_status_to_end(story.again)
    allowed = frozenset({Reason.DECODER_CRASH})
    assert story.judge(allowed).ok, story.judge(allowed).in_words()
    assert story.judge().wrong_outcome == 1


def test_the_order_of_a_superseded_status_is_free() -> None:
    story = Story()
    story.move_status_to_end(story.late)
    assert story.judge().ok


def test_what_judges_knows_nothing_of_the_job() -> None:
    modules = "tests.chaos.judging, tests.chaos.shelves"
    code = f"import sys, {modules}; print([m for m in sys.modules if m.startswith({OWN_MODULES})])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
