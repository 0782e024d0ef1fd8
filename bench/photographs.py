"""Real photographs of 2040x1404 for the measurements: reduced wholes, and parts at full size, of free photographs.

The originals come from Debian's packages lomiri-wallpapers (CC BY, CC BY-SA and CC0), mate-backgrounds and
plasma-workspace-wallpapers (GPL-2+); each package's `copyright` file names the author of each. `photographs.tsv` pins
each by its SHA-256 and says what is cut from it. Nothing is enlarged; parts of one photograph overlap by 3 % at most.
"""

import csv
import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from darkroom.errors import OperatorError

VERSION = 1
WIDTH, HEIGHT = 2040, 1404
TABLE = Path(__file__).with_suffix(".tsv")
FETCH_SECONDS = 600


class PhotographsUnavailable(OperatorError):
    """The photographs are not in the cache and cannot be fetched; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Original:
    """One photograph of a package: whether the whole is used, and the grid of its parts."""

    package: str
    path: str
    sha256: str
    whole: bool
    columns: int
    rows: int

    @property
    def name(self) -> str:
        """A name of its own: the file's, or that of the folder that is named after the picture."""
        path = Path(self.path)
        return path.stem if path.parent.name != "images" else path.parents[2].name


def photographs(cache: Path, progress: Callable[[str], None], folder: Path | None = None) -> list[Path]:
    """Return JPEG files of 2040x1404 (quality 92, 4:2:0), sorted; or those in a folder of the user's, as they are.

    Raises:
        PhotographsUnavailable: they cannot be fetched, or the user's folder has none.
    """
    if folder is not None:
        return _found(folder)
    made = cache / f"bench-photographs-{VERSION}"
    if not made.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as temporary:
            _make(Path(temporary), progress)
            Path(temporary, "made").rename(made)
    return _found(made)


def _found(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    if not found:
        message = f"{folder} has no JPEG files"
        raise PhotographsUnavailable(message)
    return found


def _make(temporary: Path, progress: Callable[[str], None]) -> None:
    originals = _originals()
    (temporary / "made").mkdir()
    for package in dict.fromkeys(original.package for original in originals):
        progress(f"photographs: fetching the package {package}")
        wanted = [original for original in originals if original.package == package]
        for original, data in _unpack(_download(package, temporary), wanted):
            progress(f"photographs: cutting {original.name}")
            for part, picture in _cuts(original, data):
                picture.save(temporary / "made" / f"{original.name}-{part}.jpg", quality=92, subsampling="4:2:0")


def _originals() -> list[Original]:
    with TABLE.open(encoding="utf-8", newline="") as table:
        return [
            Original(row["package"], row["path"], row["sha256"], row["whole"] == "1", *_grid(row))
            for row in csv.DictReader(table, delimiter="\t")
        ]


def _grid(row: dict[str, str]) -> tuple[int, int]:
    return int(row["columns"]), int(row["rows"])


def _download(package: str, temporary: Path) -> Path:
    folder = temporary / package
    folder.mkdir()
    _run("apt-get", "download", "--quiet", package, folder=folder)
    return next(folder.glob("*.deb"))


def _unpack(package: Path, wanted: list[Original]) -> Iterator[tuple[Original, bytes]]:
    archive = package.with_suffix(".tar")
    archive.write_bytes(_run("dpkg-deb", "--fsys-tarfile", str(package), folder=package.parent))
    with tarfile.open(archive) as files:
        for original in wanted:
            data = _member(files, f"./{original.path}")
            if hashlib.sha256(data).hexdigest() != original.sha256:
                raise PhotographsUnavailable(_remedy(f"{package.name} has not the {original.path} that was pinned"))
            yield original, data


def _member(files: tarfile.TarFile, name: str) -> bytes:
    try:
        member = files.extractfile(name)
    except KeyError:
        return b""
    return member.read() if member else b""


def _cuts(original: Original, data: bytes) -> Iterator[tuple[str, Image.Image]]:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    if original.whole:
        yield "whole", _whole(picture)
    for row in range(original.rows):
        for column in range(original.columns):
            left = _offset(picture.width - WIDTH, column, original.columns)
            top = _offset(picture.height - HEIGHT, row, original.rows)
            yield f"{row}{column}", picture.crop((left, top, left + WIDTH, top + HEIGHT))


def _whole(picture: Image.Image) -> Image.Image:
    scale = min(picture.width / WIDTH, picture.height / HEIGHT)
    width, height = int(WIDTH * scale), int(HEIGHT * scale)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    box = (left, top, left + width, top + height)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=box)


def _offset(spare: int, number: int, count: int) -> int:
    return spare // 2 if count == 1 else spare * number // (count - 1)


def _run(program: str, *arguments: str, folder: Path) -> bytes:
    found = shutil.which(program)
    if found is None:
        raise PhotographsUnavailable(_remedy(f"there is no {program} here"))
    try:
        done = subprocess.run([found, *arguments], cwd=folder, capture_output=True, timeout=FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PhotographsUnavailable(_remedy(f"{program} did not end within {FETCH_SECONDS} s")) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise PhotographsUnavailable(_remedy(f"{program}: {said[-1]}"))
    return done.stdout


def _remedy(cause: str) -> str:
    return (
        f"the photographs cannot be fetched: {cause}. On Debian, `apt-get update` renews the list of packages;"
        " elsewhere, name a folder of JPEG photographs with `--photographs FOLDER`"
    )
