"""What one part of a presets file gets wrong about another: names used twice, unknown names, rules never reached.

Works on the document as it was read; parts of a wrong shape are left to the models.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from udfs.imaging.expansion import expand, is_responsive
from udfs.imaging.preset_relations import listed
from udfs.imaging.presets_file import ENTRY_MODEL
from udfs.imaging.presets_messages import Location, Problem, did_you_mean, path_of

MAX_PRESETS: Final = 256  # of one file, all expanded: the most that one event can ask for

Document = Mapping[str, Any]


class Definition(NamedTuple):
    """A name, where it is given, and whether it is written there or comes from an expansion."""

    name: str
    where: Location
    kind: str


def checks(document: Document, context: Mapping[str, Any]) -> Iterator[Problem]:
    """Find every fault between the parts of a file; `context` is that of the models."""
    definitions = [*_presets(document, context), *_sets(document)]
    yield from _names_used_twice(definitions)
    yield from _too_many(definitions)
    yield from _set_members(document, definitions)
    yield from _rules(document)
    yield from _nulls(document)


def _presets(document: Document, context: Mapping[str, Any]) -> Iterator[Definition]:
    for index, entry in enumerate(_list(document.get("presets"))):
        name = entry.get("name") if isinstance(entry, dict) else None
        if name is None:
            continue
        where = ("presets", index, "name")
        try:
            valid = ENTRY_MODEL.model_validate(entry, context=context)
        except ValidationError:
            yield Definition(str(name), where, "broken")
            continue
        yield Definition(str(name), where, "entry" if is_responsive(valid) else "preset")
        if is_responsive(valid):
            yield from (Definition(preset.name, where, "expansion") for preset in expand(valid))


def _sets(document: Document) -> Iterator[Definition]:
    for name in _dict(document.get("sets")):
        yield Definition(str(name), ("sets", name), "set")


def _names_used_twice(definitions: Sequence[Definition]) -> Iterator[Problem]:
    by_name = defaultdict(list)
    for definition in definitions:
        by_name[definition.name].append(definition)
    for name, same in by_name.items():
        for definition in same if len(same) > 1 else ():
            told = {"expansion": f": becomes {name!r}, ", "set": ": "}.get(definition.kind, f" = {name!r}: ")
            yield Problem(
                definition.where,
                f"{path_of(definition.where)}{told}used {len(same)} times; a name is unique among presets, responsive"
                " entries, what they become and sets",
            )


def _too_many(definitions: Sequence[Definition]) -> Iterator[Problem]:
    count = sum(definition.kind in ("preset", "expansion") for definition in definitions)
    if count > MAX_PRESETS:
        yield Problem(("presets",), f"presets: {count} with those that entries become, more than {MAX_PRESETS}")


def _set_members(document: Document, definitions: Sequence[Definition]) -> Iterator[Problem]:
    sets = _dict(document.get("sets"))
    if isinstance(document.get("sets"), dict) and "default" not in sets:
        yield Problem(("sets",), "sets.default is missing; it lists the presets of an event that names none")
    names = {definition.name for definition in definitions if definition.kind != "set"}
    offered = sorted({definition.name for definition in definitions if definition.kind not in ("expansion", "set")})
    broken = tuple(f"{definition.name}-" for definition in definitions if definition.kind == "broken")
    for set_name, members in sets.items():
        if not members and isinstance(members, list):
            yield Problem(("sets", set_name), f"sets.{set_name} = {members!r}: a set lists at least one preset")
        for index, member in enumerate(_list(members)):
            if isinstance(member, str) and member not in names and not member.startswith(broken):
                where = ("sets", set_name, index)
                yield Problem(where, f"{path_of(where)} = {member!r}: {_no_preset(member, offered, sets)}")


def _no_preset(member: str, offered: Sequence[str], sets: Mapping[str, Any]) -> str:
    if member in sets:
        return "is a set; a set lists presets and responsive entries"
    return f"no such preset; {did_you_mean(member, offered) or 'defined: ' + (', '.join(offered) or 'none')}"


def _rules(document: Document) -> Iterator[Problem]:
    sets = [str(name) for name in _dict(document.get("sets"))]
    earlier: list[tuple[str, Any]] = []
    for index, rule in enumerate(_list(document.get("rules"))):
        if not isinstance(rule, dict):
            continue
        where, name, when = ("rules", index, "set"), rule.get("set"), rule.get("when")
        if isinstance(name, str) and name not in sets:
            words = did_you_mean(name, sets) or f"defined: {listed(tuple(sorted(sets))) if sets else 'none'}"
            yield Problem(where, f"{path_of(where)} = {name!r}: no such set; {words}")
        if when == {}:
            yield Problem(("rules", index, "when"), f"rules[{index}].when = {{}}: needs user, attributes or both")
        for other, reached in earlier:
            if reached in (when, {"user": "*"}):
                yield Problem(("rules", index), f"rules[{index}] is never reached: what matches it matches {other}")
                break
        earlier.append((f"rules[{index}]", when))


def _nulls(document: Document) -> Iterator[Problem]:
    for index, entry in enumerate(_list(document.get("presets"))):
        for key, value in _dict(entry).items():
            if value is None:
                where = ("presets", index, key)
                yield Problem(where, f"{path_of(where)} has no value; give one or leave the key out")


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}
