"""pyvips over HTTP, with the libvips of its binary package: a request per derivative, answered with its bytes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from peer.packages import python_folder
from peer.peer import Place
from peer.servers import Servers, serving
from udfs.imaging.preset import Preset

VERSION = "3.2.0"
PINS = (f"pyvips[binary]=={VERSION}", "pyvips-binary==8.18.7", "urllib3==2.8.0")  # libvips 8.18.7; the store's client
PROGRAM = Path(__file__).with_name("pyvips_server.py")
ENVIRONMENT = {"VIPS_CONCURRENCY": "1"}  # a thread per picture: two processes have both cores busy already


@contextlib.contextmanager
def pyvips(place: Place, folder: Path) -> Iterator[Servers]:
    """Yield two running processes of the server; the log goes into the folder."""
    python = python_folder(f"pyvips-{VERSION}", PINS) / "bin" / "python"

    def command(port: int) -> list[str]:
        return [str(python), "-P", str(PROGRAM), str(port), f"{place.endpoint}/{place.images}"]

    def path(key: str, preset: Preset) -> str:
        box = f"{preset.geometry}/{preset.width}x{preset.height}"
        return f"/{box}/{preset.format}/{preset.quality}/{preset.effort or 0}/{key}"

    with serving(f"pyvips {VERSION}", command, path, folder / "pyvips.log", lambda _: ENVIRONMENT) as servers:
        yield servers
