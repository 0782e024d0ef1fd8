"""What `watch` and `show` make of records that were written by anybody."""

import hashlib

import pytest

from darkroom.ports import TopicRecord
from darkroom.show import Image
from darkroom.watch import letter_json, letter_line, status_line
from schemas.reasons import Reason
from schemas.records import DeadLetter, Derivative, EventKind, Failure, ImageStatus, Outcome, Stage

RECORD = TopicRecord(partition=0, offset=0, timestamp_ms=1_777_896_000_000, key=None, value=b"")
HOSTILE = "\x1b[2J[red]cat\u202e"


def derivative(preset: str, key: str) -> Derivative:
    return Derivative(
        preset=preset,
        preset_version=1,
        bucket="derivatives",
        key=key,
        width=1,
        height=1,
        format="webp",
        bytes=1500,
        sha256="0" * 64,
    )


def status(event_id: str, version: int, outcome: Outcome, *derivatives: Derivative) -> ImageStatus:
    return ImageStatus(
        event_id=event_id,
        kind=EventKind.UPLOADED,
        user_id=HOSTILE,
        image_id=HOSTILE,
        version=version,
        outcome=outcome,
        derivatives=derivatives,
        failures=(Failure(preset=HOSTILE, stage=Stage.RENDER, reason=Reason.RENDER_FAILED, message=HOSTILE),),
        job_version="1",
    )


def test_a_line_shows_ids_as_text_and_never_acts_on_them() -> None:
    line = status_line(status("e", 7, Outcome.PARTIAL, derivative("s", "k")), RECORD).plain
    assert line.isprintable()
    assert line.count("\\x1b[2J[red]cat\\u202e") == 4
    assert "v7  PARTIAL  1 derivative 1.5 kB  0 ms" in line


def test_a_dead_letter_is_told_without_its_bytes() -> None:
    letter = DeadLetter(
        stage=Stage.DECODE,
        reason=Reason.NOT_AVRO,
        message=HOSTILE,
        payload=b"\xff\xfe",
        payload_bytes=2,
        payload_sha256=hashlib.sha256(b"\xff\xfe").hexdigest(),
        job_version="1",
    )
    assert letter_line(letter, RECORD).plain.isprintable()
    assert letter_json(letter)["payload_bytes"] == 2
    assert "payload" not in letter_json(letter)


@pytest.mark.parametrize("last", [Outcome.REJECTED, Outcome.SUPERSEDED, Outcome.FAILED])
def test_what_is_current_follows_the_statuses(last: Outcome) -> None:
    image = Image(HOSTILE, HOSTILE)
    first = status("e1", 1, Outcome.READY, derivative("s", "1/s"), derivative("m", "1/m"))
    for one in (first, status("e2", 2, Outcome.PARTIAL, derivative("s", "2/s")), status("e3", 2, last), first):
        image.statuses.append((one, RECORD))
    assert list(image.current()) == ["2/s"]
    image.statuses.append((status("e4", 3, Outcome.DELETED), RECORD))
    assert image.current() == {}
