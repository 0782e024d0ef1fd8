import struct
import time
from contextlib import suppress

import fastavro
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from record_strategies import dead_letters, events, statuses

from schemas.codec import HEADER_BYTES, MARKER, Codec, load_schema, schema_fingerprint
from schemas.errors import InvalidRecordError, NotAvroError, UndecodableError, UnknownSchemaError
from schemas.reasons import Reason
from schemas.record_codecs import Record, RecordCodec, dead_letter_codec, event_codec, status_codec

RECORDS = ["image-event", "image-status", "dead-letter"]
CODECS = {"image-event": event_codec(), "image-status": status_codec(), "dead-letter": dead_letter_codec()}
SLOW_SECONDS = 1.0


def header(name: str) -> bytes:
    return MARKER + schema_fingerprint(load_schema(name))


def decode_hostile(codec: RecordCodec[Record], data: bytes) -> None:
    started = time.process_time()
    with suppress(UndecodableError):
        codec.decode(data)
    assert time.process_time() - started < SLOW_SECONDS


@given(events)
def test_an_event_survives_the_round_trip(event):
    assert CODECS["image-event"].decode(CODECS["image-event"].encode(event)) == event


@given(statuses)
def test_a_status_survives_the_round_trip(status):
    assert CODECS["image-status"].decode(CODECS["image-status"].encode(status)) == status


@given(dead_letters)
def test_a_dead_letter_survives_the_round_trip(letter):
    assert CODECS["dead-letter"].decode(CODECS["dead-letter"].encode(letter)) == letter


@given(events)
def test_equal_records_have_equal_bytes(event):
    assert event_codec().encode(event) == event_codec().encode(event.model_copy())


@pytest.mark.parametrize("name", RECORDS)
@given(data=st.binary(max_size=300))
def test_random_bytes_are_undecodable_and_nothing_else(name, data):
    decode_hostile(CODECS[name], data)


@pytest.mark.parametrize("name", RECORDS)
@given(body=st.binary(max_size=300))
@example(body=b"\xff" * 300)
@example(body=b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" * 30)
@example(body=b"\x01" * 300)
@example(body=b"\x02\xff")
def test_random_bodies_are_undecodable_and_nothing_else(name, body):
    decode_hostile(CODECS[name], header(name) + body)


@given(event=events, position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_one_changed_byte_ends_in_an_event_or_in_an_undecodable_error(event, position, value):
    data = bytearray(CODECS["image-event"].encode(event))
    data[position % len(data)] = value
    decode_hostile(CODECS["image-event"], bytes(data))


@given(event=events, cut=st.integers(1, 10_000))
def test_an_event_cut_short_is_not_avro(event, cut):
    data = CODECS["image-event"].encode(event)
    with pytest.raises(NotAvroError):
        CODECS["image-event"].decode(data[: -(1 + cut % len(data))])


@given(event=events, more=st.binary(min_size=1, max_size=50))
def test_bytes_behind_the_body_are_named(event, more):
    with pytest.raises(NotAvroError, match=rf"^{len(more)} bytes are left over"):
        CODECS["image-event"].decode(CODECS["image-event"].encode(event) + more)


@given(fingerprint=st.binary(min_size=8, max_size=8), body=st.binary(max_size=50))
def test_an_unknown_fingerprint_is_named(fingerprint, body):
    with pytest.raises(UnknownSchemaError, match=fingerprint.hex()):
        CODECS["image-event"].decode(MARKER + fingerprint + body)


def test_every_undecodable_error_carries_its_reason_code():
    reasons = {error: error.reason for error in UndecodableError.__subclasses__()}
    assert reasons == {
        NotAvroError: Reason.NOT_AVRO,
        UnknownSchemaError: Reason.UNKNOWN_SCHEMA,
        InvalidRecordError: Reason.INVALID_EVENT,
    }


@pytest.mark.parametrize("data", [b"", b"\xc3", MARKER, MARKER + b"\0" * 7, b"{}", b"Obj\x01" + b"\0" * 20, b"\0" * 14])
def test_what_has_no_header_is_not_avro(data):
    with pytest.raises(NotAvroError, match="marker C3 01"):
        CODECS["image-event"].decode(data)


def test_a_status_is_not_an_event():
    with pytest.raises(UnknownSchemaError):
        CODECS["image-event"].decode(header("image-status"))


def test_a_huge_announced_length_allocates_nothing():
    length = b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"  # zig-zag of 2**63 - 1
    with pytest.raises(NotAvroError):
        CODECS["image-event"].decode(header("image-event") + length + b"x" * 100)


def test_a_date_beyond_the_calendar_is_undecodable():
    far = {**load_schema("image-event")}
    far["fields"] = [{**f, "type": "long"} if f["name"] == "occurred_at" else f for f in far["fields"]]
    record = {"event_id": "e", "kind": "DELETED", "user_id": "u", "image_id": "i", "version": 0, "occurred_at": 2**62}
    body = Codec(far).encode(record)[HEADER_BYTES:]
    with pytest.raises(UndecodableError):
        CODECS["image-event"].decode(header("image-event") + body)


def test_two_presets_are_an_array_and_not_a_tagged_union():
    codec = Codec(load_schema("image-event"))
    record = {"event_id": "e", "kind": "DELETED", "user_id": "u", "image_id": "i", "version": 0, "occurred_at": 0}
    assert codec.decode(codec.encode({**record, "presets": ("string", "null")}))["presets"] == ["string", "null"]


@pytest.mark.parametrize("name", RECORDS)
def test_the_fingerprint_is_the_little_endian_crc_of_the_canonical_form(name):
    canonical = fastavro.schema.to_parsing_canonical_form(load_schema(name))
    assert schema_fingerprint(load_schema(name)) == struct.pack("<Q", crc_64_avro(canonical.encode()))


def crc_64_avro(data: bytes) -> int:
    """Avro 1.12 specification, "Schema fingerprints", bit by bit."""
    crc = 0xC15D213AA4D7A795
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xC15D213AA4D7A795 if crc & 1 else 0)
    return crc


@given(events)
def test_an_invalid_value_is_an_invalid_record_and_not_a_validation_error(event):
    data = Codec(load_schema("image-event")).encode({**event.model_dump(), "user_id": ""})
    with pytest.raises(InvalidRecordError, match="user_id"):
        CODECS["image-event"].decode(data)
