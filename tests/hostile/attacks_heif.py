"""AVIF and HEIC: sizes that lie, grids of one tile a thousand times, items that read the same bytes again and again."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pillow_heif
from PIL import Image

from tests.hostile.attack import Attack, either, refused
from tests.hostile.boxes import Item, box, find, full, grid, ispe, item_file, reference
from tests.hostile.good import GOOD, HEIGHT, WIDTH

MEBIBYTE = 1 << 20
FLAT = 1024
TOO_BIG = ("TOO_MANY_PIXELS", "DECOMPRESSION_BOMB", "EXTREME_ASPECT_RATIO", "CORRUPT_IMAGE")


@dataclass(frozen=True, slots=True)
class Codec:
    """One of the two formats that share the container."""

    name: str
    kind: bytes
    settings: bytes

    @property
    def brand(self) -> bytes:
        return self.name.encode()

    def good(self) -> bytes:
        return GOOD[self.name]()

    def payload(self) -> bytes:
        return find(self.good(), b"mdat")[8:]

    def properties(self, width: int, height: int) -> list[bytes]:
        return [ispe(width, height), find(self.good(), self.settings)]


AVIF = Codec("avif", b"av01", b"av1C")
HEIC = Codec("heic", b"hvc1", b"hvcC")


def attacks() -> Iterator[Attack]:
    """Every attack, on both."""
    for codec in (AVIF, HEIC):
        yield from sizes(codec)
        yield from grids(codec)
        yield from items(codec)
        yield from floods(codec)


def resized(codec: Codec, width: int, height: int) -> bytes:
    """The good file with another size in every `ispe`."""
    return codec.good().replace(ispe(WIDTH, HEIGHT), ispe(width, height))


def sizes(codec: Codec) -> Iterator[Attack]:
    """The container says another size than the stream."""
    for width, height in (
        (2**32 - 1, 2**32 - 1),
        (20_000, 20_000),
        (65_535, 65_535),
        (2**31, 1),
        (1, 2**31),
        (32_768, 32_768),
    ):
        name = f"says-{width}x{height}"
        yield refused(f"{codec.name} bomb", name, lambda w=width, h=height: resized(codec, w, h), *TOO_BIG)
    for width, height in ((0, 0), (0, 9), (1, 1), (10_000, 10_000), (WIDTH, HEIGHT + 1)):
        yield either(f"{codec.name} header", f"says-{width}x{height}", lambda w=width, h=height: resized(codec, w, h))


def flat(codec: Codec) -> bytes:
    """A black picture, a few hundred bytes long."""
    file, image = io.BytesIO(), Image.new("RGB", (FLAT, FLAT))
    if codec is AVIF:
        image.save(file, "AVIF", quality=50, speed=10, max_threads=1)
    else:
        pillow_heif.from_pillow(image).save(file, quality=10)
    return file.getvalue()


def resized_flat(codec: Codec) -> bytes:
    """A black picture that announces to be small."""
    return flat(codec).replace(ispe(FLAT, FLAT), ispe(9, 9))


def grid_file(
    codec: Codec,
    columns: int,
    rows: int,
    size: tuple[int, int],
    tile: tuple[int, int],
    one_item: bool,
    tile_file: bytes | None = None,
) -> bytes:
    """A grid whose tiles are one item, or items that are all the same bytes."""
    source, count = tile_file or codec.good(), columns * rows
    payload = find(source, b"mdat")[8:]
    properties = [ispe(*size), ispe(*tile), find(source, codec.settings)]
    plan = grid(columns, rows, *size)
    tiles = range(2, 3) if one_item else range(2, 2 + count)
    made = [Item(1, b"grid", [(0, len(plan))], [1])]
    made += [Item(number, codec.kind, [(len(plan), len(payload))], [2, 3]) for number in tiles]
    targets = [2] * count if one_item else list(tiles)
    return item_file(codec.brand, made, properties, plan + payload, reference(b"dimg", 1, targets))


def grids(codec: Codec) -> Iterator[Attack]:
    """Grids."""
    family = f"{codec.name} grid"
    for columns, rows in ((1, 1), (2, 2), (16, 16), (100, 100), (256, 255)):
        whole = (columns * WIDTH, rows * HEIGHT)
        for name, size in (
            ("whole", whole),
            ("tiny", (9, 9)),
            ("giant", (60_000, 60_000)),
            ("endless", (2**32 - 1, 2**32 - 1)),
        ):
            for one in (False, True):
                call = partial(grid_file, codec, columns, rows, size, (WIDTH, HEIGHT), one)
                label = f"{columns}x{rows}-{name}{'-of-one-item' if one else ''}"
                yield (
                    either(family, label, call) if name in ("whole", "tiny") else refused(family, label, call, *TOO_BIG)
                )
    yield either(
        family,
        "85-megapixels-of-one-tile",
        lambda: grid_file(codec, 9, 9, (9 * FLAT, 9 * FLAT), (FLAT, FLAT), False, flat(codec)),
    )
    yield either(
        family,
        "6400-megapixels-of-one-tile",
        lambda: grid_file(codec, 80, 80, (99, 99), (FLAT, FLAT), True, flat(codec)),
    )
    yield either(f"{codec.name} bomb", "stream-larger-than-announced", lambda: resized_flat(codec))
    yield either(family, "tiles-say-giant", lambda: grid_file(codec, 2, 2, (99, 99), (60_000, 60_000), one_item=False))
    for kind in (b"grid", b"iovl", b"iden"):
        yield either(family, f"{kind.decode()}-of-itself", lambda k=kind: derived(codec, k, [1]))
        yield either(family, f"{kind.decode()}-of-a-circle", lambda k=kind: derived(codec, k, [2]))
        yield either(family, f"{kind.decode()}-of-nothing", lambda k=kind: derived(codec, k, []))
        yield either(family, f"{kind.decode()}-of-60000", lambda k=kind: derived(codec, k, [1] * 60_000))
    for depth in (20, 2_000, 20_000):
        yield either(family, f"identities-{depth}-deep", lambda d=depth: chain(codec, d))


def derived(codec: Codec, kind: bytes, targets: list[int]) -> bytes:
    """Two derived items that refer to each other or to themselves."""
    plan = grid(1, 1, 9, 9)
    both = [Item(number, kind, [(0, len(plan))], [1]) for number in (1, 2)]
    ties = reference(b"dimg", 1, targets) + reference(b"dimg", 2, [1])
    return item_file(codec.brand, both, codec.properties(9, 9), plan, ties)


def chain(codec: Codec, depth: int) -> bytes:
    """Identities of identities."""
    plan = grid(1, 1, 9, 9)
    many = [Item(number, b"iden", [(0, len(plan))], [1]) for number in range(1, depth + 1)]
    ties = b"".join(reference(b"dimg", number, [number + 1]) for number in range(1, depth))
    return item_file(codec.brand, many, codec.properties(9, 9), plan, ties)


def single(codec: Codec, extents: list[tuple[int, int]], data: bytes, count: int = 1) -> bytes:
    """Items that all read the same extents."""
    many = [Item(number, codec.kind, extents, [1, 2]) for number in range(1, count + 1)]
    return item_file(codec.brand, many, codec.properties(WIDTH, HEIGHT), data)


def items(codec: Codec) -> Iterator[Attack]:
    """Where items are."""
    family = f"{codec.name} items"
    for count, mebibytes in ((100, 8), (1_000, 8), (60_000, 1), (60_000, 32)):
        name = f"{count}-extents-of-{mebibytes}-mebibytes"
        yield either(
            family, name, lambda n=count, m=mebibytes: single(codec, [(0, m * MEBIBYTE)] * n, bytes(m * MEBIBYTE))
        )
    for name, extent in (("beyond", (2**31, 99)), ("length-beyond", (0, 2**32 - 1)), ("empty", (0, 0))):
        yield either(family, name, lambda e=extent: single(codec, [e], b"x" * 99))
    yield either(family, "no-extents", lambda: single(codec, [], b"x" * 99))
    yield either(family, "60000-items", lambda: single(codec, [(0, 99)], b"x" * 99, 60_000))
    for kind in (b"iloc", b"iinf", b"ipma", b"iref", b"pitm", b"ispe", b"hdlr", codec.settings):
        yield either(family, f"{kind.decode()}-of-ones", lambda k=kind: drowned(codec, k, b"\xff"))
        yield either(family, f"{kind.decode()}-of-zeros", lambda k=kind: drowned(codec, k, b"\0"))
    for kind in (b"ftyp", b"meta", b"iprp", b"ipco", b"mdat"):
        for size in (0, 1, 7, 9, 2**31, 2**32 - 1):
            yield either(family, f"{kind.decode()}-of-size-{size}", lambda k=kind, s=size: sized(codec, k, s))


def drowned(codec: Codec, kind: bytes, byte: bytes) -> bytes:
    """The good file with the content of one box overwritten; unchanged in size."""
    source = codec.good()
    if kind not in source:
        return source
    old = find(source, kind)
    return source.replace(old, old[:12] + byte * (len(old) - 12))


def sized(codec: Codec, kind: bytes, size: int) -> bytes:
    """The good file with another size before one box."""
    source = codec.good()
    at = source.index(kind) - 4
    return source[:at] + struct.pack(">I", size) + source[at + 4 :]


def floods(codec: Codec) -> Iterator[Attack]:
    """Boxes by the million, and boxes within boxes."""
    family = f"{codec.name} flood"
    for kind in (b"free", b"teSt", b"ftyp", b"meta"):
        yield either(family, f"{kind.decode()}-before", lambda k=kind: after_brand(codec, box(k) * 7 * MEBIBYTE))
        yield either(family, f"{kind.decode()}-behind", lambda k=kind: codec.good() + box(k) * 7 * MEBIBYTE)
    for depth in (50, 5_000, 100_000):
        for kind in (b"meta", b"moov", b"iprp", b"dinf"):
            yield either(
                family, f"{kind.decode()}-{depth}-deep", lambda k=kind, d=depth: after_brand(codec, nested(k, d))
            )
    for count in (60_000, 2_000_000):
        yield either(family, f"{count}-properties", lambda n=count: with_properties(codec, n))
    yield either(
        family, "brands", lambda: box(b"ftyp", codec.brand, bytes(4), b"mif1" * 4 * MEBIBYTE) + codec.good()[28:]
    )


def after_brand(codec: Codec, data: bytes) -> bytes:
    """Put boxes behind `ftyp`; offsets in the file are wrong then, which is as hostile as the rest."""
    source = codec.good()
    head = find(source, b"ftyp")
    return head + data + source[len(head) :]


def nested(kind: bytes, depth: int) -> bytes:
    """A box in a box in a box."""
    extra = 12 if kind == b"meta" else 8
    heads = (struct.pack(">I", extra * (depth - level)) + kind + bytes(extra - 8) for level in range(depth))
    return b"".join(heads)


def with_properties(codec: Codec, count: int) -> bytes:
    """One item and very many sizes."""
    payload = codec.payload()
    one = [Item(1, codec.kind, [(0, len(payload))], [1, 2])]
    many = full(b"ispe", struct.pack(">II", 9, 9)) * count
    return item_file(codec.brand, one, [*codec.properties(WIDTH, HEIGHT), many], payload)
