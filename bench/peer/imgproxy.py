"""imgproxy over HTTP, where somebody has installed it: it fetches the source from the store itself."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from darkroom.console import remarks
from peer.peer import Place
from peer.servers import HOST, Servers, serving
from udfs.imaging.preset import Preset


@contextlib.contextmanager
def imgproxy(place: Place, folder: Path) -> Iterator[Servers | None]:
    """Yield two running processes of it, or None when it is not on the PATH; the log goes into the folder."""
    program = shutil.which("imgproxy")
    if program is None:
        remarks().print("imgproxy is not on the PATH: left out", style="dim")
        yield None
        return

    def path(key: str, preset: Preset) -> str:
        kind = "fill" if preset.geometry == "cover" else "fit"
        options = f"rs:{kind}:{preset.width}:{preset.height}:0/q:{preset.quality}"
        return f"/insecure/{options}/plain/{place.endpoint}/{place.images}/{key}@{preset.format}"

    def environment(port: int) -> dict[str, str]:
        settings = {"BIND": f"{HOST}:{port}", "WORKERS": "1", "ALLOW_LOOPBACK_SOURCE_ADDRESSES": "true"}
        return {f"IMGPROXY_{name}": value for name, value in settings.items()}

    with serving("imgproxy", lambda _: [program], path, folder / "imgproxy.log", environment) as servers:
        yield servers
