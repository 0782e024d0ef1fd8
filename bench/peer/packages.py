"""Fetches what a peer needs from its package registry, once, into a folder of the cache that its pins name."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from darkroom.console import remarks
from darkroom.errors import OperatorError
from darkroom.stack.layout import cache_from


def python_folder(name: str, pins: Sequence[str]) -> Path:
    """Return a virtual environment that has these packages.

    Raises:
        OperatorError: they cannot be installed.
    """

    def fill(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *pins])

    return _filled(name, pins, fill)


def node_folder(name: str, pins: Sequence[str]) -> Path:
    """Return a folder with `node_modules` that has these packages.

    Raises:
        OperatorError: there is no npm, or they cannot be installed.
    """

    def fill(folder: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            message = "npm is not on the PATH; install Node.js 20 or newer"
            raise OperatorError(message)
        folder.mkdir()
        _run([npm, "install", "--prefix", str(folder), "--silent", "--no-audit", "--no-fund", *pins])

    return _filled(name, pins, fill)


def _filled(name: str, pins: Sequence[str], fill: Callable[[Path], None]) -> Path:
    folder = cache_from(os.environ).path / "bench" / name
    marker, wanted = folder / ".pins", "\n".join(pins)
    if not marker.exists() or marker.read_text("utf-8") != wanted:
        remarks().print(f"Fetching {', '.join(pins)} ...", style="dim")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        fill(folder)
        marker.write_text(wanted, "utf-8")
    return folder


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        message = f"`{' '.join(command)}` failed: {words[-1] if words else f'status {done.returncode}'}"
        raise OperatorError(message)
