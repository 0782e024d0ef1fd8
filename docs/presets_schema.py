"""The JSON Schema of a presets file, made of the models that check it, in the form that editors understand best.

Draft 7 without references: editors complete it everywhere. It knows every key, type and range, and what a format or a
geometry asks of other keys; names that point elsewhere in the file are left to Darkroom.
"""

from collections.abc import Mapping
from typing import Any

from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.preset_relations import (
    COMPASS_TAKEN_BY,
    DRAWN_IN_SRGB,
    GRAVITY_TAKEN_BY,
    LOSSY,
    MAY_BE_FLATTENED,
    OPEN,
    TAKEN_BY,
    WITH_QUALITY,
)
from udfs.imaging.presets_file import ENTRY_MODEL, FILE_MODEL

FORMATS = (*WITH_QUALITY, "png", "gif")
GEOMETRIES = ("fit", "fill", "cover", "pad", "stretch")
EXAMPLE: Mapping[str, Any] = {"name": "thumb", "width": 256, "height": 256, "format": "jpeg", "quality": 80}

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the whole schema, ready to be written as JSON."""
    made = FILE_MODEL.model_json_schema()
    cleaned = _cleaned(made, made.get("$defs", {}))
    entry = cleaned["properties"]["presets"]["items"]
    entry["properties"] = {key: entry["properties"][key] for key in keys()}
    for key in ("widths", "dprs", "formats"):
        entry["properties"][key]["uniqueItems"] = True
    entry |= {"allOf": _relations(), "examples": [EXAMPLE]}
    cleaned["properties"]["sets"]["required"] = ["default"]
    cleaned["properties"]["rules"]["items"]["properties"]["when"]["minProperties"] = 1
    order = ("version", "presets", "sets", "rules")
    cleaned["properties"] = {key: cleaned["properties"][key] for key in order}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Darkroom presets", **cleaned}


def keys() -> list[str]:
    """Return every key of an entry, in the order of the documents."""
    of_presets = [key for key in PRESET_MODEL.model_fields if key != "responsive"]
    return [*of_presets, *(key for key in ENTRY_MODEL.model_fields if key not in of_presets)]


def _cleaned(node: Any, definitions: Mapping[str, Any]) -> Any:
    """Put definitions where they are referred to; drop generated titles, nulls and defaults that are null."""
    if isinstance(node, list):
        return [_cleaned(inner, definitions) for inner in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _cleaned({**definitions[node["$ref"].rpartition("/")[2]], **rest}, definitions)
    kept = {key: value for key, value in node.items() if key != "$defs" and not _is_noise(key, value)}
    branches = [branch for branch in kept.pop("anyOf", []) if branch != {"type": "null"}]
    if len(branches) == 1:
        return _cleaned({**branches[0], **kept}, definitions)
    if branches:
        kept["anyOf"] = branches
    return {key: _cleaned(value, definitions) for key, value in kept.items()}


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _relations() -> list[Schema]:
    one_format: Schema = {"oneOf": [{"required": ["format"]}, {"required": ["formats"]}]}
    return [
        one_format,
        _box(),
        *_gravities(),
        _quality(),
        *(_taken(format) for format in FORMATS),
        *_responsive(),
        _kept(),
    ]


def _box() -> Schema:
    box: Schema = {"required": ["width", "height"]}
    some: Schema = {"anyOf": [{"required": [key]} for key in ("width", "height", "widths")]}
    return {"if": _is("geometry", [name for name in GEOMETRIES if name != "fit"]), "then": box, "else": some}


def _gravities() -> list[Schema]:
    compass = {"enum": [word for word in _words("gravity") if word not in GRAVITY_TAKEN_BY]}
    middle = {"properties": {"gravity": {"const": "center"}}}
    of_cover = {"not": _is("geometry", ["cover"])}
    return [
        {"if": {"not": _is("geometry", list(COMPASS_TAKEN_BY))}, "then": middle},
        {"if": of_cover, "then": {"properties": {"gravity": compass}}},
    ]


def _quality() -> Schema:
    wanted = [{"required": [key]} for key in ("quality", "target_ssim", "max_bytes")]
    return {"if": _is("format", sorted(LOSSY)), "then": {"anyOf": wanted}}


def _taken(format: str) -> Schema:
    """Leave the keys that do nothing for a format at their defaults."""
    idle = [key for key, formats in TAKEN_BY.items() if format not in (*formats, *OPEN)]
    return {"if": _is("format", [format]), "then": {"properties": {key: _default(key) for key in idle}}}


def _default(key: str) -> Any:
    default = PRESET_MODEL.model_fields[key].default
    return False if default is None else {"const": default}


def _responsive() -> list[Schema]:
    needs_widths: Schema = {"if": {"required": ["sizes"]}, "then": {"required": ["widths"]}}
    apart = [["widths", "dprs"], ["widths", "dpr"], ["dprs", "dpr"], ["quality", "target_ssim"]]
    several: Schema = {"anyOf": [{"required": ["widths"]}, {"required": ["dprs"]}]}
    one_for_all: Schema = {"if": _is("format", list(OPEN)), "then": {"not": several}}
    return [needs_widths, one_for_all, *({"not": {"required": pair}} for pair in apart)]


def _kept() -> Schema:
    """Leave out what shows the colours of a kept profile wrong."""
    drawn = [{"required": [key]} for key in ("grayscale", *DRAWN_IN_SRGB)]
    flattened = _is("format", list(MAY_BE_FLATTENED)) | {"required": ["format", "corner_radius"]}
    wrong = [*drawn, _is("geometry", ["pad"]), flattened]
    return {"if": _is("color_profile", ["keep"]), "then": {"not": {"anyOf": wrong}}}


def _words(key: str) -> list[str]:
    words: list[str] = PRESET_MODEL.model_json_schema()["properties"][key]["enum"]
    return words


def _is(key: str, values: list[str]) -> Schema:
    return {"properties": {key: {"enum": values}}, "required": [key]}
