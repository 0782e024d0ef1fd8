"""TIFF files from entries. Source: TIFF revision 6.0, section 2, and the BigTIFF design of libtiff."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SHORT: Final = 3
LONG: Final = 4
START: Final = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One tag as it stands in a directory: the value, or where the values are."""

    tag: int
    kind: int
    count: int
    value: int

    def packed(self) -> bytes:
        """Twelve bytes, little-endian."""
        return struct.pack("<HHII", self.tag, self.kind, self.count % 2**32, self.value % 2**32)


def directory(entries: Sequence[Entry], following: int = 0) -> bytes:
    """One directory; `following` is where the next one begins, 0 for none."""
    return struct.pack("<H", len(entries)) + b"".join(map(Entry.packed, entries)) + struct.pack("<I", following)


def directory_bytes(entries: int) -> int:
    """Return how long a directory is."""
    return 6 + 12 * entries


def basic(width: int, height: int, compression: int = 1, bits: int = 8, photometric: int = 1) -> list[Entry]:
    """The tags of a grey picture, without where its data are."""
    return [
        Entry(256, LONG, 1, width),
        Entry(257, LONG, 1, height),
        Entry(258, SHORT, 1, bits),
        Entry(259, SHORT, 1, compression),
        Entry(262, SHORT, 1, photometric),
        Entry(277, SHORT, 1, 1),
    ]


def tiff(entries: Sequence[Entry], data: bytes = b"", following: int = 0) -> bytes:
    """A file of one directory, followed by data that begin at `behind(len(entries))`."""
    ordered = sorted(entries, key=lambda entry: entry.tag)
    return b"II*\0" + struct.pack("<I", START) + directory(ordered, following) + data


def behind(entries: int) -> int:
    """Return where data begin in a file of one directory."""
    return START + directory_bytes(entries)


def one_strip(
    width: int, height: int, data: bytes, compression: int = 1, extra: Sequence[Entry] = (), **tags: int
) -> bytes:
    """A grey picture in one strip."""
    entries = [*basic(width, height, compression, **tags), Entry(278, LONG, 1, height), *extra]
    at = behind(len(entries) + 2)
    return tiff([*entries, Entry(273, LONG, 1, at), Entry(279, LONG, 1, len(data))], data)
