"""The presets file: YAML text in, validated presets, sets and rules out, or every problem of the file at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from errno import ENOENT
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from pydantic import ValidationError

from udfs.imaging.errors import PresetsError, UnknownPreset
from udfs.imaging.expansion import expand, is_responsive
from udfs.imaging.preset import Preset
from udfs.imaging.presets_checks import checks
from udfs.imaging.presets_file import FILE_MODEL, FileBase, Rule, When
from udfs.imaging.presets_messages import line_of, model_problems
from udfs.imaging.presets_yaml import load, located

__all__ = ["Preset", "Presets", "PresetsError", "UnknownPreset", "parse_presets"]

NO_ATTRIBUTES: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Presets:
    """Every preset by name; the presets of responsive entries and of sets, by name too; and the rules.

    No name means two things.
    """

    by_name: Mapping[str, Preset]
    entries: Mapping[str, tuple[str, ...]]
    sets: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...] = ()

    @property
    def default(self) -> tuple[str, ...]:
        """The names of the presets of the default set, in the order of the file."""
        return self.sets["default"]

    def get(self, name: str) -> Preset | None:
        """Return the preset of that name."""
        return self.by_name.get(name)

    def choose(
        self, names: Sequence[str] | None, user_id: str = "", attributes: Mapping[str, str] = NO_ATTRIBUTES
    ) -> tuple[Preset, ...]:
        """Return the presets an event asks for, each once, in its order.

        A name is that of a preset, a responsive entry or a set. None: the set of the first rule that matches the user
        and the attributes, or the default set.

        Raises:
            UnknownPreset: a name that is not defined; the first one.
        """
        asked = (self.set_of(user_id, attributes),) if names is None else names
        chosen = dict.fromkeys(name for asked_name in asked for name in self._members(asked_name))
        return tuple(self.by_name[name] for name in chosen)

    def set_of(self, user_id: str, attributes: Mapping[str, str]) -> str:
        """Return the name of the set that the rules give to an event that names no presets."""
        matching = (rule.set for rule in self.rules if _matches(rule.when, user_id, attributes))
        return next(matching, "default")

    def _members(self, name: str) -> tuple[str, ...]:
        if name in self.by_name:
            return (name,)
        members = self.entries.get(name) or self.sets.get(name)
        if members is None:
            raise UnknownPreset(name, self._known())
        return members

    def _known(self) -> tuple[str, ...]:
        """Return what an event may ask for; an entry stands for its presets."""
        alone = (name for name, preset in self.by_name.items() if preset.responsive is None)
        return (*alone, *self.entries, *self.sets)


def parse_presets(text: str, origin: str, read_asset: Callable[[str], bytes] | None = None) -> Presets:
    """Read a presets file; `origin` is what messages call it.

    `read_asset` returns the content of a file that a preset names, or raises OSError with a `strerror` that says why
    not; without it no preset may name one.

    Raises:
        PresetsError: one sentence per problem: origin, line, key, value and what is allowed.
    """
    document = load(text, origin)
    context = {"read_asset": read_asset or _no_asset}
    problems = [*checks(document, context)]
    try:
        file = FILE_MODEL.model_validate(document, context=context)
    except ValidationError as error:
        problems += model_problems(document, error, context)
    if problems:
        found = sorted({(line_of(document, problem.where), problem.sentence) for problem in problems})
        raise PresetsError([located(origin, line, sentence) for line, sentence in found])
    return _presets(file)


def _presets(file: FileBase) -> Presets:
    expanded = {entry.name: (entry, expand(entry)) for entry in file.presets}
    names = {name: tuple(preset.name for preset in presets) for name, (_, presets) in expanded.items()}
    return Presets(
        by_name={preset.name: preset for _, presets in expanded.values() for preset in presets},
        entries={name: names[name] for name, (entry, _) in expanded.items() if is_responsive(entry)},
        sets={
            set_name: tuple(dict.fromkeys(preset for member in members for preset in names.get(member, (member,))))
            for set_name, members in file.sets.items()
        },
        rules=tuple(file.rules),
    )


def _no_asset(name: str) -> bytes:
    raise FileNotFoundError(ENOENT, "there is no folder to read it from", name)


def _matches(when: When, user_id: str, attributes: Mapping[str, str]) -> bool:
    wanted = when.attributes or {}
    return (when.user is None or fnmatchcase(user_id, when.user)) and all(
        name in attributes and fnmatchcase(attributes[name], pattern) for name, pattern in wanted.items()
    )
