"""What each encoder costs and gives, at every effort: CPU per megapixel, kilobytes per megapixel, likeness.

python bench/encoders.py     prints a table; each row is relative to `jpeg 80` of the same run, about a minute

Pixels are five photographs that ship in scikit-image (a dev dependency), encoded in one thread by the code of the job.
"""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from PIL import Image
from rich.console import Console
from rich.table import Table
from skimage.metrics import structural_similarity

from udfs.imaging.encode import Options, Target, encode
from udfs.imaging.preset import Preset

PHOTOGRAPHS = ("coffee.png", "astronaut.png", "rocket.jpg", "chelsea.png", "motorcycle_left.png")
MEGA = 1_000_000


def recipes() -> Iterator[dict[str, Any]]:
    """Yield every way to encode that is compared."""
    yield {"format": "jpeg", "quality": 80}
    yield {"format": "jpeg", "quality": 80, "progressive": True}
    for format_, quality in (("webp", 80), ("avif", 60)):
        yield {"format": format_, "quality": quality}
        yield from ({"format": format_, "quality": quality, "effort": effort} for effort in range(0, 7, 2))
    yield {"format": "png"}
    yield from ({"format": "png", "effort": effort} for effort in range(0, 7, 2))


def measured(recipe: dict[str, Any], images: list[Image.Image]) -> tuple[float, float, float]:
    """Return CPU seconds and bytes for all images, and their mean SSIM."""
    preset = Preset(name="bench", width=1, **recipe)
    start = time.process_time()
    made = [encode(image, Target(preset.format), Options(preset)).data for image in images]
    seconds = time.process_time() - start
    alike = [likeness(image, Image.open(io.BytesIO(data))) for image, data in zip(images, made, strict=True)]
    return seconds, sum(map(len, made)), float(np.mean(alike))


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Return the SSIM of two pictures' luma."""
    first, second = (np.asarray(image.convert("L")) for image in (one, other))
    return float(structural_similarity(first, second, gaussian_weights=True, sigma=1.5, data_range=255))


def main() -> None:
    """Measure everything and print the table."""
    folder = Path(skimage.__file__).parent / "data"
    images = [Image.open(folder / name).convert("RGB") for name in PHOTOGRAPHS]
    megapixels = sum(image.width * image.height for image in images) / MEGA
    table = Table("encoder", "ms CPU / MP", "kB / MP", "SSIM", "CPU ratio", "bytes ratio", box=None)
    base: tuple[float, float, float] | None = None
    for recipe in recipes():
        seconds, size, alike = measured(recipe, images)
        base = base or (seconds, size, alike)
        name = " ".join(
            key if value is True else str(value) if key != "effort" else f"effort {value}"
            for key, value in recipe.items()
        )
        cells = (seconds * 1000 / megapixels, size / 1000 / megapixels)
        table.add_row(
            name,
            *(f"{cell:.0f}" for cell in cells),
            f"{alike:.3f}",
            f"{seconds / base[0]:.1f}",
            f"{size / base[1]:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
