"""Small disks in memory that a run may fill: the real disk is never touched."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
SIZE_MIB = 1536
FILLER = ".filler"


class NoDiskError(Exception):
    """A small disk could not be mounted; the message says how to do without."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A tmpfs mounted on a folder."""

    path: Path

    def fill(self) -> int:
        """Take all that is free, and return how many bytes the file that takes it has; may be called again."""
        with (self.path / FILLER).open("ab") as filler:
            while free := self.free_bytes():
                try:
                    os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), free)
                except OSError:
                    continue  # somebody else was faster: less is free now
            return filler.seek(0, os.SEEK_END)

    def free(self) -> None:
        """Give back what was taken."""
        (self.path / FILLER).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Return how much can still be written."""
        told = os.statvfs(self.path)
        return told.f_bavail * told.f_frsize


@contextmanager
def small_disks(*folders: Path) -> Iterator[dict[str, SmallDisk]]:
    """Mount a small disk on each folder, by the folder's name, and unmount it at the end whatever happens.

    Raises:
        NoDiskError: this user or this kernel does not mount.
    """
    mounted: dict[str, SmallDisk] = {}
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            _mount(folder)
            mounted[folder.name] = SmallDisk(folder)
        yield mounted
    finally:
        for disk in mounted.values():
            subprocess.run(["umount", str(disk.path)], check=True)


def _mount(folder: Path) -> None:
    options = f"size={SIZE_MIB}m,mode=0700"
    told = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "darkroom-chaos", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        message = f"no small disk on {folder} ({told.stderr.strip()}): be root, or leave out --without disk-full"
        raise NoDiskError(message)
