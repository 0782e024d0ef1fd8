"""What the load does next: a mixed stream of sources and records that the seed alone decides. Knows no client."""

import hashlib
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from schemas.codec import Codec, load_schema
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source
from tests.chaos.journal import GOOD
from tests.chaos.pictures import BAD, MISSING, made
from tests.chaos.steps import WEIGHTS, Act, Message, Step, Upload

HOT_SHARE = 0.35
ETAG_SHARE = 0.5
IMAGES_PER_USER = 30
REMEMBERED_RECORDS = 3_000
SOON_STEPS = 6
PRESETS = ("small", "square", "tiny")
UNKNOWN_PRESET = "no-such-preset"
FOREIGN_BUCKET = "somebody-elses"
STRANGE_USERS = ("ada/../x", "..", "Zoë % ~", "日本語")


@dataclass(slots=True)
class _Image:
    user: str
    name: str
    version: int = 0
    source: Source | None = None
    deleted: bool = False


class Mix:
    """An endless, repeatable stream of steps; only the times in the events differ between two runs."""

    def __init__(self, seed: int, bucket: str, users: int, hot_users: int) -> None:
        self._chance = random.Random(seed)
        self._bucket = bucket
        names = [*STRANGE_USERS, *(f"user-{number:03d}" for number in range(users))][:users]
        self._hot, self._calm = names[-hot_users:], names[:-hot_users]
        self._images: dict[str, list[_Image]] = {name: [] for name in names}
        self._sent: deque[Step] = deque(maxlen=REMEMBERED_RECORDS)
        self._queued: deque[Step] = deque()
        self._codec = event_codec()
        self._acts: dict[Act, Callable[[], Step | None]] = {
            Act.UPLOAD: self._upload,
            Act.REPLACE: self._replace,
            Act.DELETE: self._delete,
            Act.REDERIVE_SET: lambda: self._rederive(None),
            Act.REDERIVE_NAMED: lambda: self._rederive(self._some_presets()),
            Act.DUPLICATE_SOON: lambda: self._duplicate(SOON_STEPS),
            Act.DUPLICATE_LATE: lambda: self._duplicate(REMEMBERED_RECORDS),
            Act.OLD_VERSION: self._old_version,
            Act.UPLOAD_AFTER_DELETE: self._upload_after_delete,
            Act.BAD_IMAGE: self._bad_image,
            Act.UNDECODABLE: self._undecodable,
            Act.UNKNOWN_PRESETS: lambda: self._uploaded(
                self._new(), Act.UNKNOWN_PRESETS, presets=("small", UNKNOWN_PRESET)
            ),
            Act.REPLACED_IN_PLACE: self._replaced_in_place,
            Act.LATE_SOURCE: self._late_source,
            Act.FOREIGN_SOURCE: self._foreign_source,
        }

    def next(self) -> Step:
        """Return the next step."""
        step = self._queued.popleft() if self._queued else self._made()
        self._sent.append(step)
        return step

    def _made(self) -> Step:
        (act,) = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        return self._acts[act]() or self._upload()

    def _upload(self) -> Step:
        return self._uploaded(self._new())

    def _replace(self) -> Step | None:
        image = self._known(lambda image: not image.deleted)
        return None if image is None else self._uploaded(image, Act.REPLACE)

    def _delete(self) -> Step | None:
        image = self._known(lambda image: not image.deleted)
        if image is None:
            return None
        image.version += self._chance.randrange(3)  # the same version or a higher one
        image.deleted = True
        return self._step(Act.DELETE, self._event(image, kind=EventKind.DELETED, source=None))

    def _rederive(self, presets: tuple[str, ...] | None) -> Step | None:
        image = self._known(lambda image: image.source is not None)
        if image is None:
            return None
        act = Act.REDERIVE_NAMED if presets else Act.REDERIVE_SET
        return self._step(act, self._event(image, kind=EventKind.REDERIVE, presets=presets))

    def _duplicate(self, among: int) -> Step | None:
        if not self._sent:
            return None
        recent = list(self._sent)[-among:]
        act = Act.DUPLICATE_SOON if among == SOON_STEPS else Act.DUPLICATE_LATE
        return Step(act, (), self._chance.choice(recent).message)

    def _old_version(self) -> Step | None:
        image = self._known(lambda image: image.version > 1)
        if image is None:
            return None
        version = self._chance.randrange(1, image.version)
        old = _Image(image.user, image.name, version)
        return self._stored(Act.OLD_VERSION, old, self._key(old, f"late-{self._id()[:8]}"), GOOD)

    def _upload_after_delete(self) -> Step | None:
        image = self._known(lambda image: image.deleted)
        if image is None:
            return None
        if self._chance.random() < 0.5:
            return self._uploaded(image, Act.UPLOAD_AFTER_DELETE)
        old = _Image(image.user, image.name, image.version)
        return self._stored(Act.UPLOAD_AFTER_DELETE, old, self._key(old, f"late-{self._id()[:8]}"), GOOD)

    def _bad_image(self) -> Step:
        content = self._chance.choice(list(BAD))
        image = self._known(lambda image: not image.deleted) or self._new()
        return self._uploaded(image, Act.BAD_IMAGE, content=content)

    def _undecodable(self) -> Step:
        user = self._user()
        valid = self._codec.encode(self._event(_Image(user, "never"), kind=EventKind.DELETED, source=None))
        noise = self._chance.randbytes(24)
        value, reason = self._chance.choice(
            [
                (noise, "NOT_AVRO"),
                (valid[:-1], "NOT_AVRO"),
                (valid + noise, "NOT_AVRO"),
                (valid[:2] + noise + valid[10:], "UNKNOWN_SCHEMA"),
                (self._without_source(user), "INVALID_EVENT"),
            ]
        )
        return Step(Act.UNDECODABLE, (), Message(user.encode(), value, reason))

    def _replaced_in_place(self) -> Step:
        """An event for the first bytes, and one for the same entity tag when other bytes have taken their place."""
        image = self._new()
        first = self._uploaded(image, Act.REPLACED_IN_PLACE, etag=True)
        source = image.source
        assert source is not None
        second = Upload(source.bucket, source.key, made(GOOD, self._chance), replaces=True)
        image.version += 1
        stale = self._message(self._event(image))
        self._queued.append(Step(Act.REPLACED_IN_PLACE, (second,), stale))
        image.source = Source(bucket=source.bucket, key=source.key, etag=_etag(second.data))
        return first

    def _late_source(self) -> Step:
        step = self._uploaded(self._new(), Act.LATE_SOURCE)
        return Step(step.act, (), step.message, after=step.before)

    def _foreign_source(self) -> Step:
        image = self._new()
        image.version += 1
        image.source = Source(bucket=FOREIGN_BUCKET, key="secret.jpg")
        return self._step(Act.FOREIGN_SOURCE, self._event(image))

    def _uploaded(
        self,
        image: _Image,
        act: Act = Act.UPLOAD,
        content: str = GOOD,
        presets: tuple[str, ...] | None = None,
        etag: bool = False,
    ) -> Step:
        image.version += self._chance.randrange(1, 4)
        image.deleted = False
        return self._stored(act, image, self._key(image, "source"), content, presets, etag)

    def _stored(
        self,
        act: Act,
        image: _Image,
        key: str,
        content: str,
        presets: tuple[str, ...] | None = None,
        etag: bool = False,
    ) -> Step:
        data = made(content, self._chance)
        with_etag = etag or (content == GOOD and self._chance.random() < ETAG_SHARE)
        image.source = Source(bucket=self._bucket, key=key, etag=_etag(data) if with_etag else None)
        before = () if content == MISSING else (Upload(self._bucket, key, data, content),)
        return self._step(act, self._event(image, presets=presets), before)

    def _step(self, act: Act, event: ImageEvent, before: tuple[Upload, ...] = ()) -> Step:
        return Step(act, before, self._message(event))

    def _message(self, event: ImageEvent) -> Message:
        return Message(event.user_id.encode(), self._codec.encode(event))

    def _event(self, image: _Image, **changes: Any) -> ImageEvent:
        given = {
            "event_id": self._id(),
            "kind": EventKind.UPLOADED,
            "user_id": image.user,
            "image_id": image.name,
            "version": image.version,
            "source": image.source,
            "occurred_at": datetime.now(UTC),
        }
        return ImageEvent.model_validate({**given, **changes})

    def _without_source(self, user: str) -> bytes:
        fields = self._event(_Image(user, "never"), kind=EventKind.DELETED, source=None).model_dump()
        return Codec(load_schema("image-event")).encode({**fields, "kind": "UPLOADED"})

    def _some_presets(self) -> tuple[str, ...]:
        return tuple(self._chance.sample(PRESETS, self._chance.randrange(1, len(PRESETS) + 1)))

    def _user(self) -> str:
        return self._chance.choice(self._hot if self._chance.random() < HOT_SHARE else self._calm)

    def _new(self) -> _Image:
        """Return a new image of some user, or an old one when the user has many."""
        images = self._images[user := self._user()]
        if len(images) >= IMAGES_PER_USER:
            return self._chance.choice(images)
        images.append(_Image(user, f"image-{len(images)}"))
        return images[-1]

    def _known(self, wanted: Callable[[_Image], bool]) -> _Image | None:
        mine = [image for image in self._images[self._user()] if wanted(image)]
        everyone = (image for images in self._images.values() for image in images if wanted(image))
        found = mine or list(everyone)
        return self._chance.choice(found) if found else None

    def _key(self, image: _Image, name: str) -> str:
        return f"chaos/{image.user.encode().hex()}/{image.name}/{image.version}/{name}"

    def _id(self) -> str:
        return self._chance.randbytes(16).hex()


def _etag(data: bytes) -> str:
    """Return the entity tag that an S3 store gives to an object stored in one request."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
