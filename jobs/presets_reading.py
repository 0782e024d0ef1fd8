"""Reads a presets file and the files it names."""

from pathlib import Path

from jobs.assets import AssetFolder
from udfs.imaging.errors import PresetsError
from udfs.imaging.presets import Presets, parse_presets


def read_presets(path: Path) -> Presets:
    """Return the presets of a file.

    Raises:
        OSError: the file cannot be read.
        PresetsError: its problems, all of them.
    """
    data = path.read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PresetsError([f"{path}, line {line}: not UTF-8; save the file as UTF-8"]) from error
    return parse_presets(text, str(path), AssetFolder(path.parent).read)
