"""Writes the table of keys in docs/presets.md, and jobs/presets.schema.json, from the models of a presets file.

python docs/presets_table.py           writes both
python docs/presets_table.py --check   exits 1 and says how to regenerate when one is not current
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from in_words import between, in_json, table
from presets_schema import schema

import jobs
from udfs.imaging.preset_relations import TAKEN_BY

PAGE = Path(__file__).parent / "presets.md"
SCHEMA = Path(jobs.__file__ or "").resolve().parent / "presets.schema.json"
COMMAND = "python docs/presets_table.py"
BEGIN = f"<!-- Generated from udfs/imaging by `{COMMAND}`: begin -->"
END = "<!-- end of the generated table -->"

TYPES = {"integer": "whole number", "string": "text", "boolean": "true or false", "array": "list", "object": "mapping"}


def keys_table() -> str:
    """Return one row per key of a preset, in the order of the models: key, type, default, allowed, formats."""
    entry = schema()["properties"]["presets"]["items"]
    return table(["key", "type", "default", "allowed", "formats"], _rows("", entry))


def schema_text() -> str:
    """Return the JSON Schema as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def with_table(page: str) -> str:
    """Return the page with the current table between the markers; ValueError when one is missing."""
    return between(page, BEGIN, END, keys_table())


def _rows(prefix: str, mapping: Mapping[str, Any]) -> Iterator[list[str]]:
    for key, value in mapping["properties"].items():
        needed = key in mapping.get("required", [])
        formats = ", ".join(TAKEN_BY.get(key, ())) if not prefix else key if prefix == "quality." else ""
        yield [
            f"`{prefix}{key}`",
            _type(value),
            _default(value, needed),
            value.get("description", ""),
            formats or "all",
        ]
        for branch in (value, *value.get("anyOf", [])):
            if "properties" in branch:
                yield from _rows(f"{prefix}{key}.", branch)


def _type(value: Mapping[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_type(branch) for branch in value["anyOf"]))
    if "enum" in value or "const" in value:
        values = value.get("enum", [value.get("const")])
        return "one of them" if len(values) > 1 else in_json(values[0])
    return TYPES.get(value.get("type", ""), value.get("type", "any"))


def _default(value: Mapping[str, Any], needed: bool) -> str:
    if "default" in value:
        return f"`{in_json(value['default'])}`"
    return "must be given" if needed else "none"


def main(arguments: list[str]) -> int:
    """Write both files, or compare them with ``--check``; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    current = {PAGE: with_table(PAGE.read_text("utf-8")), SCHEMA: schema_text()}
    if not arguments:
        for path, text in current.items():
            path.write_text(text, "utf-8")
        return 0
    drifted = [path.name for path, text in current.items() if not path.is_file() or path.read_text("utf-8") != text]
    for name in drifted:
        print(f"{name} is not what udfs/imaging says; run: {COMMAND}", file=sys.stderr)
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
