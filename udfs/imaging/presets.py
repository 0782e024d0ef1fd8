"""The presets file: YAML text in, validated presets and sets out, or every problem of the file at once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from udfs.imaging.errors import PresetsError, UnknownPreset
from udfs.imaging.preset import PRESET_MODEL, RELATION, Preset

__all__ = ["Preset", "Presets", "PresetsError", "UnknownPreset", "parse_presets"]

MAX_SHOWN_CHARS = 60

Location = tuple[int | str, ...]


class PresetsFile(BaseModel):
    """The shape of the file; what one entry refers to in another is checked apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = Field(description="1")
    presets: list[PRESET_MODEL] = Field(min_length=1, description="a list of at least one preset")
    sets: dict[str, list[str]] = Field(description="named lists of preset names, one of them named `default`")


@dataclass(frozen=True, slots=True)
class Presets:
    """Every preset by name, and the names an event gets when it asks for none."""

    by_name: Mapping[str, Preset]
    sets: Mapping[str, tuple[str, ...]]

    @property
    def default(self) -> tuple[str, ...]:
        """The names of the default set, in the order of the file."""
        return self.sets["default"]

    def get(self, name: str) -> Preset | None:
        """Return the preset of that name."""
        return self.by_name.get(name)

    def choose(self, names: Sequence[str] | None) -> tuple[Preset, ...]:
        """Return the presets an event asks for, each once, in its order; None means the default set.

        Raises UnknownPreset for the first name that is not defined.
        """
        return tuple(self._known(name) for name in dict.fromkeys(self.default if names is None else names))

    def _known(self, name: str) -> Preset:
        preset = self.by_name.get(name)
        if preset is None:
            raise UnknownPreset(name, tuple(self.by_name))
        return preset


def parse_presets(text: str, origin: str) -> Presets:
    """Read a presets file; `origin` is what messages call it.

    Raises PresetsError with one sentence per problem: origin, line, key, value and what is allowed.
    """
    document = _load(text, origin)
    problems = [*_relations(document)]
    try:
        file = PresetsFile.model_validate(document)
    except ValidationError as error:
        problems += [_problem(detail) for detail in error.errors(include_url=False)]
    if problems:
        found = sorted((_line(document, where), problem) for where, problem in problems)
        raise PresetsError([_located(origin, line, problem) for line, problem in found])
    by_name = {preset.name: preset for preset in file.presets}
    return Presets(by_name=by_name, sets={name: tuple(members) for name, members in file.sets.items()})


def _load(text: str, origin: str) -> dict[str, Any]:
    try:
        document = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        problem = " ".join((error.problem or str(error)).split("\n")[0].split())
        raise PresetsError([_located(origin, line, f"not valid YAML: {problem}")]) from error
    except YAMLError as error:
        raise PresetsError([f"{origin}: not valid YAML: {' '.join(str(error).split())}"]) from error
    if not isinstance(document, dict):
        found = "nothing" if document is None else f"a {type(document).__name__}"
        raise PresetsError(
            [f"{origin}: a mapping with the keys version, presets and sets is needed, this holds {found}"]
        )
    return document


def _relations(document: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Find what one entry gets wrong about another; entries of a wrong shape are left to the model."""
    presets, sets = document.get("presets"), document.get("sets")
    entries = presets if isinstance(presets, list) else []
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    counts = Counter(str(name) for name in names if name is not None)
    for index, name in enumerate(names):
        if name is not None and counts[str(name)] > 1:
            yield (
                ("presets", index, "name"),
                f"presets[{index}].name = {name!r}: used {counts[name]} times; a name is unique",
            )
    if not isinstance(sets, dict):
        return
    if "default" not in sets:
        yield ("sets",), "sets.default is missing; it lists the presets of an event that names none"
    for set_name, members in sets.items():
        if not members:
            yield ("sets", set_name), f"sets.{set_name} = {members!r}: a set lists at least one preset"
        for index, member in enumerate(members if isinstance(members, list) else []):
            if str(member) not in counts:
                known = ", ".join(sorted(counts)) or "none"
                yield (
                    ("sets", set_name, index),
                    f"sets.{set_name}[{index}] = {member!r}: no such preset; defined: {known}",
                )


def _problem(detail: ErrorDetails) -> tuple[Location, str]:
    where: Location = tuple(detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == RELATION:
        where = (*where, context["key"])
        return where, f"{_path(where)}: {context['message']}"
    if detail["type"] == "missing":
        return where, f"{_path(where)} is missing; allowed: {_allowed(where)}"
    if detail["type"] == "extra_forbidden":
        return where, f"{_path(where)} is not a known key; allowed: {_known_keys(where)}"
    shown = repr(detail["input"])[:MAX_SHOWN_CHARS]
    return where, f"{_path(where)} = {shown}: not allowed; allowed: {_allowed(where)}"


def _model(where: Location) -> type[BaseModel]:
    return Preset if where[0] == "presets" and len(where) > 2 else PresetsFile


def _known_keys(where: Location) -> str:
    return ", ".join(_model(where).model_fields)


def _allowed(where: Location) -> str:
    if where[0] == "presets" and len(where) == 2:
        return f"a mapping with the keys {', '.join(Preset.model_fields)}"
    key = str(where[2] if _model(where) is Preset else where[0])
    return _model(where).model_fields[key].description or key


def _path(where: Location) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")


def _line(document: object, where: Location) -> int:
    """Return the line, from 1, of the deepest part of the location that the YAML reader knows; 0 if it knows none."""
    line, node = -1, document
    for part in where:
        try:
            line = node.lc.data[part][0]  # type: ignore[attr-defined]  # ruamel's nodes
            node = node[part]  # type: ignore[index]  # are untyped
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line + 1


def _located(origin: str, line: int, problem: str) -> str:
    return f"{origin}, line {line}: {problem}" if line else f"{origin}: {problem}"
