"""Small sources for the tests of the imaging core, made with Pillow, each as encoded bytes."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pylibjxl
from PIL import Image
from pillow_heif.as_plugin import _save_heif as save_heif

from tests.hostile.png_chunks import chunk as png_chunk

PHOTOS = Path(__file__).parents[2] / "photos"
CORNERS = {(0, 0): "red", (1, 0): "lime", (0, 1): "blue", (1, 1): "yellow"}


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """In any of Pillow's formats, HEIC or JXL; these two with options of pillow_heif and pylibjxl."""
    if format == "JXL":
        return pylibjxl.encode(np.asarray(image), **options)
    file = io.BytesIO()
    if format == "HEIC":
        picture = image.copy()
        picture.encoderinfo = options
        save_heif(picture, file, "")
    else:
        image.save(file, format, **options)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def photo(name: str = "rocket.jpg") -> bytes:
    return (PHOTOS / name).read_bytes()


def four_corners(width: int = 120, height: int = 80) -> Image.Image:
    """Upper left red, upper right lime, lower left blue, lower right yellow."""
    image = Image.new("RGB", (width, height))
    for (column, row), colour in CORNERS.items():
        image.paste(Image.new("RGB", (width // 2, height // 2), colour), (column * width // 2, row * height // 2))
    return image


def exif_orientation(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of all samples, in levels of 0 to 255."""
    return float(np.mean(np.abs(np.asarray(one, float) - np.asarray(other, float))))


def decibels(one: Image.Image, other: Image.Image) -> float:
    """Peak signal-to-noise ratio."""
    error = np.mean((np.asarray(one, float) - np.asarray(other, float)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def animated(format: str, frames: int, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    images = [Image.new("RGB", size, (index * 7 % 256, index * 13 % 256, 90)) for index in range(frames)]
    return encoded(images[0], format, save_all=True, append_images=images[1:], **options)


def boxed(kind: bytes, content: bytes) -> bytes:
    """A box of an ISO base media file, such as AVIF, HEIC and JPEG XL have."""
    return struct.pack(">I", len(content) + 8) + kind + content


def with_png_chunks(image: Image.Image, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with more chunks, of which each is (kind, content), between its header and its pixels."""
    png = encoded(image, "PNG")
    after_header = 8 + 12 + 13
    return png[:after_header] + b"".join(png_chunk(*chunk) for chunk in chunks) + png[after_header:]
