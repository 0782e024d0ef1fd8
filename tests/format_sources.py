"""Small sources of every format that is read, in every mode and option, each with the picture that it shows."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pillow_heif
import pylibjxl
from PIL import Image, ImageCms, ImageOps

from tests.hostile.png_chunks import in_seven_passes, png
from tests.pure.imaging.pictures import encoded, exif_orientation, opened, photo

EXACT = 0.75  # rounding of modes and of premultiplied alpha
CLOSE = 5
SIZE = (96, 64)


def base() -> Image.Image:
    return opened(photo("rocket.jpg")).resize(SIZE)


def translucent() -> Image.Image:
    picture = base().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    return picture


def grey_alpha() -> Image.Image:
    return translucent().convert("LA")


def palette() -> Image.Image:
    return base().quantize(64)


def bilevel() -> Image.Image:
    return base().convert("1")


def lab() -> Image.Image:
    srgb, space = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.applyTransform(base(), ImageCms.buildTransform(srgb, space, "RGB", "LAB"))


def sixteen_grey() -> Image.Image:
    return Image.fromarray(np.asarray(base().convert("L")).astype(np.uint16) * 257)


def deep_png(picture: Image.Image, kind: int) -> bytes:
    """A PNG of 16 bits per sample. Source: PNG, third edition, 11.2.1."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in deep(picture))
    return png(*SIZE, zlib.compress(rows), depth=16, colour=kind)


def interlaced_png() -> bytes:
    """A PNG in the seven passes of Adam7."""
    return png(*SIZE, zlib.compress(in_seven_passes(np.asarray(base()))), interlace=1)


def tiff_by_hand(pieces: list[np.ndarray], photometric: int, order: str = "<", **options: int) -> bytes:
    """An uncompressed TIFF of strips, planes or tiles. Source: TIFF 6.0, sections 3, 6, 15 and 18."""
    bands, planar, tile, extra = (options.get(key, 0) for key in ("bands", "planar", "tile", "extra"))
    kind = pieces[0].dtype
    stored = [piece.astype(kind.newbyteorder(order)).tobytes() for piece in pieces]
    tags = {
        256: SIZE[0],
        257: SIZE[1],
        258: [8 * kind.itemsize] * bands,
        259: 1,
        262: photometric,
        277: bands,
        284: 1 + planar,
    }
    tags |= {322: tile, 323: tile} if tile else {278: SIZE[1]}
    tags |= {338: extra} if extra else {}
    at_tag, length_tag = (324, 325) if tile else (273, 279)
    data_at = 8 + 2 + 12 * (len(tags) + 2) + 4 + 4 * 2 * len(stored) + 4 * bands
    offsets = [data_at + sum(map(len, stored[:index])) for index in range(len(stored))]
    tags |= {at_tag: offsets, length_tag: [len(piece) for piece in stored]}
    entries, values = b"", b""
    for tag, value in sorted(tags.items()):
        numbers = value if isinstance(value, list) else [value]
        content = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(numbers) > 1:
            at = 8 + 2 + 12 * len(tags) + 4 + len(values)
            content, values = struct.pack(order + "I", at), values + content
        entries += struct.pack(order + "HHI", tag, 4, len(numbers)) + content
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(tags)) + entries + bytes(4)
    return (head + values).ljust(data_at, b"\0") + b"".join(stored)


def samples(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture)


def deep(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).astype(np.uint16) * 257


def planes(picture: Image.Image) -> list[np.ndarray]:
    return [np.asarray(band) for band in picture.split()]


def tiles(picture: Image.Image, side: int) -> list[np.ndarray]:
    return [
        np.asarray(picture.crop((left, top, left + side, top + side)))
        for top in range(0, picture.height, side)
        for left in range(0, picture.width, side)
    ]


def premultiplied() -> np.ndarray:
    straight = samples(translucent()).astype(float)
    straight[..., :3] *= straight[..., 3:] / 255
    return straight.round().astype(np.uint8)


def ycck() -> bytes:
    """An Adobe JPEG whose four components are YCC and K, made by storing these as CMYK and naming them otherwise."""
    cyan, magenta, yellow, black = base().convert("CMYK").split()
    colours = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr")
    stored = Image.merge("CMYK", (*map(ImageOps.invert, colours.split()), black))
    jpeg = bytearray(encoded(stored, "JPEG", quality=98, subsampling=0))
    at = jpeg.index(b"Adobe") + 11
    assert jpeg[at] == 0
    jpeg[at] = 2
    return bytes(jpeg)


