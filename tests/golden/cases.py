"""Which sources meet which presets, and how far a derivative may be from its golden image."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from udfs.imaging.presets import Preset, parse_presets
from udfs.imaging.render import Derivative, render

FOLDER = Path(__file__).parent
PHOTOS = FOLDER.parent / "photos"
FOCAL_POINT = (0.85, 0.2)

# Levels of 0 to 255. Another build of the libraries may round differently; nobody sees these.
MEAN_TOLERANCE = 0.6
WORST_TOLERANCE = 12
LOSSY_WORST_TOLERANCE = 40


@dataclass(frozen=True)
class Case:
    """One source and one preset."""

    source_name: str
    source: bytes
    preset: Preset

    @property
    def name(self) -> str:
        return f"{self.source_name}-{self.preset.name}"

    @property
    def golden(self) -> Path:
        return FOLDER / "images" / f"{self.name}.webp"

    @property
    def worst_tolerance(self) -> int:
        return WORST_TOLERANCE if self.preset.format == "png" else LOSSY_WORST_TOLERANCE

    def derivative(self) -> Derivative:
        (derivative,) = render(self.source, [self.preset], focal_point=FOCAL_POINT).derivatives
        return derivative


@dataclass(frozen=True)
class Difference:
    """Mean and largest difference of two pictures of one size, in levels of 0 to 255."""

    mean: float
    worst: int


def cases() -> Iterator[Case]:
    """Yield every preset on a photograph, and those where it matters on a drawing with transparency."""
    file = FOLDER / "presets.yaml"
    by_name = parse_presets(file.read_text(), file.name).by_name
    for preset in by_name.values():
        yield Case("rocket", (PHOTOS / "rocket.jpg").read_bytes(), preset)
    for name in ("fit", "fit-linear", "cover", "pad", "trim", "blur", "jpeg", "webp", "avif", "gif"):
        yield Case("badge", badge(), by_name[name])


@cache
def badge() -> bytes:
    """Draw a red disc with a blue bar on full transparency whose hidden colour is green; as PNG."""
    size = 480
    image = Image.new("RGBA", (size, size), (0, 255, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((90, 90, 390, 390), fill=(220, 20, 30, 255))
    draw.rectangle((60, 220, 420, 260), fill=(20, 60, 200, 128))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return a picture as RGBA."""
    return Image.open(io.BytesIO(data)).convert("RGBA")


def difference(one: Image.Image, other: Image.Image) -> Difference:
    """Compare two RGBA pictures as they look: colour weighs as much as it is opaque."""
    first, second = _premultiplied(one), _premultiplied(other)
    apart = np.abs(first - second)
    return Difference(float(apart.mean()), round(float(apart.max())))


def difference_picture(one: Image.Image, other: Image.Image) -> Image.Image:
    """Return the difference as grey, eight times as strong."""
    apart = np.abs(_premultiplied(one) - _premultiplied(other)).max(axis=2)
    return Image.fromarray(np.clip(apart * 8, 0, 255).astype(np.uint8))


def _premultiplied(image: Image.Image) -> np.ndarray:
    samples = np.asarray(image, float)
    return np.concatenate([samples[..., :3] * samples[..., 3:] / 255, samples[..., 3:]], axis=2)
