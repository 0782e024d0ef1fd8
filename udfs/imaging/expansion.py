"""One entry of a presets file becomes its presets: one for each width or pixel ratio, and each format."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from udfs.imaging.preset import PRESET_MODEL, Preset, QualityByFormat, Responsive
from udfs.imaging.preset_relations import OPEN, RELATION, TAKEN_BY, WITH_QUALITY, Clash, does_something, listed

if TYPE_CHECKING:
    from udfs.imaging.presets_file import EntryBase

RESPONSIVE_KEYS: Final = ("widths", "dprs", "formats", "sizes")
MAX_VARIANTS: Final = 64  # presets of one entry; as many as an event may name

# The key of a variant and the key of the entry it comes from.
ORIGINS: Final = {"width": "widths", "height": "widths", "dpr": "dprs", "format": "formats"}


class Variant(NamedTuple):
    """One size of an entry: its part of the preset's name, its place in a srcset, and its keys."""

    part: str
    descriptor: str
    keys: Mapping[str, Any]


def is_responsive(entry: "EntryBase") -> bool:
    """Tell whether an entry stands for presets with names of their own."""
    return not entry.model_fields_set.isdisjoint(RESPONSIVE_KEYS)


def expand(entry: "EntryBase") -> tuple[Preset, ...]:
    """Return the presets of a valid entry, in the order of its lists: sizes, and formats within each."""
    return tuple(PRESET_MODEL(**recipe) for recipe in _recipes(entry))


def expansion_clashes(entry: "EntryBase") -> Iterator[Clash]:
    """Find what the presets of an entry get wrong, each fault once, by the keys of the entry."""
    recipes = list(_recipes(entry))
    if len(recipes) > MAX_VARIANTS:
        keys = tuple(key for key in ("widths", "dprs", "formats") if key in entry.model_fields_set)
        yield Clash(keys[0], f"becomes {len(recipes)} presets, more than {MAX_VARIANTS}", keys)
        return
    found = dict.fromkeys(_open_format(entry))
    for recipe in recipes:
        try:
            PRESET_MODEL(**recipe)
        except ValidationError as error:
            found |= dict.fromkeys(_of_entry(entry, clash) for clash in _told(error))
    yield from found
    if entry.formats:
        yield from _idle(_given(entry), tuple(entry.formats))


def _open_format(entry: "EntryBase") -> Iterator[Clash]:
    """Find a format that is chosen per preset: a browser takes one format, so each has to have every size."""
    for key in ("widths", "dprs"):
        if entry.format in OPEN and getattr(entry, key):
            message = f"{entry.format} may choose another format for each of the {key}; give formats instead"
            yield Clash("format", message, ("format", key))


def _recipes(entry: "EntryBase") -> Iterator[dict[str, Any]]:
    given = _given(entry)
    if not is_responsive(entry):
        yield given
        return
    for (size, descriptor, keys), format in product(_sizes(entry), entry.formats or (None,)):
        recipe = {**given, **keys} if format is None else _for_format({**given, **keys}, format)
        name = "-".join(filter(None, (given["name"], size, format)))
        responsive = Responsive(entry=given["name"], descriptor=descriptor, sizes=entry.sizes)
        yield {**recipe, "name": name, "responsive": responsive}


def _given(entry: "EntryBase") -> dict[str, Any]:
    return {key: getattr(entry, key) for key in sorted(entry.model_fields_set) if key not in RESPONSIVE_KEYS}


def _sizes(entry: "EntryBase") -> Iterator[Variant]:
    given = _given(entry)
    for width in entry.widths or ():
        yield Variant(f"{width}w", f"{width}w", {"width": width, **_scaled_height(given, width)})
    for dpr in entry.dprs or ():
        yield Variant(f"{dpr:g}x".replace(".", "-"), f"{dpr:g}x", {"dpr": dpr})
    if not (entry.widths or entry.dprs):
        yield Variant("", f"{given.get('dpr', 1):g}x", {})


def _scaled_height(given: Mapping[str, Any], width: int) -> dict[str, int]:
    if not (given.get("width") and given.get("height")):
        return {}
    return {"height": max(1, (2 * given["height"] * width + given["width"]) // (2 * given["width"]))}


def _for_format(recipe: Mapping[str, Any], format: str) -> dict[str, Any]:
    """Return the recipe with what does something in the format, and of a mapping of qualities its own."""
    kept = {key: value for key, value in recipe.items() if does_something(key, format)}
    if isinstance(kept.get("quality"), QualityByFormat):
        kept["quality"] = getattr(kept["quality"], format)
    return {**kept, "format": format}


def _told(error: ValidationError) -> Iterator[Clash]:
    for detail in error.errors(include_url=False):
        if detail["type"] == RELATION:
            yield from detail["ctx"]["clashes"]
        else:
            key = str(detail["loc"][0])
            allowed = PRESET_MODEL.model_fields[key].description
            yield Clash(key, f"becomes {detail['input']!r}; allowed: {allowed}", (key,))


def _of_entry(entry: "EntryBase", clash: Clash) -> Clash:
    """Return the clash with the keys that were written."""
    origins = {key: origin for key, origin in ORIGINS.items() if getattr(entry, origin) is not None}
    return Clash(origins.get(clash.key, clash.key), clash.message, tuple(origins.get(key, key) for key in clash.keys))


def _idle(given: Mapping[str, Any], formats: tuple[str, ...]) -> Iterator[Clash]:
    """Find what was dropped from every preset of an entry with several formats."""
    for key, takers in TAKEN_BY.items():
        used = given.get(key) not in (None, PRESET_MODEL.model_fields[key].default)
        if used and not any(does_something(key, format) for format in formats):
            yield Clash(key, f"does nothing for {listed(formats)}; it is for {listed(takers + OPEN)}", (key, "formats"))
    if isinstance(given.get("quality"), QualityByFormat):
        for format in given["quality"].model_dump(exclude_none=True):
            if format not in formats and set(formats) & set(WITH_QUALITY):
                yield Clash(
                    "quality", f"{format} does nothing, the formats are {listed(formats)}", ("quality", "formats")
                )
