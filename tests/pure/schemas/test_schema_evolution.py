import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.codec import Codec, Schema, load_folder, load_schema
from schemas.errors import NotAvroError, SchemaFolderError, UnknownSchemaError
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source

EVENT = ImageEvent(
    event_id="e-1",
    kind=EventKind.UPLOADED,
    user_id="u-1",
    image_id="i-1",
    version=3,
    source=Source(bucket="images", key="u-1/i-1.jpg"),
    occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
)


def without(schema: Schema, *names: str) -> Schema:
    """Return a schema as it was before the fields were added, at the top or inside a nested record."""
    if isinstance(schema, list):
        return [without(branch, *names) for branch in schema]
    if not isinstance(schema, dict) or "fields" not in schema:
        return schema
    kept = [{**f, "type": without(f["type"], *names)} for f in schema["fields"] if f["name"] not in names]
    return {**schema, "fields": kept}


def with_field(name: str, avro_type: object, default: object) -> Schema:
    schema = load_schema("image-event")
    return {**schema, "fields": [*schema["fields"], {"name": name, "type": avro_type, "default": default, "doc": "x"}]}


def with_kind(symbol: str) -> Schema:
    schema = load_schema("image-event")
    kind = next(f for f in schema["fields"] if f["name"] == "kind")
    kind["type"]["symbols"].append(symbol)
    return schema


def written(schema: Schema, **changes: object) -> bytes:
    return Codec(schema).encode({**EVENT.model_dump(), **changes})


OLDER = {
    "no attributes": without(load_schema("image-event"), "attributes"),
    "no traceparent": without(load_schema("image-event"), "traceparent"),
    "no etag": without(load_schema("image-event"), "etag"),
    "no presets": without(load_schema("image-event"), "presets"),
    "the first": without(load_schema("image-event"), "attributes", "traceparent", "etag", "presets"),
}

NEWER = {
    "a string": with_field("device", "string", ""),
    "a nullable record": with_field(
        "place",
        ["null", {"type": "record", "name": "Place", "fields": [{"name": "lat", "type": "double"}]}],
        None,
    ),
    "a kind": with_kind("RENAMED"),
}


def reader_with(folder, schema):
    (folder / "writer.avsc").write_text(json.dumps(schema), encoding="utf-8")
    return event_codec(load_folder(folder))


@pytest.mark.parametrize("name", OLDER)
def test_an_event_of_an_older_schema_decodes_once_its_schema_is_known(name, tmp_path):
    data = written(OLDER[name])
    with pytest.raises(UnknownSchemaError):
        event_codec().decode(data)
    assert reader_with(tmp_path, OLDER[name]).decode(data) == EVENT


@pytest.mark.parametrize("name", NEWER)
def test_an_event_of_a_newer_schema_decodes_once_its_schema_is_known(name, tmp_path):
    data = written(NEWER[name])
    with pytest.raises(UnknownSchemaError):
        event_codec().decode(data)
    assert reader_with(tmp_path, NEWER[name]).decode(data) == EVENT


def test_values_of_fields_the_reader_does_not_have_are_skipped(tmp_path):
    data = written(NEWER["a string"], device="camera")
    assert reader_with(tmp_path, NEWER["a string"]).decode(data) == EVENT


def test_a_newer_event_cut_short_in_a_field_the_reader_skips_is_not_avro(tmp_path):
    data = written(NEWER["a string"], device="camera")
    codec = reader_with(tmp_path, NEWER["a string"])
    for cut in range(1, len("camera") + 2):
        with pytest.raises(NotAvroError):
            codec.decode(data[:-cut])


def test_a_kind_this_reader_does_not_have_ends_as_a_dead_letter(tmp_path):
    with pytest.raises(NotAvroError, match="SchemaResolutionError"):
        reader_with(tmp_path, NEWER["a kind"]).decode(written(NEWER["a kind"], kind="RENAMED"))


def test_a_reason_this_reader_does_not_have_becomes_unspecified():
    newer = load_schema("dead-letter")
    reason = next(f for f in newer["fields"] if f["name"] == "reason")
    reason["type"]["symbols"].append("OUT_OF_FILM")
    letter = {
        "stage": "STORE",
        "reason": "OUT_OF_FILM",
        "message": "",
        "payload": b"",
        "payload_bytes": 0,
        "payload_sha256": "",
    }
    data = Codec(newer).encode({**letter, "payload_sha256": "", "job_version": "9"})
    assert Codec(load_schema("dead-letter"), [newer]).decode(data)["reason"] == "UNSPECIFIED"


def test_many_writers_are_told_apart_by_fingerprint(tmp_path):
    for number, schema in enumerate([*OLDER.values(), *NEWER.values()]):
        (tmp_path / f"{number}.avsc").write_text(json.dumps(schema), encoding="utf-8")
    codec = event_codec(load_folder(tmp_path))
    assert all(codec.decode(written(schema)) == EVENT for schema in [*OLDER.values(), *NEWER.values()])
    assert codec.decode(event_codec().encode(EVENT)) == EVENT


def test_an_empty_folder_has_no_schemas(tmp_path):
    assert load_folder(tmp_path) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SchemaFolderError, match="absent is not a folder"):
        load_folder(tmp_path / "absent")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"type": "record"}', b'"no-such-type"'])
def test_a_file_that_is_no_schema_is_named(content, tmp_path):
    (tmp_path / "broken.avsc").write_bytes(content)
    with pytest.raises(SchemaFolderError, match=r"broken\.avsc is not an Avro schema"):
        load_folder(tmp_path)


def test_what_an_earlier_version_wrote_is_read_without_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = load_schema("dead-letter")
    earlier["fields"][-1]["name"] = "written_by"
    later = load_schema("dead-letter")
    later["fields"][-1]["default"] = "unknown"
    data = Codec(earlier).encode(
        {"stage": "STORE", "reason": "NOT_AVRO", "message": "", "payload": b"", "payload_bytes": 0}
        | {"payload_sha256": "", "written_by": "0.0"}
    )
    with pytest.raises(UnknownSchemaError):
        Codec(later).decode(data)
    (tmp_path / "writers").mkdir()
    (tmp_path / "writers" / "dead-letter-0.0.avsc").write_text(json.dumps(earlier))
    monkeypatch.setattr("schemas.codec.files", lambda _package: tmp_path)
    assert Codec(later).decode(data)["job_version"] == "unknown"
