"""What happens in the demo: uploads, a replacement, a deletion, repetitions, and everything that can be wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from darkroom.publisher import Publisher, now_ms
from darkroom.synthetic import corrupt_image, huge_dimensions_png, synthetic_image
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source

USERS = ("anna", "ben", "chloé")


@dataclass(frozen=True, slots=True)
class Act:
    """One record of the demo: what happens, the event (None: bytes that are no event), and the source's bytes."""

    story: str
    event: ImageEvent | None
    payload: bytes
    source: bytes | None = None


def acts_of_demo(publisher: Publisher, photos: list[Path]) -> Iterator[Act]:
    """Upload the sources and yield what happens, in order."""

    def upload(story: str, user: str, image: str, data: bytes, kind: EventKind = EventKind.UPLOADED) -> Act:
        version = now_ms()
        return _act(story, kind, user, image, version, publisher.upload(user, image, data, version), data)

    uploads = [
        upload("a photograph", USERS[number % len(USERS)], photo.name, photo.read_bytes())
        for number, photo in enumerate(photos)
    ]
    yield from uploads
    yield upload("a 2K picture", USERS[0], "landscape.jpg", synthetic_image(7))
    first, second, third, fourth = (act.event for act in uploads[:4] if act.event)
    yield upload("replaced by a newer version", first.user_id, first.image_id, synthetic_image(8, 1600, 1000))
    yield _act(
        "the old version again, too late",
        EventKind.UPLOADED,
        first.user_id,
        first.image_id,
        first.version,
        first.source,
    )
    yield _act("deleted", EventKind.DELETED, second.user_id, second.image_id, now_ms(), None)
    yield Act("the same event a second time", third, uploads[2].payload)
    yield _act(
        "developed again from its source",
        EventKind.REDERIVE,
        fourth.user_id,
        fourth.image_id,
        fourth.version,
        fourth.source,
        uploads[3].source,
    )
    yield upload("a truncated file", USERS[1], "truncated.jpg", corrupt_image(1))
    yield upload("200 megapixels in a few bytes", USERS[1], "huge.png", huge_dimensions_png())
    yield upload("a text file", USERS[2], "letter.jpg", b"Dear darkroom, this is not a photograph.")
    missing = Source(bucket="images", key="nobody/uploaded/this")
    yield _act("a source that is not there", EventKind.UPLOADED, USERS[0], "missing.jpg", now_ms(), missing)
    yield Act("bytes that are no event", None, b'{"json": "is not Avro"}' + uuid4().bytes)


def _act(
    story: str, kind: EventKind, user: str, image: str, version: int, source: Source | None, data: bytes | None = None
) -> Act:
    event = ImageEvent(
        event_id=str(uuid4()),
        kind=kind,
        user_id=user,
        image_id=image,
        version=version,
        source=source,
        occurred_at=datetime.now(UTC),
    )
    return Act(story, event, event_codec().encode(event), data)
