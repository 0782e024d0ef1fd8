import hashlib

import pytest

from schemas.codec import Codec, load_schema
from schemas.reasons import Reason
from schemas.record_codecs import dead_letter_codec
from schemas.records import DeadLetter, Stage
from tests.builders import an_event, encoded
from tests.fakes import FakeRuntimeContext
from udfs.decode_event import DecodeEvent
from udfs.items import item


def decoder(writers: list[dict[str, object]] | None = None) -> DecodeEvent:
    function = DecodeEvent(writers or [], "9.9.9")
    function.open(FakeRuntimeContext())
    return function


def raw(**changes: object) -> bytes:
    """An event as a careless producer writes it: any field may have a value that no event may have."""
    return Codec(load_schema("image-event")).encode({**an_event().model_dump(), **changes})


def with_a_new_field() -> dict[str, object]:
    schema = load_schema("image-event")
    schema["fields"].append({"name": "device", "type": "string", "default": "", "doc": "Not known yet."})
    return schema


UNKNOWN = Codec(with_a_new_field()).encode({**an_event().model_dump(), "device": "F3"})
SOURCE = {"bucket": "images", "key": "k", "etag": None}

BAD = {
    "nothing": (b"", Reason.NOT_AVRO, "0 bytes"),
    "text": (b'{"event_id": "e"}', Reason.NOT_AVRO, "marker"),
    "only the marker": (b"\xc3\x01", Reason.NOT_AVRO, "marker"),
    "a cut body": (encoded(an_event())[:-1], Reason.NOT_AVRO, "cannot be read"),
    "bytes left over": (encoded(an_event()) + b"\0", Reason.NOT_AVRO, "left over"),
    "an unknown schema": (UNKNOWN, Reason.UNKNOWN_SCHEMA, "fingerprint"),
    "an empty event id": (raw(event_id=""), Reason.INVALID_EVENT, "event_id"),
    "an empty user id": (raw(user_id=""), Reason.INVALID_EVENT, "user_id"),
    "an empty image id": (raw(image_id=""), Reason.INVALID_EVENT, "image_id"),
    "an endless image id": (raw(image_id="x" * 1025), Reason.INVALID_EVENT, "image_id"),
    "a negative version": (raw(version=-1), Reason.INVALID_EVENT, "version"),
    "no source": (raw(source=None), Reason.INVALID_EVENT, "source"),
    "an empty bucket": (raw(source={**SOURCE, "bucket": ""}), Reason.INVALID_EVENT, "source.bucket"),
    "an empty key": (raw(source={**SOURCE, "key": ""}), Reason.INVALID_EVENT, "source.key"),
    "an endless key": (raw(source={**SOURCE, "key": "é" * 513}), Reason.INVALID_EVENT, "source.key"),
    "no presets": (raw(presets=[]), Reason.INVALID_EVENT, "presets"),
    "too many presets": (raw(presets=["p"] * 65), Reason.INVALID_EVENT, "presets"),
    "huge attributes": (raw(attributes={"a": "x" * 20_000}), Reason.INVALID_EVENT, "attributes"),
    "many attributes": (raw(attributes={str(n): "" for n in range(65)}), Reason.INVALID_EVENT, "attributes"),
    "two faults": (raw(event_id="", version=-1), Reason.INVALID_EVENT, "version"),
}


@pytest.mark.parametrize(("data", "reason", "words"), BAD.values(), ids=BAD)
def test_what_is_not_a_valid_event_becomes_a_dead_letter_with_its_bytes(
    data: bytes, reason: Reason, words: str
) -> None:
    digest = hashlib.sha256(data).hexdigest()
    out = decoder().map(data)
    letter = dead_letter_codec().decode(out.dead_letter)
    assert out == item(digest, dead_letter=out.dead_letter)
    assert words in letter.message
    assert letter == DeadLetter(
        stage=Stage.DECODE,
        reason=reason,
        message=letter.message,
        payload=data,
        payload_bytes=len(data),
        payload_sha256=digest,
        job_version="9.9.9",
    )


def test_an_event_is_keyed_by_its_user_and_keeps_its_bytes() -> None:
    data = encoded(an_event(user_id="Zoë/😀"))
    assert decoder().map(data) == item("Zoë/😀", event=data)


def test_an_event_of_a_schema_that_was_added_is_an_event() -> None:
    assert decoder([with_a_new_field()]).map(UNKNOWN) == item("u", event=UNKNOWN)
