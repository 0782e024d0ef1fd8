"""One preset: a named, versioned recipe for one derivative, and the fingerprint of what in it changes bytes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from udfs.imaging.parameters import Compass, HexColor, Part, rgba
from udfs.imaging.preset_relations import MAX_SIDE_PX, clashes, refusal
from udfs.imaging.steps import EFFECTS

MAX_DPR: Final = 4
NAME_PATTERN: Final = "^[a-z0-9][a-z0-9-]{0,62}$"

# Part of every fingerprint: raise it when a change of code gives other bytes for the same recipe.
RENDERER_REVISION: Final = 2

# What changes no byte of a derivative: a change of these makes no new objects.
NOT_IN_RECIPE: Final = frozenset({"name", "version", "cache_control", "content_disposition", "responsive"})

Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]
Quality = Annotated[int, Field(ge=1, le=100)]
Gravity = Literal[Compass, "focal", "smart", "face"]
Format = Literal["jpeg", "webp", "avif", "png", "gif", "source", "auto"]


class QualityByFormat(Part):
    """A quality for each lossy format a preset may end in: their scales do not mean the same."""

    jpeg: Quality | None = Field(default=None, description="a whole number from 1 to 100")
    webp: Quality | None = Field(default=None, description="a whole number from 1 to 100")
    avif: Quality | None = Field(default=None, description="a whole number from 1 to 100")


class Responsive(Part):
    """Where a preset comes from when one entry of the file became many.

    `descriptor` is its place in a srcset, `640w` or `2x`, and `sizes` the attribute of that name.
    """

    entry: str
    descriptor: str
    sizes: str | None = None


class Preset(BaseModel):
    """A recipe for one derivative. The description of a field is what is allowed; messages and documents quote it.

    The keys of effects come from the table of steps, see PRESET_MODEL.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=NAME_PATTERN, description="1 to 63 of a-z, 0-9 and -, not beginning with -")
    version: int = Field(
        default=1, ge=1, le=2**31 - 1, description="a whole number from 1, raised by whoever changes the preset"
    )
    geometry: Literal["fit", "fill", "cover", "pad", "stretch"] = Field(
        default="fit",
        description="fit (inside the box), fill (around the box, nothing cropped), cover (fills the box, cropped), "
        "pad (inside the box, the rest is background) or stretch (the box, the aspect ratio is not kept)",
    )
    width: Side | None = Field(default=None, description=f"a whole number of pixels from 1 to {MAX_SIDE_PX}")
    height: Side | None = Field(default=None, description=f"a whole number of pixels from 1 to {MAX_SIDE_PX}")
    dpr: float = Field(
        default=1.0, ge=1, le=MAX_DPR, description=f"device pixel ratio, 1 to {MAX_DPR}: multiplies every length"
    )
    enlarge: bool = Field(default=False, description="true or false: whether a small source becomes larger")
    gravity: Gravity = Field(
        default="center",
        description="what a crop keeps and where padding leaves the picture: center, north, north-east, east, "
        "south-east, south, south-west, west, north-west, focal (the event's focal point), smart (by content) or face",
    )
    background: HexColor = Field(
        default="#ffffff", description="a colour as '#rrggbb' or '#rrggbbaa', lower case, in quotes"
    )
    rotate: Literal[90, 180, 270] | None = Field(default=None, description="degrees clockwise: 90, 180 or 270")
    flip: Literal["horizontal", "vertical"] | None = Field(
        default=None, description="horizontal or vertical: mirrors the picture, after it was rotated"
    )
    trim: int | None = Field(
        default=None,
        ge=0,
        le=100,
        description="0 to 100: cuts off an even border, by how much (in %) a pixel may differ from its corner",
    )
    linear_light: bool = Field(
        default=False, description="true or false: shrinks in linear light; finer on fine light patterns, slower"
    )
    format: Format = Field(
        description="jpeg, webp, avif, png, gif, source (as the source is) or auto (by alpha, animation and content)"
    )
    quality: Quality | QualityByFormat | None = Field(
        default=None, description="1 to 100, or a mapping such as {jpeg: 80, webp: 78, avif: 55}; not for png and gif"
    )
    target_ssim: float | None = Field(
        default=None, ge=0.5, lt=1, description="0.5 to below 1: the lowest quality whose SSIM is at least this"
    )
    max_bytes: int | None = Field(
        default=None, ge=100, description="a whole number of bytes from 100: the best quality that fits"
    )
    effort: int | None = Field(
        default=None, ge=0, le=6, description="0 (fast) to 6 (small): how hard the encoder of webp, avif or png works"
    )
    chroma_subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = Field(
        default="4:2:0",
        description="'4:2:0', '4:2:2' or '4:4:4', in quotes: colour samples of jpeg and avif",
    )
    progressive: bool = Field(default=False, description="true or false: a jpeg that appears in passes")
    color_profile: Literal["srgb", "keep"] = Field(
        default="srgb", description="srgb (colours are converted) or keep (a wide gamut and its profile stay)"
    )
    metadata: Literal["strip", "attribution", "all"] = Field(
        default="strip",
        description="strip, attribution (copyright, artist and capture date stay, never GPS) or all (as in the source)",
    )
    animation: Literal["first", "keep"] = Field(
        default="first", description="first (the first frame) or keep (all frames, for webp, gif, avif, png and auto)"
    )
    cache_control: str | None = Field(
        default=None, pattern=r"^[\x20-\x7e]{1,200}$", description="one line of text, such as `public, max-age=86400`"
    )
    content_disposition: str | None = Field(
        default=None, pattern=r"^[\x20-\x7e]{1,200}$", description="one line of text, such as `inline`"
    )
    responsive: Responsive | None = Field(default=None, exclude=True, description="set by the expansion, not by hand")

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if found := list(clashes(self)):
            raise refusal(found)
        return self

    @property
    def recipe_fingerprint(self) -> str:
        """12 hex digits of the SHA-256 of every parameter that changes bytes.

        Not in it: name, version, headers (renaming a preset changes no picture) and parameters at their defaults, so
        that a new parameter leaves the fingerprints of old presets as they are. Of a file that a preset names, its
        content. A width of 640 and a width of 320 at a dpr of 2 are two recipes: they differ in the lengths of effects.
        """
        recipe = self.model_dump(mode="json", exclude=set(NOT_IN_RECIPE), exclude_defaults=True)
        canonical = json.dumps({"renderer": RENDERER_REVISION, **recipe}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def box(self) -> tuple[int | None, int | None]:
        """Width and height in device pixels; None: no bound."""
        return self._device_pixels(self.width), self._device_pixels(self.height)

    @property
    def effects(self) -> tuple[tuple[str, Any], ...]:
        """The effects it asks for, as pairs of a key of the table of steps and its value."""
        asked = ((effect.key, getattr(self, effect.key, None)) for effect in EFFECTS)
        return tuple((key, value) for key, value in asked if value is not None)

    def quality_for(self, format: str) -> int | None:
        """Return the quality for the format the derivative ends in; None: none is given."""
        if isinstance(self.quality, QualityByFormat):
            quality: int | None = getattr(self.quality, format, None)
            return quality
        return self.quality

    @property
    def background_rgba(self) -> tuple[int, int, int, int]:
        """The background as red, green, blue and alpha, each 0 to 255."""
        return rgba(self.background)

    def _device_pixels(self, side: int | None) -> int | None:
        return None if side is None else min(MAX_SIDE_PX, int(side * self.dpr + 0.5))


def _effect_fields() -> Mapping[str, Any]:
    return {
        effect.key: (effect.parameter | None, Field(default=None, description=effect.description)) for effect in EFFECTS
    }


# The preset with a key for each effect of the table of steps: what a presets file is checked against. It has the name
# of its variable, so that it is pickled by reference.
PRESET_MODEL: Final[type[Preset]] = create_model(
    "PRESET_MODEL", __base__=Preset, __doc__=Preset.__doc__, **_effect_fields()
)
