"""What the load has stored and published, one JSON line each, so that the oracle knows what to expect.

A line is on its way to the disk before its record is on its way to Kafka: a record without a line does not exist. The
converse does not hold; what reached Kafka is for the topic itself to say.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

GOOD = "GOOD"
EVENT = "EVENT"


@dataclass(frozen=True, slots=True)
class Put:
    """An object that the store has acknowledged; `content` is GOOD, or the reason for which it has to be rejected."""

    bucket: str
    key: str
    etag: str
    sha256: str
    content: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that is about to be published; `expects` is EVENT, or the reason that its dead letter has to give."""

    sha256: str
    expects: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A record that Kafka has acknowledged."""

    sha256: str


Line = Put | Sent | Acknowledged
LINES = {kind.__name__: kind for kind in (Put, Sent, Acknowledged)}


class Journal:
    """A file of lines; may be written by several threads, and read while it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")
        if self._file.tell():
            self._file.write("\n")  # ends the line in which an earlier writer may have died

    def write(self, line: Line) -> None:
        """Append one line."""
        text = json.dumps({"what": type(line).__name__, **asdict(line)}, ensure_ascii=True)
        with self._lock:
            self._file.write(text + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file; what was written stays readable."""
        self._file.close()

    def read(self) -> Iterator[Line]:
        """Yield every line in order; one cut short was never followed by its record."""
        with self.path.open(encoding="utf-8") as file:
            for text in file:
                if (line := _parsed(text)) is not None:
                    yield line


def digest(value: bytes) -> str:
    """Return the SHA-256 of a record's or an object's bytes."""
    return hashlib.sha256(value).hexdigest()


def _parsed(text: str) -> Line | None:
    try:
        fields: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return LINES[fields.pop("what")](**fields)
