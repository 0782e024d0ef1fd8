"""The records on the wire as frozen models, and the limits an event has to keep."""

import hashlib
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from schemas.reasons import Reason

ID_MAX_CHARACTERS = 1024
SOURCE_KEY_MAX_BYTES = 1024  # S3's own limit
PRESETS_MAX_COUNT = 64
ATTRIBUTES_MAX_COUNT = 64
ATTRIBUTES_MAX_BYTES = 16 * 1024
TRACEPARENT_MAX_CHARACTERS = 256
MESSAGE_MAX_CHARACTERS = 2000
PAYLOAD_MAX_BYTES = 512 * 1024  # twice the largest valid event, half of what a broker takes by default

Id = Annotated[str, Field(min_length=1, max_length=ID_MAX_CHARACTERS)]


class EventKind(StrEnum):
    """What happened to the image."""

    UPLOADED = "UPLOADED"
    DELETED = "DELETED"
    REDERIVE = "REDERIVE"


class Outcome(StrEnum):
    """How an event ended."""

    READY = "READY"
    PARTIAL = "PARTIAL"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    DELETED = "DELETED"
    SUPERSEDED = "SUPERSEDED"


class Stage(StrEnum):
    """Where a failure was found."""

    DECODE = "DECODE"
    ADMIT = "ADMIT"
    FETCH = "FETCH"
    RENDER = "RENDER"
    STORE = "STORE"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Source(_Record):
    """Where an original lies."""

    bucket: Annotated[str, Field(min_length=1, max_length=255)]
    key: Annotated[str, Field(min_length=1)]
    etag: Annotated[str, Field(pattern=r"^[\x21\x23-\x7e]{1,256}$")] | None = None  # RFC 9110: it becomes a header


class FocalPoint(_Record):
    """What a picture is about, in shares of its width and height as a viewer shows it."""

    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]


class ImageEvent(_Record):
    """One event that is valid in every field."""

    event_id: Id
    kind: EventKind
    user_id: Id
    image_id: Id
    version: Annotated[int, Field(ge=0)]
    source: Source | None = None
    presets: Annotated[tuple[Id, ...], Field(min_length=1, max_length=PRESETS_MAX_COUNT)] | None = None
    focal_point: FocalPoint | None = None
    attributes: Annotated[dict[str, str], Field(max_length=ATTRIBUTES_MAX_COUNT)] = Field(default_factory=dict)
    occurred_at: AwareDatetime
    traceparent: Annotated[str, Field(max_length=TRACEPARENT_MAX_CHARACTERS)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind is not EventKind.DELETED and self.source is None:
            message = f"source is missing, and {self.kind} needs one; name its bucket and key"
            raise ValueError(message)
        if self.source and len(self.source.key.encode()) > SOURCE_KEY_MAX_BYTES:
            message = f"source.key has more than {SOURCE_KEY_MAX_BYTES} bytes; no S3 object has such a key"
            raise ValueError(message)
        if sum(len(k.encode()) + len(v.encode()) for k, v in self.attributes.items()) > ATTRIBUTES_MAX_BYTES:
            message = f"attributes have more than {ATTRIBUTES_MAX_BYTES} bytes; keep large data elsewhere"
            raise ValueError(message)
        return self


class Derivative(_Record):
    """One stored derivative."""

    preset: str
    preset_version: int
    bucket: str
    key: str
    width: int
    height: int
    format: str
    frames: int = 1
    bytes: int
    sha256: str


class SourceFacts(_Record):
    """What an original turned out to be; width and height in pixels as a viewer shows them."""

    format: str
    width: int
    height: int
    bytes: int
    sha256: str
    frames: int
    has_alpha: bool
    orientation: int = 1
    color_profile: str | None = None
    captured_at: str | None = None
    camera_make: str | None = None
    camera_model: str | None = None


class Exposure(_Record):
    """How light a picture is, in shares of 0 to 1."""

    mean: float
    shadows: float
    highlights: float


class Signals(_Record):
    """What a picture looks like; the schema says how each is measured."""

    blurhash: str
    thumbhash: str
    dominant_color: str
    palette: tuple[str, ...]
    perceptual_hash: str
    sharpness: float
    exposure: Exposure


class Manifest(_Record):
    """The stored list of an image's responsive derivatives."""

    bucket: str
    key: str
    bytes: int
    sha256: str


class Failure(_Record):
    """Why an event, or one preset of it, did not succeed."""

    preset: str | None = None
    stage: Stage
    reason: Reason
    message: str


class Timings(_Record):
    """Milliseconds spent in each stage."""

    fetch_ms: int = 0
    render_ms: int = 0
    store_ms: int = 0


class ImageStatus(_Record):
    """The one outcome of one event."""

    event_id: str
    kind: EventKind
    user_id: str
    image_id: str
    version: int
    outcome: Outcome
    derivatives: tuple[Derivative, ...] = ()
    source: SourceFacts | None = None
    signals: Signals | None = None
    manifest: Manifest | None = None
    failures: tuple[Failure, ...] = ()
    timings: Timings = Timings()
    attempts: int = 1
    job_version: str
    traceparent: str | None = None


class DeadLetter(_Record):
    """Bytes that are not a valid event, or an event that was given up; a valid event is never cut."""

    stage: Stage
    reason: Reason
    message: str
    event_id: str | None = None
    payload: bytes
    payload_bytes: int
    payload_sha256: str
    job_version: str

    @classmethod
    def of(
        cls, record: bytes, stage: Stage, reason: Reason, message: str, job_version: str, event_id: str | None = None
    ) -> Self:
        """Return the dead letter of a record as it was read, of any size."""
        return cls(
            stage=stage,
            reason=reason,
            message=message[:MESSAGE_MAX_CHARACTERS],
            event_id=event_id,
            payload=record[:PAYLOAD_MAX_BYTES],
            payload_bytes=len(record),
            payload_sha256=hashlib.sha256(record).hexdigest(),
            job_version=job_version,
        )
