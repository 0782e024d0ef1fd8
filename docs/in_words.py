"""Avro schemas, values and bytes as Markdown that a person reads; knows nothing of Darkroom's own records."""

import json
from collections.abc import Callable, Iterable
from typing import Any

SCALARS = {"long": "64-bit integer", "int": "32-bit integer"}
LONG_ENUM = 10  # symbols from which on a list of them has a chapter of its own


def type_in_words(avro_type: Any) -> str:
    """Return an Avro type as a reader would say it."""
    if isinstance(avro_type, list):
        branches = [branch for branch in avro_type if branch != "null"]
        return " or ".join([*map(type_in_words, branches), *(["null"] if "null" in avro_type else [])])
    if isinstance(avro_type, str):
        return SCALARS.get(avro_type, avro_type)
    if avro_type.get("logicalType") == "timestamp-millis":
        return "milliseconds since 1970-01-01 UTC (`timestamp-millis`)"
    words: dict[str, Callable[[Any], str]] = {
        "record": lambda record: f"[{record['name']}](#{record['name'].lower()})",
        "enum": symbols_in_words,
        "array": lambda array: f"array of {type_in_words(array['items'])}",
        "map": lambda mapping: f"map of string to {type_in_words(mapping['values'])}",
    }
    return words[avro_type["type"]](avro_type)


def symbols_in_words(enum: dict[str, Any]) -> str:
    """Return an enum's symbols, or a link to the chapter of a long one."""
    if len(enum["symbols"]) >= LONG_ENUM:
        return f"a [{enum['name'].lower()} code](#{enum['name'].lower()}-codes)"
    return "one of " + ", ".join(f"`{symbol}`" for symbol in enum["symbols"])


def default_in_words(field: dict[str, Any]) -> str:
    """Return a field's default as JSON, or that it has none."""
    return f"`{in_json(field['default'])}`" if "default" in field else "required"


def inner_records(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records used by a record's fields, in their order."""
    return [record for field in schema["fields"] for record in _records_in(field["type"])]


def _records_in(avro_type: Any) -> list[dict[str, Any]]:
    if isinstance(avro_type, list):
        return [record for branch in avro_type for record in _records_in(branch)]
    if not isinstance(avro_type, dict):
        return []
    if avro_type["type"] == "record":
        return [avro_type, *inner_records(avro_type)]
    return _records_in(avro_type.get("items", avro_type.get("values")))


def field_table(schema: dict[str, Any]) -> str:
    """Return the table of a record's fields."""
    rows = [[f"`{f['name']}`", type_in_words(f["type"]), default_in_words(f), f["doc"]] for f in schema["fields"]]
    return table(["field", "type", "default", "meaning"], rows)


def hex_lines(piece: bytes, note: str, width: int = 12) -> list[str]:
    """Return the bytes, at most ``width`` a line, with the note beside the first line."""
    rows = [piece[start : start + width].hex(" ") for start in range(0, len(piece), width)]
    return [f"{row:<{width * 3}} {note if number == 0 else ''}".rstrip() for number, row in enumerate(rows)]


def in_json(value: Any) -> str:
    """Return a value as JSON, with dates as text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def between(page: str, begin: str, end: str, body: str) -> str:
    """Return the page with the body in place of what stands between two markers.

    Raises:
        ValueError: a marker is missing.
    """
    before, opening, rest = page.partition(begin)
    _, closing, after = rest.partition(end)
    if not opening or not closing:
        message = f"the page has no {begin!r} followed by {end!r}"
        raise ValueError(message)
    return f"{before}{begin}\n{body}\n{end}{after}"
