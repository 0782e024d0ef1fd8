"""The kinds of value that presets and effects share: colours, compass points and files beside the presets file."""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

Compass = Literal["center", "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"]

# Each compass point as (x, y) shares of the free space, in halves: 0 is west or north, 2 is east or south.
HALVES: Final[dict[Compass, tuple[int, int]]] = {
    "center": (1, 1),
    "north": (1, 0),
    "north-east": (2, 0),
    "east": (2, 1),
    "south-east": (2, 2),
    "south": (1, 2),
    "south-west": (0, 2),
    "west": (0, 1),
    "north-west": (0, 0),
}

UNREADABLE: Final = "unreadable"  # the type of an error of a file that a preset names

HexColor = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}([0-9a-f]{2})?$")]


def rgba(color: str) -> tuple[int, int, int, int]:
    """Return (red, green, blue, alpha), each 0 to 255, of a HexColor; alpha is 255 where the colour names none."""
    red, green, blue, *alpha = bytes.fromhex(color[1:])
    return red, green, blue, alpha[0] if alpha else 255


class Part(BaseModel):
    """A mapping inside a preset."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a preset names, read when the presets are; equal when the bytes are."""

    name: str = field(compare=False)
    data: bytes = field(repr=False, compare=False)
    sha256: str

    @classmethod
    def of(cls, name: str, data: bytes) -> "Asset":
        """Return the asset of a file's name and content."""
        return cls(name, data, hashlib.sha256(data).hexdigest())


def _read(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str) or info.context is None:
        return value
    try:
        return Asset.of(value, info.context["read_asset"](value))
    except OSError as error:
        raise PydanticCustomError(UNREADABLE, "{message}", {"message": f"cannot be read: {error.strerror}"}) from error


AssetFile = Annotated[
    Asset,
    BeforeValidator(_read),
    PlainSerializer(lambda asset: asset.sha256),  # what a fingerprint sees: the content, not where it lies
    WithJsonSchema({"type": "string"}),
]
