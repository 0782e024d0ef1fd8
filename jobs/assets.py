"""The files that presets name, read from the folder of the presets file and from nowhere else."""

import errno
import stat
from pathlib import Path, PurePosixPath
from typing import Final

MAX_ASSET_BYTES: Final = 4 * 1024 * 1024
MAX_ASSETS_BYTES: Final = 8 * 1024 * 1024  # of one presets file; they travel with the job to every worker


class AssetFolder:
    """Reads the files of one folder, each once.

    A link inside the folder is followed when it ends inside the folder: a mounted ConfigMap consists of such links.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, bytes] = {}

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: it cannot be read, is too large or lies elsewhere; `strerror` says which.
        """
        if name not in self._read:
            self._read[name] = self._content(name)
        return self._read[name]

    def _content(self, name: str) -> bytes:
        path = self._inside(name)
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is not a file", name)
        with path.open("rb") as file:
            data = file.read(MAX_ASSET_BYTES + 1)
        if len(data) > MAX_ASSET_BYTES:
            raise OSError(errno.EFBIG, f"it has more than {MAX_ASSET_BYTES} bytes", name)
        if sum(map(len, self._read.values())) + len(data) > MAX_ASSETS_BYTES:
            raise OSError(
                errno.EFBIG, f"the files of all presets together have more than {MAX_ASSETS_BYTES} bytes", name
            )
        return data

    def _inside(self, name: str) -> Path:
        parts = PurePosixPath(name).parts
        plain = name.isprintable() and "\\" not in name and not name.startswith("/") and ".." not in parts
        if not (parts and plain):
            raise OSError(errno.EACCES, "name a file beside the presets file, such as logo.png or marks/logo.png", name)
        try:
            path = (self._folder / name).resolve(strict=True)
        except FileNotFoundError as error:
            raise OSError(errno.ENOENT, "there is no such file in the folder of the presets file", name) from error
        if not path.is_relative_to(self._folder.resolve()):
            raise OSError(errno.EACCES, "it is a link to a place outside the folder of the presets file", name)
        return path
