"""A small world for the chaos oracle: what the load did, what the job wrote and stored; a test breaks one thing."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from darkroom.ports import StoredObject, TopicRecord
from schemas.keys import derivative_key
from schemas.reasons import Reason
from schemas.record_codecs import dead_letter_codec, event_codec, status_codec
from schemas.records import (
    DeadLetter,
    Derivative,
    EventKind,
    Failure,
    ImageEvent,
    ImageStatus,
    Outcome,
    Source,
    SourceFacts,
    Stage,
)
from tests.chaos.journal import EVENT, GOOD, Acknowledged, Line, Put, Sent, digest
from tests.chaos.model import Knowledge
from tests.chaos.observed import Observed
from tests.chaos.oracle import judge_observed
from tests.chaos.verdict import Verdict

BUCKET = "derivatives"
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SIZES = {"small": (160, 120, "jpeg", "jpg"), "square": (64, 64, "webp", "webp"), "tiny": (32, 24, "png", "png")}


class FakeObjects:
    """One bucket of bytes."""

    def __init__(self) -> None:
        self.data: dict[str, bytes] = {}

    def list(self, bucket: str, prefix: str = "") -> Iterator[StoredObject]:
        yield from (StoredObject(key, len(data), "") for key, data in sorted(self.data.items()))

    def read(self, bucket: str, key: str) -> bytes | None:
        return self.data.get(key)

    def sha256(self, bucket: str, key: str) -> str | None:
        raise NotImplementedError


def picture(preset: str, shade: int = 0) -> bytes:
    width, height, format_, _ = SIZES[preset]
    file = io.BytesIO()
    Image.new("RGB", (width, height), (shade, 99, 99)).save(file, format_)
    return file.getvalue()


class World:
    """Appends to topics and buckets; `judge` asks the oracle about all of it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.events: list[TopicRecord] = []
        self.statuses: list[TopicRecord] = []
        self.letters: list[TopicRecord] = []
        self.objects = FakeObjects()
        self.sources: dict[str, Put] = {}
        self._ids = 0

    def put(self, key: str, data: bytes, content: str = GOOD) -> Put:
        """Store a source."""
        line = Put("images", key, hashlib.md5(data, usedforsecurity=False).hexdigest(), digest(data), content)
        self.lines.append(line)
        self.sources[key] = line
        return line

    def publish(
        self,
        version: int,
        kind: EventKind = EventKind.UPLOADED,
        *,
        image: str = "cat",
        key: str = "cat",
        **changes: Any,
    ) -> ImageEvent:
        """Publish an event of Ada's; one that is not a deletion points to the source `key`."""
        self._ids += 1
        given: dict[str, Any] = {
            "event_id": f"event-{self._ids}",
            "kind": kind,
            "user_id": "ada",
            "image_id": image,
            "version": version,
            "source": None if kind is EventKind.DELETED else Source(bucket="images", key=key),
            "occurred_at": NOW,
        }
        event = ImageEvent.model_validate({**given, **changes})
        self.publish_bytes(event_codec().encode(event))
        return event

    def publish_bytes(self, value: bytes, expects: str = EVENT) -> None:
        """Publish any record, and have it acknowledged."""
        self.lines += [Sent(digest(value), expects), Acknowledged(digest(value))]
        self.events.append(_record(self.events, b"ada", value))

    def ready(self, event: ImageEvent, presets: Sequence[str] = ("small", "square"), **changes: Any) -> None:
        """Do what the job does with a good event: store, remove what that replaces, say so."""
        made = [(preset, picture(preset, event.version)) for preset in presets]
        stored = tuple(_derivative(event, preset, data) for preset, data in made)
        prefix = f"{event.user_id}/{event.image_id}/"
        for key in [key for key in self.objects.data if key.startswith(prefix)]:
            if not key.startswith(f"{prefix}{event.version}/"):
                del self.objects.data[key]
        self.objects.data.update((one.key, data) for one, (_, data) in zip(stored, made, strict=True))
        assert event.source is not None
        source = self.sources[event.source.key].sha256
        facts = SourceFacts(format="jpeg", width=9, height=9, bytes=9, sha256=source, frames=1, has_alpha=False)
        self.status(event, Outcome.READY, **{"derivatives": stored, "source": facts, **changes})

    def deleted(self, event: ImageEvent) -> None:
        """Do what the job does with a deletion."""
        prefix = f"{event.user_id}/{event.image_id}/"
        self.objects.data = {key: data for key, data in self.objects.data.items() if not key.startswith(prefix)}
        self.status(event, Outcome.DELETED)

    def status(self, event: ImageEvent, outcome: Outcome, reason: Reason | None = None, **changes: Any) -> None:
        """Write a status, and nothing else."""
        failures = (Failure(stage=Stage.FETCH, reason=reason, message="so it is"),) if reason else ()
        given = {name: getattr(event, name) for name in ("event_id", "kind", "user_id", "image_id", "version")}
        status = ImageStatus.model_validate(
            {**given, "outcome": outcome, "failures": failures, "job_version": "1", **changes}
        )
        self.statuses.append(_record(self.statuses, event.user_id.encode(), status_codec().encode(status)))

    def letter(self, value: bytes, reason: Reason, event_id: str | None = None) -> None:
        """Write a dead letter."""
        letter = DeadLetter.of(value, Stage.DECODE, reason, "so it is", "1", event_id)
        self.letters.append(_record(self.letters, b"", dead_letter_codec().encode(letter)))

    def judge(self, allowed: frozenset[Reason] = frozenset()) -> Verdict:
        """Ask the oracle."""
        observed = Observed()
        observed.add_records(self.events)
        observed.add_statuses(self.statuses)
        observed.add_letters(self.letters)
        return judge_observed(observed, Knowledge.of(self.lines), self.objects, ("images", BUCKET), allowed)


def _record(topic: list[TopicRecord], key: bytes, value: bytes) -> TopicRecord:
    return TopicRecord(0, len(topic), 0, key, value)


def _derivative(event: ImageEvent, preset: str, data: bytes) -> Derivative:
    width, height, format_, extension = SIZES[preset]
    key = derivative_key(event.user_id, event.image_id, event.version, preset, "0123456789ab", extension)
    return Derivative(
        preset=preset,
        preset_version=1,
        bucket=BUCKET,
        key=key,
        width=width,
        height=height,
        format=format_,
        bytes=len(data),
        sha256=digest(data),
    )
