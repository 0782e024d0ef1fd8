"""One preset: a named, versioned recipe for one derivative, and the fingerprint of what in it changes bytes."""

import hashlib
import json
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

MAX_SIDE_PX: Final = 16_383  # the longest side of a WebP, so that any preset may change its format
LOSSY: Final = frozenset({"jpeg", "webp"})
RELATION: Final = "relation"  # the type of an error between two keys
EXTENSIONS: Final = {"jpeg": "jpg", "webp": "webp", "png": "png"}

# Part of every fingerprint: raise it when a change of code gives other bytes for the same recipe.
RENDERER_REVISION: Final = 1


class Preset(BaseModel):
    """A recipe for one derivative. The description of a field is what is allowed; messages and documents quote it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="1 to 63 of a-z, 0-9 and -, not beginning with -"
    )
    version: int = Field(
        default=1, ge=1, le=2**31 - 1, description="a whole number from 1, raised by whoever changes the preset"
    )
    geometry: Literal["fit", "cover"] = Field(description="fit (inside the box) or cover (fills the box, cropped)")
    width: int | None = Field(
        default=None, ge=1, le=MAX_SIDE_PX, description=f"a whole number of pixels from 1 to {MAX_SIDE_PX}"
    )
    height: int | None = Field(
        default=None, ge=1, le=MAX_SIDE_PX, description=f"a whole number of pixels from 1 to {MAX_SIDE_PX}"
    )
    format: Literal["jpeg", "webp", "png"] = Field(description="jpeg, webp or png")
    quality: int | None = Field(
        default=None, ge=1, le=100, description="a whole number from 1 to 100 for jpeg and webp, left out for png"
    )
    cache_control: str | None = Field(
        default=None, pattern=r"^[\x20-\x7e]{1,200}$", description="one line of text, such as `public, max-age=86400`"
    )

    @model_validator(mode="after")
    def _relations(self) -> Self:
        for key, wrong, message in (
            ("width", self.geometry == "cover" and self.width is None, "cover needs both width and height"),
            ("height", self.geometry == "cover" and self.height is None, "cover needs both width and height"),
            ("width", self.width is None and self.height is None, "fit needs width, height or both"),
            ("quality", self.format in LOSSY and self.quality is None, f"{self.format} needs a quality, 1 to 100"),
            ("quality", self.format not in LOSSY and self.quality is not None, f"{self.format} takes no quality"),
        ):
            if wrong:
                raise PydanticCustomError(RELATION, "{message}", {"key": key, "message": message})
        return self

    @property
    def recipe_fingerprint(self) -> str:
        """12 hex digits of the SHA-256 of every parameter that changes bytes.

        Name, version and cache_control are not in it: renaming a preset changes no picture.
        """
        recipe: dict[str, Any] = self.model_dump(exclude={"name", "version", "cache_control"})
        canonical = json.dumps({"renderer": RENDERER_REVISION, **recipe}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def extension(self) -> str:
        """The file extension, without a dot."""
        return EXTENSIONS[self.format]

    @property
    def content_type(self) -> str:
        """The media type."""
        return f"image/{self.format}"
