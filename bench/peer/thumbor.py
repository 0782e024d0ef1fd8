"""thumbor over HTTP: it fetches the source from the store by its HTTP loader and answers with the derivative."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from peer.packages import python_folder
from peer.peer import Place
from peer.servers import HOST, Servers, serving
from udfs.imaging.preset import Preset

VERSION = "7.8.0"
PINS = (f"thumbor=={VERSION}", "pillow==12.3.0", "tornado==6.6.1")  # what it renders with, and what it serves with

# Nothing is cached: every picture is asked for as if for the first time. Baseline JPEG, as everyone else makes.
SETTINGS = """
ALLOW_UNSAFE_URL = True
LOADER = "thumbor.loaders.http_loader"
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = "thumbor.result_storages.no_storage"
PROGRESSIVE_JPEG = False
"""


@contextlib.contextmanager
def thumbor(place: Place, folder: Path) -> Iterator[Servers]:
    """Yield two running processes of it; settings and log go into the folder."""
    program = python_folder(f"thumbor-{VERSION}", PINS) / "bin" / "thumbor"
    settings = folder / "thumbor.conf"
    settings.write_text(SETTINGS, "utf-8")

    def command(port: int) -> list[str]:
        return [str(program), "--ip", HOST, "--port", str(port), "--conf", str(settings), "--log-level", "error"]

    def path(key: str, preset: Preset) -> str:
        fit = "" if preset.geometry == "cover" else "fit-in/"
        filters = f"filters:quality({preset.quality}):format({preset.format})"
        source = quote(f"{place.endpoint}/{place.images}/{key}", safe="")
        return f"/unsafe/{fit}{preset.width}x{preset.height}/{filters}/{source}"

    with serving(f"thumbor {VERSION}", command, path, folder / "thumbor.log") as servers:
        yield servers
