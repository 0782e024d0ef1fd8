"""Pictures made from a seed: photograph-like sources without a network, and files that must be rejected.

The same arguments and library versions give the same bytes.
"""

import io
import struct
import zlib
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageDraw, ImageFont

Floats = npt.NDArray[np.float32]

# (cells across, strength) of each octave of noise, from the lay of the land to fine grain
OCTAVES: Final = ((3, 0.9), (7, 0.6), (17, 0.35), (53, 0.18), (151, 0.09))
GRAIN_LEVELS: Final = 5.0
GRAIN_ZERO: Final = 128
PALETTES: Final = (
    ((16, 32, 64), (58, 110, 165), (244, 196, 120), (255, 246, 220)),  # dusk at sea
    ((20, 40, 24), (70, 120, 60), (190, 190, 90), (250, 245, 200)),  # meadow
    ((44, 20, 28), (150, 60, 50), (235, 150, 80), (255, 230, 190)),  # canyon
    ((28, 24, 52), (90, 70, 140), (220, 130, 170), (255, 225, 225)),  # evening cloud
    ((22, 44, 52), (60, 130, 130), (170, 215, 190), (248, 250, 235)),  # lagoon
)


def synthetic_image(seed: int, width: int = 2040, height: int = 1404, format: str = "jpeg") -> bytes:
    """Return a picture of soft hills of noise, a few shapes and its seed in large figures.

    `format` is one that Pillow writes: jpeg, png, webp, ... Takes tens of milliseconds at the default size.
    """
    random = np.random.default_rng(seed)
    image = _landscape(random, seed, width, height)
    _draw_shapes(image, random)
    _draw_label(image, f"{seed}")
    encoded = io.BytesIO()
    options = {"quality": 88} if format.lower() in ("jpeg", "webp") else {}
    image.save(encoded, format.upper(), **options)
    return encoded.getvalue()


def corrupt_image(seed: int) -> bytes:
    """Return the first two thirds of a JPEG: its header is in order, its pixels end too soon."""
    whole = synthetic_image(seed, 640, 440)
    return whole[: len(whole) * 2 // 3]


def huge_dimensions_png(width: int = 20_000, height: int = 10_000) -> bytes:
    """Return a PNG of a few dozen bytes whose header announces width x height pixels, 200 megapixels by default."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _png_chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    )


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _landscape(random: np.random.Generator, seed: int, width: int, height: int) -> Image.Image:
    small = (max(1, width // 4), max(1, height // 4))  # noise at a quarter of the size, for speed; grain at full size
    field = np.zeros((small[1], small[0]), np.float32)
    for cells, strength in OCTAVES:
        field += strength * _octave(random, cells, small)
    field += np.linspace(1.1, -1.1, small[1], dtype=np.float32)[:, None]
    low, high = float(field.min()), float(field.max())
    levels = Image.fromarray(((field - low) * (255 / max(high - low, 1e-6))).astype(np.uint8))
    picture = levels.resize((width, height), Image.Resampling.BICUBIC)
    picture = ImageChops.add(picture, _grain(random, width, height), offset=-GRAIN_ZERO)
    picture.putpalette(_colours(seed).tobytes())
    return picture.convert("RGB")


def _grain(random: np.random.Generator, width: int, height: int) -> Image.Image:
    tile = (GRAIN_ZERO + random.normal(0, GRAIN_LEVELS, (256, 256))).astype(np.uint8)
    return Image.fromarray(np.tile(tile, (height // 256 + 1, width // 256 + 1))[:height, :width])


def _octave(random: np.random.Generator, cells: int, size: tuple[int, int]) -> Floats:
    rows = max(2, cells * size[1] // size[0])
    lattice = Image.fromarray(random.standard_normal((rows, cells)).astype(np.float32))
    return np.asarray(lattice.resize(size, Image.Resampling.BICUBIC), np.float32)


def _colours(seed: int) -> npt.NDArray[np.uint8]:
    """Return 256 RGB colours along the palette of the seed."""
    stops = np.asarray(PALETTES[seed % len(PALETTES)], np.float32)
    at = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).astype(np.uint8)


def _draw_shapes(image: Image.Image, random: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    side = min(image.size)
    for _ in range(7):
        x, y, radius = (
            random.random() * image.width,
            random.random() * image.height,
            (0.02 + 0.1 * random.random()) * side,
        )
        box = (x - radius, y - radius, x + radius, y + radius)
        colour = tuple(int(level) for level in random.integers(40, 250, 3))
        if random.random() < 0.6:
            draw.ellipse(box, fill=colour)
        else:
            draw.regular_polygon((x, y, radius), int(random.integers(3, 7)), int(random.integers(0, 360)), fill=colour)


def _draw_label(image: Image.Image, label: str) -> None:
    draw = ImageDraw.Draw(image)
    size = max(8, min(image.size) // 5)
    font = ImageFont.load_default(size=size)
    at = (image.width / 2, image.height / 2)
    draw.text(at, label, "white", font, anchor="mm", stroke_width=max(1, size // 16), stroke_fill="black")
