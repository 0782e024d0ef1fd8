"""What is wrong with a presets file, in sentences: line, key, value and what is allowed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from udfs.imaging.expansion import ORIGINS
from udfs.imaging.parameters import UNREADABLE
from udfs.imaging.preset_relations import RELATION
from udfs.imaging.presets_file import ENTRY_MODEL, FILE_MODEL

MAX_SHOWN_CHARS: Final = 60
CLOSE: Final = 0.78  # how alike two words are for a hint, as difflib measures it: `progressive` is no `responsive`
OWN_WORDS: Final = frozenset({UNREADABLE, "value_error", "assertion_error"})  # errors that say themselves what is wrong
FALLBACKS: Final[Mapping[str, Any]] = {"name": "x", "format": "auto"}  # stand in for what is needed and wrong

Location = tuple[int | str, ...]


class Problem(NamedTuple):
    """Where it is, from the top of the document, and the sentence."""

    where: Location
    sentence: str


def model_problems(document: Mapping[str, Any], error: ValidationError, context: Mapping[str, Any]) -> list[Problem]:
    """Return a problem for each key at fault, and those between the keys that are right."""
    details = error.errors(include_url=False)
    found = [problem for detail in details for problem in _problems(document, detail)]
    deeper = {problem.where[:depth] for problem in found for depth in range(len(problem.where))}
    told = {problem.where: problem for problem in reversed(found) if problem.where not in deeper}
    between = [problem for detail in details if detail["type"] == RELATION for problem in _clashes((), detail)]
    all_told = [*told.values(), *between, *_hidden_clashes(document, set(told), context)]
    return [problem for problem in all_told if not has_no_value(document, problem.where)]


def has_no_value(document: Mapping[str, Any], where: Location) -> bool:
    """Tell whether a key of a preset is written without a value: that has a sentence of its own."""
    match where:
        case ("presets", int(index), key, *_):
            entry = document["presets"][index]
            return isinstance(entry, dict) and key in entry and entry[key] is None
    return False


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return a question with the closest known word, or nothing."""
    close = get_close_matches(word, known, 1, CLOSE)
    return f"did you mean {close[0]}?" if close else ""


def path_of(where: Location) -> str:
    """Return a location as people write it: `presets[0].width`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def line_of(document: object, where: Location) -> int:
    """Return the line, from 1, of the deepest part of the location that the YAML reader knows; 0 if it knows none."""
    line, node = -1, document
    for part in where:
        try:
            line = node.lc.data[part][0]  # type: ignore[attr-defined]  # ruamel's nodes
            node = node[part]  # type: ignore[index]  # are untyped
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line + 1


def _problems(document: object, detail: ErrorDetails) -> Iterator[Problem]:
    if detail["type"] == RELATION:
        return
    where = _written(document, detail)
    path, shown = path_of(where), _shown(detail["input"])
    if detail["type"] == "missing":
        yield Problem(where, f"{path} is missing; allowed: {_allowed(where)}")
    elif detail["type"] == "extra_forbidden":
        known = _keys(where[:-1])
        hint = did_you_mean(str(where[-1]), known) or f"allowed: {', '.join(known)}"
        yield Problem(where, f"{path} is not a known key; {hint}")
    elif detail["type"] in OWN_WORDS:
        yield Problem(where, f"{path} = {shown}: {detail['msg'].removeprefix('Value error, ')}")
    else:
        hint = _hint(detail)
        yield Problem(where, f"{path} = {shown}: not allowed; {hint}allowed: {_allowed(where)}")


def _clashes(above: Location, detail: ErrorDetails) -> Iterator[Problem]:
    for clash in detail["ctx"]["clashes"]:
        where = (*above, *detail["loc"], clash.key)
        link = " " if clash.message.startswith("is ") else ": "
        yield Problem(where, f"{path_of(where)}{link}{clash.message}")


def _hidden_clashes(document: Mapping[str, Any], wrong: set[Location], context: Mapping[str, Any]) -> Iterator[Problem]:
    """Find the clashes between the right keys of presets that have wrong ones too: the models stop before them."""
    for index in sorted({where[1] for where in wrong if where[0] == "presets" and len(where) > 2}, key=str):
        bad = {key for where in wrong if where[:2] == ("presets", index) for key in _meant(str(where[2]))}
        entry = document["presets"][index]
        rest = {key: value for key, value in entry.items() if key not in bad}
        filled = {key: value for key, value in FALLBACKS.items() if key in bad or key not in rest}
        if "formats" in rest:
            filled.pop("format", None)
        bad |= {*filled, *(key for key, origin in ORIGINS.items() if origin in bad)}
        try:
            ENTRY_MODEL.model_validate({**filled, **rest}, context=context)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                if detail["type"] == RELATION:
                    clear = [clash for clash in detail["ctx"]["clashes"] if bad.isdisjoint(clash.keys)]
                    yield from _clashes(("presets", index), {**detail, "ctx": {"clashes": clear}})


def _hint(detail: ErrorDetails) -> str:
    """Ask for the closest of the words that a key takes."""
    if detail["type"] != "literal_error" or not isinstance(detail["input"], str):
        return ""
    question = did_you_mean(detail["input"], re.findall("'([^']+)'", detail["ctx"]["expected"]))
    return f"{question} " if question else ""


def _meant(key: str) -> list[str]:
    return [key, *get_close_matches(key, ENTRY_MODEL.model_fields, 1, CLOSE)]


def _shown(value: Any) -> str:
    """Return a value as the file has it, cut short; a nested one by its kind, as aliases may make it huge."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        return "a list"
    return repr(value)[:MAX_SHOWN_CHARS]


def _written(document: object, detail: ErrorDetails) -> Location:
    """Return an error's location without what is not in the document: the names of the branches of a union."""
    where: list[int | str] = []
    node: Any = document
    for part in detail["loc"]:
        if isinstance(node, dict | list) and (part in node if isinstance(node, dict) else isinstance(part, int)):
            where.append(part)
            node = cast(Any, node)[part]
    return (*where, detail["loc"][-1]) if detail["type"] == "missing" else tuple(where)


def _allowed(where: Location) -> str:
    """Return the description of the innermost key that has one, or the keys of a mapping in a list."""
    if isinstance(where[-1], int) and (known := _keys(where)):
        return f"a mapping with the keys {', '.join(known)}"
    fields = [field.description for field in _fields(where) if field.description]
    return fields[-1] if fields else path_of(where)


def _fields(where: Location) -> Iterator[FieldInfo]:
    """Go down the models by a location, as far as they have keys of that name."""
    models: list[type[BaseModel]] = [FILE_MODEL]
    for part in where:
        if isinstance(part, int):
            continue
        field = next((model.model_fields[part] for model in models if part in model.model_fields), None)
        if field is None:
            return
        yield field
        models = list(_models(field.annotation))


def _keys(where: Location) -> list[str]:
    """Return the keys that a mapping at a location may have."""
    fields = list(_fields(where))
    models = _models(fields[-1].annotation) if fields else [FILE_MODEL]
    return [key for model in models for key in model.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
