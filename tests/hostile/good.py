"""One small good file per format and flavour: what damage is done to, and what the fuzzer starts from."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

import numpy as np
import pillow_heif
import pylibjxl
from PIL import Image, ImageCms

from tests.hostile.attack import seeded
from tests.hostile.png_chunks import in_seven_passes, png

WIDTH, HEIGHT = 128, 64  # a tile of an AVIF grid has sides of 64 px at least


def picture(mode: str = "RGB", shift: int = 0) -> Image.Image:
    """A gradient with noise, so that every byte of the compressed data matters."""
    noise = seeded("picture")
    pixels = bytes(
        (5 * x + 3 * y + 40 * channel + shift + noise.randrange(24)) % 256
        for y in range(HEIGHT)
        for x in range(WIDTH)
        for channel in range(3)
    )
    image = Image.frombytes("RGB", (WIDTH, HEIGHT), pixels)
    if mode == "I;16":
        return Image.frombytes("I;16", (WIDTH, HEIGHT), bytes(noise.randrange(256) for _ in range(2 * WIDTH * HEIGHT)))
    if mode in ("RGBA", "LA"):
        image.putalpha(image.getchannel("G"))
    return image.convert(mode)


def saved(format_: str, mode: str = "RGB", frames: int = 1, **options: Any) -> bytes:
    """Encode the picture with Pillow."""
    file = io.BytesIO()
    if frames > 1:
        rest = [picture(mode, 31 * index) for index in range(1, frames)]
        options |= {"save_all": True, "append_images": rest}
    picture(mode).save(file, format_, **options)
    return file.getvalue()


def exif() -> bytes:
    """Orientation, camera and a GPS directory."""
    tags = Image.Exif()
    tags[0x0112], tags[0x010F], tags[0x9003] = 6, "Maker", "2026:03:04 05:06:07"
    tags.get_ifd(0x8825)[1] = "N"
    return tags.tobytes()


def profile() -> bytes:
    """An sRGB profile whose bytes do not depend on the day."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[24:36] = bytes(12)  # date and time of creation: ICC.1:2022, section 7.2.8
    return bytes(data)


def interlaced_png() -> bytes:
    """Adam7, which Pillow cannot write."""
    return png(WIDTH, HEIGHT, zlib.compress(in_seven_passes(np.asarray(picture()))), interlace=1)


def rle_bmp() -> bytes:
    """Eight bits, run lengths. Source: Microsoft, Bitmap Compression."""
    rows = b"".join(bytes((32, shade % 256)) * 4 + b"\0\0" for shade in range(0, 3 * HEIGHT, 3)) + b"\0\1"
    palette = b"".join(bytes((shade, shade, 255 - shade, 0)) for shade in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 1, len(rows), 2835, 2835, 256, 0)
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + palette + rows


def avif_animation() -> bytes:
    """Three frames; the times of creation, which libavif writes, are set to 0. Source: ISO/IEC 14496-12, 8.2.2."""
    data = bytearray(saved("AVIF", frames=3, duration=50, max_threads=1))
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        at = data.index(kind) + 4
        times = 16 if data[at] == 1 else 8
        data[at + 4 : at + 4 + times] = bytes(times)
    return bytes(data)


def heic(mode: str = "RGB", frames: int = 1) -> bytes:
    """One or several pictures in one HEIC file."""
    container = pillow_heif.from_pillow(picture(mode))
    for index in range(1, frames):
        container.add_from_pillow(picture(mode, 31 * index))
    file = io.BytesIO()
    container.save(file, quality=60)
    return file.getvalue()


def jxl(mode: str = "RGB", lossless: bool = False) -> bytes:
    """A JPEG XL picture."""
    return bytes(pylibjxl.encode(np.asarray(picture(mode)), lossless=lossless))


_MAKERS: Final[dict[str, Callable[[], bytes]]] = {
    "jpeg": partial(saved, "JPEG", quality=80),
    "jpeg-progressive": partial(saved, "JPEG", quality=80, progressive=True),
    "jpeg-grey": partial(saved, "JPEG", "L"),
    "jpeg-cmyk": partial(saved, "JPEG", "CMYK"),
    "jpeg-restarts": partial(saved, "JPEG", restart_marker_blocks=1),
    "jpeg-metadata": lambda: saved("JPEG", exif=exif(), icc_profile=profile(), comment=b"a comment"),
    "png": partial(saved, "PNG"),
    "png-alpha": partial(saved, "PNG", "RGBA"),
    "png-palette": partial(saved, "PNG", "P", transparency=3),
    "png-bit": partial(saved, "PNG", "1"),
    "png-16": partial(saved, "PNG", "I;16"),
    "png-interlaced": interlaced_png,
    "png-metadata": lambda: saved("PNG", exif=exif(), icc_profile=profile()),
    "apng": partial(saved, "PNG", frames=3, duration=50),
    "gif": partial(saved, "GIF", "P"),
    "gif-animated": partial(saved, "GIF", frames=3, duration=50, loop=0),
    "gif-transparent": partial(saved, "GIF", "P", transparency=2, interlace=False),
    "webp": partial(saved, "WEBP", quality=70),
    "webp-lossless": partial(saved, "WEBP", lossless=True),
    "webp-alpha": partial(saved, "WEBP", "RGBA", quality=70),
    "webp-metadata": lambda: saved("WEBP", exif=exif(), icc_profile=profile()),
    "webp-animated": partial(saved, "WEBP", frames=3, duration=50),
    "tiff": partial(saved, "TIFF"),
    "tiff-deflate": partial(saved, "TIFF", "RGBA", compression="tiff_deflate"),
    "tiff-lzw": partial(saved, "TIFF", compression="tiff_lzw"),
    "tiff-jpeg": partial(saved, "TIFF", compression="jpeg"),
    "tiff-g4": partial(saved, "TIFF", "1", compression="group4"),
    "tiff-packbits": partial(saved, "TIFF", "L", compression="packbits"),
    "tiff-16": partial(saved, "TIFF", "I;16"),
    "tiff-big": partial(saved, "TIFF", big_tiff=True),
    "tiff-pages": partial(saved, "TIFF", frames=3, compression="tiff_deflate"),
    "bmp": partial(saved, "BMP"),
    "bmp-palette": partial(saved, "BMP", "P"),
    "bmp-rle": rle_bmp,
    "avif": partial(saved, "AVIF", quality=60, max_threads=1),
    "avif-alpha": partial(saved, "AVIF", "RGBA", quality=60, max_threads=1),
    "avif-animated": avif_animation,
    "heic": heic,
    "heic-alpha": partial(heic, "RGBA"),
    "heic-several": partial(heic, frames=3),
    "jxl": jxl,
    "jxl-lossless": partial(jxl, "RGBA", lossless=True),
}

GOOD: Final[dict[str, Callable[[], bytes]]] = {name: cache(make) for name, make in _MAKERS.items()}
