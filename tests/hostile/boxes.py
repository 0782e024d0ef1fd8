"""ISO base media files from boxes: AVIF and HEIC. Source: ISO/IEC 14496-12 and 23008-12."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box."""
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """One box with a version."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def find(source: bytes, kind: bytes) -> bytes:
    """Return the first box of a kind, whole."""
    at = source.index(kind) - 4
    return source[at : at + int.from_bytes(source[at : at + 4], "big")]


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its kind, where its bytes are as (offset, length) and which properties, from 1, it has."""

    number: int
    kind: bytes
    extents: Sequence[tuple[int, int]]
    properties: Sequence[int] = ()


def item_file(
    brand: bytes, items: Sequence[Item], properties: Sequence[bytes], data: bytes, references: bytes = b""
) -> bytes:
    """A file whose first item is the picture; extents count from the beginning of `data`."""

    def meta(start: int) -> bytes:
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", items[0].number)),
            locations(items, start),
            full(b"iinf", struct.pack(">H", len(items)), *(info(item) for item in items)),
            full(b"iref", references) if references else b"",
            box(b"iprp", box(b"ipco", *properties), associations(items)),
        )

    head = box(b"ftyp", brand, bytes(4), brand, b"mif1", b"miaf")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", data)


def info(item: Item) -> bytes:
    """Tell the kind of an item."""
    content = b"application/rdf+xml\0" if item.kind == b"mime" else b""
    return full(b"infe", struct.pack(">HH", item.number, 0), item.kind, b"\0", content, version=2)


def locations(items: Sequence[Item], start: int) -> bytes:
    """Offsets and lengths of four bytes each."""
    parts = [struct.pack(">BBH", 0x44, 0, len(items))]
    for item in items:
        parts.append(struct.pack(">HHH", item.number, 0, len(item.extents)))
        parts += [struct.pack(">II", start + offset, length) for offset, length in item.extents]
    return full(b"iloc", *parts)


def associations(items: Sequence[Item]) -> bytes:
    """Tie properties to items."""
    each = (struct.pack(">HB", item.number, len(item.properties)) + bytes(item.properties) for item in items)
    return full(b"ipma", struct.pack(">I", len(items)), *each)


def ispe(width: int, height: int) -> bytes:
    """The size of an item."""
    return full(b"ispe", struct.pack(">II", width, height))


def reference(kind: bytes, source: int, targets: Sequence[int]) -> bytes:
    """Tie one item to others."""
    return box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))


def grid(columns: int, rows: int, width: int, height: int) -> bytes:
    """The data of a grid item, with sizes of four bytes."""
    return struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)
