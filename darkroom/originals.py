"""What `darkroom publish` can publish: files, the pictures of a folder, or made-up pictures."""

import itertools
import mimetypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from darkroom.console import printable
from darkroom.errors import UsageError
from darkroom.publisher import now_ms

SYNTHETIC_WIDTH_PIXELS = 2040
SYNTHETIC_HEIGHT_PIXELS = 1404
IMAGE_SUFFIXES = {".webp", ".avif", ".heic", ".heif", ".jxl", ".jp2"}  # not every system's MIME table has these


@dataclass(frozen=True, slots=True)
class Item:
    """One image to publish something for; `read` returns its bytes."""

    image_id: str
    user_id: str
    read: Callable[[], bytes]
    is_new: bool = False


def synthetic_items(count: int, distinct: int, users: list[str]) -> list[Item]:
    """Return new images for made-up pictures, drawn when they are first read."""
    pictures: dict[int, bytes] = {}

    def draw(seed: int) -> bytes:
        from darkroom.synthetic import synthetic_image  # NumPy, which no other command needs

        if seed not in pictures:
            width, height = SYNTHETIC_WIDTH_PIXELS, SYNTHETIC_HEIGHT_PIXELS
            pictures[seed] = synthetic_image(seed, width=width, height=height, format="jpeg")
        return pictures[seed]

    run = now_ms()
    return [
        Item(f"synthetic-{run}-{i:06d}.jpg", users[i % len(users)], partial(draw, i % distinct), is_new=True)
        for i in range(count)
    ]


def file_items(paths: list[Path], users: list[str], *, everyone: bool) -> list[Item]:
    """Return one item per file for the user whose turn it is; with `everyone`, one per file and user, there or not.

    Raises:
        UsageError: a file is missing, a folder has no pictures, or two files have the same image id for one user.
    """
    files = [pair for path in paths for pair in _files(path, may_be_gone=everyone)]
    turns = itertools.cycle(users)
    items = [
        Item(image_id, owner, path.read_bytes)
        for path, image_id in files
        for owner in (users if everyone else [next(turns)])
    ]
    seen: set[tuple[str, str]] = set()
    for item in items:
        if (item.user_id, item.image_id) in seen:
            message = (
                f"two files would be image {printable(item.image_id)} of user {printable(item.user_id)}; publish twice"
            )
            raise UsageError(message)
        seen.add((item.user_id, item.image_id))
    return items


def _files(path: Path, *, may_be_gone: bool) -> Iterator[tuple[Path, str]]:
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and is_picture(p))
        if not found:
            message = f"{printable(str(path))} has no files with an image's suffix"
            raise UsageError(message)
        yield from ((p, _text(p.relative_to(path).as_posix())) for p in found)
    elif may_be_gone or path.is_file():
        yield path, _text(path.name)
    else:
        message = f"{printable(str(path))} is not there; name a file or a folder"
        raise UsageError(message)


def is_picture(path: Path) -> bool:
    """Return whether a file's name says that it is an image, and it is not hidden."""
    if path.name.startswith("."):
        return False
    guess = mimetypes.guess_type(path.name, strict=False)[0] or ""
    return guess.startswith("image/") or path.suffix.lower() in IMAGE_SUFFIXES


def _text(name: str) -> str:
    """Return a file name as text that UTF-8 can hold: bytes of another encoding become U+FFFD."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
