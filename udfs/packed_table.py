"""Rows under 16-byte ids in packed columns, oldest first, as the state keeps them; it knows nothing of what they mean.

A row is found, moved and dropped in the bytes themselves: unpacking 10,000 rows costs milliseconds per event.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ID_BYTES = 16
NUMBER_BYTES = 8


@dataclass(slots=True)
class PackedTable:
    """Columns of equal length: the ids, then one per width, in bytes per row; the last holds when each row ends."""

    widths: tuple[int, ...]
    ids: bytes
    columns: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.ids) // ID_BYTES

    def __iter__(self) -> Iterator[bytes]:
        return (self.ids[start : start + ID_BYTES] for start in range(0, len(self.ids), ID_BYTES))

    def find(self, key: bytes) -> int | None:
        """Return the number of the key's row; bytes that lie across two ids are no hit."""
        at = self.ids.find(key)
        while at % ID_BYTES and at >= 0:
            at = self.ids.find(key, at + 1)
        return at // ID_BYTES if at >= 0 else None

    def cells(self, row: int) -> tuple[bytes, ...]:
        """Return the packed values of a row."""
        return tuple(
            column[row * width : (row + 1) * width] for column, width in zip(self.columns, self.widths, strict=True)
        )

    def put(self, row: int | None, key: bytes, cells: Sequence[bytes], limit: int) -> None:
        """Make the row the newest, a new one if `row` is None; beyond the limit the oldest rows go."""
        oldest = max(0, len(self) + (row is None) - limit)
        self.ids = _moved_to_end(self.ids, ID_BYTES, row, key, oldest)
        self.columns = tuple(
            _moved_to_end(column, width, row, cell, oldest)
            for column, width, cell in zip(self.columns, self.widths, cells, strict=True)
        )

    def ends(self) -> tuple[int, ...]:
        """Return the last column as numbers."""
        return struct.unpack(f"<{len(self)}q", self.columns[-1])

    def keep_ending_after(self, time: int) -> None:
        """Drop every row whose end is not after the time."""
        kept = [row for row, end in enumerate(self.ends()) if end > time]
        if len(kept) < len(self):
            self.ids = _picked(self.ids, ID_BYTES, kept)
            self.columns = tuple(
                _picked(column, width, kept) for column, width in zip(self.columns, self.widths, strict=True)
            )


def packed(number: int) -> bytes:
    """Return a number as a cell of 8 bytes."""
    return number.to_bytes(NUMBER_BYTES, "little", signed=True)


def unpacked(cell: bytes) -> int:
    """Return the number of a cell."""
    return int.from_bytes(cell, "little", signed=True)


def _moved_to_end(column: bytes, width: int, row: int | None, cell: bytes, oldest: int) -> bytes:
    """Return the column with the cell as its last, copied once; `oldest` rows at its start are left out."""
    view, start = memoryview(column), oldest * width
    if row is None:
        return b"".join((view[start:], cell))
    return b"".join((view[start : row * width], view[max(start, (row + 1) * width) :], cell))


def _picked(column: bytes, width: int, rows: Sequence[int]) -> bytes:
    return b"".join(column[row * width : (row + 1) * width] for row in rows)
