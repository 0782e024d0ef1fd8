"""What an encoder gives back, and what it is asked for beside the pixels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL.Image import Image

from udfs.imaging.metadata import NOTHING_CARRIED, Carried
from udfs.imaging.preset import Preset

EXTENSIONS: Final = {"jpeg": "jpg"}  # the others are called as their format


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a derivative, its size in pixels, its number of frames, and the format that was chosen for it."""

    data: bytes
    width: int
    height: int
    format: str
    frames: int = 1

    @property
    def extension(self) -> str:
        """The file extension, without a dot."""
        return EXTENSIONS.get(self.format, self.format)

    @property
    def content_type(self) -> str:
        """The media type."""
        return f"image/{self.format}"


@dataclass(frozen=True, slots=True)
class Options:
    """What the preset asks of the encoder, what goes along with the pixels, and whether these are kept exactly."""

    preset: Preset
    carried: Carried = NOTHING_CARRIED
    lossless: bool = False


class Shown(NamedTuple):
    """One developed frame and how long it is shown, in milliseconds."""

    image: Image
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Animation:
    """Developed frames, made again at each call of `play`, all of one size in pixels.

    `plays` is how often a player runs through them, 0: for ever.
    """

    play: Callable[[], Iterator[Shown]]
    size: tuple[int, int]
    frames: int
    plays: int
