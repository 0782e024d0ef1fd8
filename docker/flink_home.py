"""Assembles the image's Flink home in the folder it is given, just as `darkroom up` does for the local stack."""

import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from darkroom.stack.fetch import fetch_flink
from darkroom.stack.layout import Cache
from darkroom.stack.progress import Reporter


def assemble(folder: Path) -> None:
    """Fetch the connectors and put them into a copy of the distribution that the apache-flink package brings."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = Cache(Path(scratch))
        fetch_flink(cache, Reporter(Console()))
        shutil.move(cache.flink, folder)


if __name__ == "__main__":
    assemble(Path(sys.argv[1]))
