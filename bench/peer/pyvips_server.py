"""The simplest image server on pyvips: GET /GEOMETRY/WIDTHxHEIGHT/FORMAT/QUALITY/EFFORT/KEY; runs in its own venv.

python pyvips_server.py PORT URL_OF_THE_BUCKET
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyvips
import urllib3

CONNECTIONS = 8


class Handler(BaseHTTPRequestHandler):
    """Fetches the source, shrinks it while it is decoded, and answers with the derivative."""

    store = urllib3.PoolManager(maxsize=CONNECTIONS)
    bucket_url: str

    def do_GET(self) -> None:
        """Answer with one derivative."""
        _, geometry, box, format_, quality, effort, key = self.path.split("/", 6)
        source = self.store.request("GET", f"{self.bucket_url}/{key}").data
        width, height = map(int, box.split("x"))
        crop = {"crop": "centre"} if geometry == "cover" else {}
        image = pyvips.Image.thumbnail_buffer(source, width, height=height, size="down", **crop)
        options: dict[str, Any] = {"effort": int(effort)} if format_ == "webp" else {}
        data = image.write_to_buffer(f".{format_}", Q=int(quality), keep="none", **options)
        self.send_response(200)
        self.send_header("Content-Type", f"image/{format_}")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing of requests that went well."""


if __name__ == "__main__":
    port, Handler.bucket_url = int(sys.argv[1]), sys.argv[2]
    pyvips.cache_set_max(0)  # every source is new
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