def broken_second_frame() -> bytes:
    source = encoded(base(), "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))], quality=95)
    return source[: source.rindex(b"\xff\xd8") + 6] + bytes(100)


def ten_bits(mode: str, picture: Image.Image) -> bytes:
    file = io.BytesIO()
    pillow_heif.from_bytes(mode, SIZE, deep(picture).tobytes()).save(file, quality=95)
    return file.getvalue()


@dataclass(frozen=True)
class Case:
    """A file, and the picture that it shows."""

    name: str
    source: Callable[[], bytes]
    expected: Callable[[], Image.Image] = base
    tolerance: float = EXACT


def case(
    name: str, picture: Callable[[], Image.Image], format: str, tolerance: float = EXACT, **options: object
) -> Case:
    return Case(name, lambda: encoded(picture(), format, **options), picture, tolerance)


def lossy(name: str, picture: Callable[[], Image.Image], format: str, **options: object) -> Case:
    return case(name, picture, format, CLOSE, **options)


def converted(mode: str) -> Callable[[], Image.Image]:
    return lambda: base().convert(mode)


def sized(width: int, height: int) -> Callable[[], Image.Image]:
    return lambda: base().resize((width, height))


CASES = [
    lossy("jpeg baseline", base, "JPEG", quality=95),
    lossy("jpeg progressive", base, "JPEG", quality=95, progressive=True),
    lossy("jpeg 444", base, "JPEG", quality=95, subsampling=0),
    lossy("jpeg 422", base, "JPEG", quality=95, subsampling=1),
    lossy("jpeg 420", base, "JPEG", quality=95, subsampling=2),
    lossy("jpeg optimised with restarts", base, "JPEG", quality=95, optimize=True, restart_marker_rows=1),
    lossy("jpeg stored as rgb", base, "JPEG", quality=95, keep_rgb=True),
    lossy("jpeg grey", converted("L"), "JPEG", quality=95),
    lossy("jpeg cmyk of adobe", converted("CMYK"), "JPEG", quality=95),
    Case("jpeg ycck", ycck, converted("CMYK"), CLOSE),
    Case("jpeg with a broken second frame", broken_second_frame, base, CLOSE),
    lossy("jpeg 1x1", sized(1, 1), "JPEG", quality=95),
    case("png rgb", base, "PNG"),
    case("png rgba", translucent, "PNG"),
    case("png grey", converted("L"), "PNG"),
    case("png grey and alpha", grey_alpha, "PNG"),
    case("png palette", palette, "PNG"),
    case("png palette of 4 bits", lambda: base().quantize(16), "PNG", bits=4),
    case("png palette of 1 bit", lambda: base().quantize(2), "PNG", bits=1),
    case("png bilevel", bilevel, "PNG"),
    Case("png grey of 16 bits", lambda: encoded(sixteen_grey(), "PNG"), converted("L")),
    Case("png rgb of 16 bits", lambda: deep_png(base(), 2)),
    Case("png rgba of 16 bits", lambda: deep_png(translucent(), 6), translucent),
    Case("png grey and alpha of 16 bits", lambda: deep_png(grey_alpha(), 4), grey_alpha),
    Case("png interlaced", interlaced_png),
    case("png 1x1", sized(1, 1), "PNG"),
    case("png 1x5000", sized(1, 5_000), "PNG"),
    lossy("webp lossy", base, "WEBP", quality=95),
    lossy("webp lossy with alpha", translucent, "WEBP", quality=95),
    case("webp lossless", base, "WEBP", lossless=True),
    case("webp lossless with alpha", translucent, "WEBP", lossless=True, exact=True),
    case("webp 1x1", sized(1, 1), "WEBP", lossless=True),
    case("gif", palette, "GIF"),
    case("gif interlaced", palette, "GIF", interlace=True),
    case("gif not interlaced", palette, "GIF", interlace=False),
    case("gif grey", converted("L"), "GIF"),
    case("gif bilevel", bilevel, "GIF"),
    case("tiff raw", base, "TIFF"),
    case("tiff lzw", base, "TIFF", compression="tiff_lzw"),
    case("tiff packbits", base, "TIFF", compression="packbits"),
    case("tiff deflate", base, "TIFF", compression="tiff_adobe_deflate"),
    case("tiff zstd", base, "TIFF", compression="zstd"),
    case("tiff lzma", base, "TIFF", compression="lzma"),
    lossy("tiff jpeg", base, "TIFF", compression="jpeg", quality=95),
    case("tiff deflate with predictor", base, "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 2}),
    case("tiff bilevel fax 3", bilevel, "TIFF", compression="group3"),
    case("tiff bilevel fax 4", bilevel, "TIFF", compression="group4"),
    case("tiff bilevel raw", bilevel, "TIFF"),
    case("tiff big", base, "TIFF", big_tiff=True),
    case("tiff rgba", translucent, "TIFF"),
    case("tiff grey and alpha", grey_alpha, "TIFF"),
    case("tiff palette", palette, "TIFF"),
    case("tiff grey", converted("L"), "TIFF"),
    case("tiff cmyk", converted("CMYK"), "TIFF"),
    lossy("tiff ycbcr", converted("YCbCr"), "TIFF"),
    Case("tiff grey of 16 bits", lambda: encoded(sixteen_grey(), "TIFF"), converted("L")),
    Case("tiff lab", lambda: encoded(lab(), "TIFF"), base, 3),
    Case("tiff of planes", lambda: tiff_by_hand(planes(base()), 2, bands=3, planar=1)),
    Case("tiff of tiles", lambda: tiff_by_hand(tiles(base(), 32), 2, bands=3, tile=32)),
    Case("tiff of tiles that do not fit", lambda: tiff_by_hand(tiles(base(), 80), 2, bands=3, tile=80)),
    Case("tiff big endian", lambda: tiff_by_hand([samples(base())], 2, ">", bands=3)),
    Case("tiff rgb of 16 bits", lambda: tiff_by_hand([deep(base())], 2, bands=3)),
    Case("tiff rgb of 16 bits, big endian", lambda: tiff_by_hand([deep(base())], 2, ">", bands=3)),
    Case(
        "tiff with unassociated alpha", lambda: tiff_by_hand([samples(translucent())], 2, bands=4, extra=2), translucent
    ),
    Case("tiff with associated alpha", lambda: tiff_by_hand([premultiplied()], 2, bands=4, extra=1), translucent),
    Case("tiff white is zero", lambda: tiff_by_hand([255 - samples(base().convert("L"))], 0, bands=1), converted("L")),
    case("tiff 1x1", sized(1, 1), "TIFF"),
    case("bmp", base, "BMP"),
    case("bmp palette", palette, "BMP"),
    case("bmp grey", converted("L"), "BMP"),
    case("bmp bilevel", bilevel, "BMP"),
    lossy("avif", base, "AVIF", quality=90),
    lossy("avif 444", base, "AVIF", quality=90, subsampling="4:4:4"),
    lossy("avif grey", converted("L"), "AVIF", quality=90),
    lossy("avif with alpha", translucent, "AVIF", quality=90),
    lossy("avif limited range", base, "AVIF", quality=90, range="limited"),
    lossy("avif 1x1", sized(1, 1), "AVIF", quality=90),
    lossy("heic", base, "HEIC", quality=90),
    lossy("heic 444", base, "HEIC", quality=90, chroma=444),
    lossy("heic grey", converted("L"), "HEIC", quality=90),
    lossy("heic with alpha", translucent, "HEIC", quality=90),
    Case("heic of 10 bits", lambda: ten_bits("RGB;16", base()), base, CLOSE),
    Case("heic grey of 10 bits", lambda: ten_bits("L;16", base().convert("L")), converted("L"), CLOSE),
    lossy("heic with thumbnails", base, "HEIC", quality=90, thumbnails=[32]),
    lossy("heic of an odd size", sized(63, 41), "HEIC", quality=90),
    case("jxl lossless", base, "JXL", lossless=True),
    lossy("jxl lossy", base, "JXL", distance=1.0),
    case("jxl lossless with alpha", translucent, "JXL", lossless=True),
    case("jxl grey", converted("L"), "JXL", lossless=True),
    Case("jxl of a jpeg", lambda: pylibjxl.jpeg_to_jxl(encoded(base(), "JPEG", quality=95)), base, CLOSE),
    case("jxl in a container", base, "JXL", lossless=True, exif=exif_orientation(1)),
    case("jxl 1x1", sized(1, 1), "JXL", lossless=True),
]


def animation(format: str) -> bytes:
    """Three frames of a photograph that fades."""
    shades = [base().point(lambda sample, share=share: sample * share // 3) for share in (3, 2, 1)]
    return encoded(shades[0], format, save_all=True, append_images=shades[1:], duration=120, loop=0)
