from collections.abc import Iterator

import pytest

from schemas.codec import load_schema
from schemas.reasons import REASONS, Reason
from schemas.records import DeadLetter, EventKind, ImageEvent, ImageStatus, Outcome, Stage

MODELS = {"image-event": ImageEvent, "image-status": ImageStatus, "dead-letter": DeadLetter}
ENUMS = {"EventKind": EventKind, "Outcome": Outcome, "Stage": Stage, "Reason": Reason}
DEFAULTS = {
    "image-event": {"source": None, "presets": None, "focal_point": None, "attributes": {}, "traceparent": None},
    "image-status": {
        "derivatives": [],
        "source": None,
        "signals": None,
        "manifest": None,
        "failures": [],
        "traceparent": None,
    },
    "dead-letter": {"event_id": None},
}


def nested(schema: object) -> Iterator[dict]:
    """Yield every record and enum of a schema."""
    for branch in schema if isinstance(schema, list) else [schema]:
        if isinstance(branch, dict):
            if branch["type"] in ("record", "enum"):
                yield branch
            for child in [branch.get("items"), branch.get("values"), *(f["type"] for f in branch.get("fields", []))]:
                yield from nested(child)


def records(name: str) -> list[dict]:
    return [schema for schema in nested(load_schema(name)) if schema["type"] == "record"]


def enums(name: str) -> list[dict]:
    return [schema for schema in nested(load_schema(name)) if schema["type"] == "enum"]


@pytest.mark.parametrize("name", MODELS)
def test_every_record_and_field_has_a_doc(name):
    assert all(record["doc"].strip() for record in records(name))
    undocumented = [f["name"] for record in records(name) for f in record["fields"] if not f.get("doc", "").strip()]
    assert undocumented == []


@pytest.mark.parametrize("name", MODELS)
def test_the_enums_are_those_of_python_in_the_same_order(name):
    found = enums(name)
    assert found
    for enum in found:
        assert enum["symbols"] == [member.value for member in ENUMS[enum["name"]]], enum["name"]


@pytest.mark.parametrize("name", ["image-status", "dead-letter"])
def test_a_reader_without_the_newest_reason_has_a_default(name):
    reason = next(enum for enum in enums(name) if enum["name"] == "Reason")
    assert reason["default"] == Reason.UNSPECIFIED


def test_every_reason_has_a_meaning_a_remedy_and_an_end():
    assert list(REASONS) == list(Reason)
    assert all(doc.ends_as and doc.meaning.endswith(".") and doc.remedy.endswith(".") for doc in REASONS.values())


@pytest.mark.parametrize("name", MODELS)
def test_the_fields_are_those_of_the_model_in_the_same_order(name):
    assert [f["name"] for f in load_schema(name)["fields"]] == list(MODELS[name].model_fields)


@pytest.mark.parametrize("name", MODELS)
def test_the_defaults_are_those_documented(name):
    fields = load_schema(name)["fields"]
    assert {f["name"]: f["default"] for f in fields if "default" in f} == DEFAULTS[name]


@pytest.mark.parametrize("name", MODELS)
def test_a_default_of_the_schema_is_the_default_of_the_model(name):
    for field, default in DEFAULTS[name].items():
        model_default = MODELS[name].model_fields[field].get_default(call_default_factory=True)
        assert (list(model_default) if isinstance(model_default, tuple) else model_default) == default
