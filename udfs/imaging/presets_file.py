"""The shape of a presets file, as models: what an entry, a set and a rule may say, each key with its description."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, create_model, model_validator

from udfs.imaging.expansion import MAX_VARIANTS, expansion_clashes
from udfs.imaging.parameters import Part
from udfs.imaging.preset import MAX_DPR, NAME_PATTERN, PRESET_MODEL, Format, Side
from udfs.imaging.preset_relations import MAX_SIDE_PX, Clash, refusal

MAX_RULES: Final = 100
MAX_PATTERN_CHARS: Final = 200
MAX_CONDITIONS: Final = 16

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Pattern = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS)]
Fixed = Literal["jpeg", "webp", "avif", "png", "gif"]
DevicePixelRatio = Annotated[float, Field(ge=1, le=MAX_DPR)]


class EntryBase(Part):
    """The keys by which one entry becomes many presets; see ENTRY_MODEL for all keys."""

    name: str = Field(
        pattern=NAME_PATTERN, description=PRESET_MODEL.model_fields["name"].description, examples=["thumb-256"]
    )
    format: Format | None = Field(default=None, description=PRESET_MODEL.model_fields["format"].description)
    widths: list[Side] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_VARIANTS,
        description=f"a list of widths in pixels, 1 to {MAX_SIDE_PX}: a preset for each; a given width and height "
        "say the aspect ratio",
        examples=[[320, 640, 1280]],
    )
    dprs: list[DevicePixelRatio] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_VARIANTS,
        description=f"a list of device pixel ratios, 1 to {MAX_DPR}: a preset for each",
        examples=[[1, 2, 3]],
    )
    formats: list[Fixed] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_VARIANTS,
        description="a list of jpeg, webp, avif, png and gif: a preset for each; instead of format",
        examples=[["avif", "webp", "jpeg"]],
    )
    sizes: str | None = Field(
        default=None,
        pattern=r"^[\x20-\x7e]{1,200}$",
        description="one line of text, the sizes of an <img>: how wide the picture is shown; with widths only",
        examples=["(min-width: 60em) 50vw, 100vw"],
    )

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if found := list(self._clashes()):
            raise refusal(found)
        return self

    def _clashes(self) -> Iterator[Clash]:
        own = list(_entry_clashes(self))
        yield from own or expansion_clashes(self)


def _entry_clashes(entry: EntryBase) -> Iterator[Clash]:
    """Find what is wrong between the keys of an entry before it is expanded."""
    given = entry.model_fields_set
    for key, other, message in (
        ("format", "formats", "give format or formats, not both"),
        ("dprs", "widths", "give widths or dprs, not both: a browser chooses by the one or the other"),
        ("dpr", "widths", "does nothing beside widths, they are pixels of the device"),
        ("dpr", "dprs", "does nothing beside dprs"),
    ):
        if key in given and other in given:
            yield Clash(key, message, (key, other))
    if entry.format is None and entry.formats is None:
        allowed = type(entry).model_fields["format"].description
        yield Clash("format", f"is missing; allowed: {allowed}", ("format", "formats"))
    if "sizes" in given and "widths" not in given:
        yield Clash("sizes", "does nothing without widths", ("sizes", "widths"))
    if "widths" in given and len({"width", "height"} & given) == 1:
        yield Clash("widths", "needs width and height for the aspect ratio, or neither", ("widths", "width", "height"))
    for key in ("widths", "dprs", "formats"):
        values = getattr(entry, key) or []
        if len(set(values)) < len(values):
            yield Clash(key, "names a value twice", (key,))


class When(Part):
    """The conditions of a rule, which all have to hold. `*` is any text, `?` one character, `[ab]` one of them."""

    user: Pattern | None = Field(
        default=None,
        description=f"a pattern for the user's id, 1 to {MAX_PATTERN_CHARS} characters",
        examples=["acme-*"],
    )
    attributes: dict[str, Pattern] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_CONDITIONS,
        description=f"1 to {MAX_CONDITIONS} attributes of the event, each with a pattern for its value, as text",
        examples=[{"plan": "pro"}],
    )


class Rule(Part):
    """Which set an event gets that names no presets, when its conditions hold."""

    when: When = Field(description="a mapping with the keys user and attributes; all of them have to match")
    set: Name = Field(description="the name of a set")


class FileBase(Part):
    """The whole file; see FILE_MODEL for the keys of its presets."""

    version: Literal[1] = Field(description="1")
    presets: Sequence[EntryBase]
    sets: dict[Name, Annotated[list[Name], Field(min_length=1)]] = Field(
        description="named lists of presets and responsive entries, one of them named default"
    )
    rules: list[Rule] = Field(
        default=[],
        max_length=MAX_RULES,
        description=f"a list of at most {MAX_RULES} rules; the first that matches wins",
    )


def _keys_of_presets() -> dict[str, Any]:
    left_out = {"name", "format", "responsive"}
    return {
        name: (field.annotation, field) for name, field in PRESET_MODEL.model_fields.items() if name not in left_out
    }


# One entry of the list of presets: every key of a preset, and those that make many of it.
ENTRY_MODEL: Final[type[EntryBase]] = create_model(
    "ENTRY_MODEL", __base__=EntryBase, __doc__="One preset, or one for each width, pixel ratio and format.",
    **_keys_of_presets(),
)  # fmt: skip

FILE_MODEL: Final[type[FileBase]] = create_model(
    "FILE_MODEL",
    __base__=FileBase,
    __doc__="The presets of Darkroom.",
    presets=(list[ENTRY_MODEL], Field(min_length=1, description="a list of at least one preset")),
)
