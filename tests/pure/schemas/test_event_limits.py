from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from schemas.codec import Codec, load_schema
from schemas.errors import InvalidRecordError
from schemas.record_codecs import event_codec
from schemas.records import ImageEvent

VALID = {
    "event_id": "e-1",
    "kind": "UPLOADED",
    "user_id": "u-1",
    "image_id": "i-1",
    "version": 0,
    "source": {"bucket": "images", "key": "u-1/i-1.jpg", "etag": None},
    "presets": None,
    "attributes": {},
    "occurred_at": datetime(2026, 3, 4, tzinfo=UTC),
    "traceparent": None,
}


def source(**changes: object) -> dict:
    return {**VALID["source"], **changes}


def decode(**changes: object):
    return event_codec().decode(Codec(load_schema("image-event")).encode({**VALID, **changes}))


INVALID = {
    "empty event id": ({"event_id": ""}, "event_id: "),
    "long event id": ({"event_id": "x" * 1025}, "event_id: "),
    "empty user id": ({"user_id": ""}, "user_id: "),
    "10 kB user id": ({"user_id": "😀" * 2_560}, "user_id: "),
    "empty image id": ({"image_id": ""}, "image_id: "),
    "10 kB image id": ({"image_id": "x" * 10_240}, "image_id: "),
    "negative version": ({"version": -1}, "version: "),
    "least version": ({"version": -(2**63)}, "version: "),
    "upload without source": ({"source": None}, "source is missing, and UPLOADED needs one"),
    "rederive without source": ({"kind": "REDERIVE", "source": None}, "source is missing, and REDERIVE needs one"),
    "empty bucket": ({"source": source(bucket="")}, "source.bucket: "),
    "long bucket": ({"source": source(bucket="b" * 256)}, "source.bucket: "),
    "empty key": ({"source": source(key="")}, "source.key: "),
    "10 kB key": ({"source": source(key="x" * 10_240)}, "source.key has more than 1024 bytes"),
    "1025-byte key of few characters": ({"source": source(key="é" * 512 + "x")}, "source.key has more than 1024 bytes"),
    "empty etag": ({"source": source(etag="")}, "source.etag: "),
    "etag with a tab": ({"source": source(etag="a\tb")}, "source.etag: "),
    "etag with a line break": ({"source": source(etag="a\r\nX-Evil: 1")}, "source.etag: "),
    "etag that is not ASCII": ({"source": source(etag="é")}, "source.etag: "),
    "etag with a quote": ({"source": source(etag='a"b')}, "source.etag: "),
    "no presets in the list": ({"presets": []}, "presets: "),
    "too many presets": ({"presets": [f"p{n}" for n in range(65)]}, "presets: "),
    "empty preset name": ({"presets": ["thumb", ""]}, "presets.1: "),
    "too many attributes": ({"attributes": {str(n): "" for n in range(65)}}, "attributes: "),
    "too big attributes": ({"attributes": {"a": "x" * 16_384}}, "attributes have more than 16384 bytes"),
    "huge attributes": ({"attributes": {"a": "x" * 5_000_000}}, "attributes have more than 16384 bytes"),
    "long traceparent": ({"traceparent": "x" * 257}, "traceparent: "),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_event_names_its_field(name):
    changes, words = INVALID[name]
    with pytest.raises(InvalidRecordError) as caught:
        decode(**changes)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(InvalidRecordError) as caught:
        decode(event_id="", user_id="", version=-1)
    assert all(field in str(caught.value) for field in ("event_id: ", "user_id: ", "version: "))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"version": 2**63 - 1},
        {"kind": "DELETED", "source": None},
        {"kind": "DELETED"},
        {"event_id": "x" * 1024, "user_id": "😀" * 1024, "image_id": "\0"},
        {"source": source(key="é" * 512)},
        {"presets": [f"p{n}" for n in range(64)]},
        {"attributes": {"a": "x" * 16_383}},
        {"attributes": {f"{n:02}": "x" * 254 for n in range(64)}},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    ],
)
def test_an_event_at_its_limits_is_valid(changes):
    assert decode(**changes).event_id


def test_a_time_without_a_zone_cannot_become_an_event():
    with pytest.raises(ValidationError, match="occurred_at"):
        ImageEvent(**{**VALID, "occurred_at": datetime(2026, 3, 4)})  # noqa: DTZ001
