"""sharp on Node.js: one script that fetches each source from the store, decodes it once and stores what it makes.

Of three ways to make four derivatives the fastest is measured; sharp_script.cjs names the slower ones.
"""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path
from typing import IO, Final, cast

from equivalence import Made
from minio import Minio
from minio.credentials.providers import AWSConfigProvider

from darkroom.errors import OperatorError
from darkroom.storage import connect
from darkroom.target import Target
from peer.packages import node_folder
from peer.peer import Developed, Place
from udfs.imaging.preset import Preset

VERSION = "0.35.5"
PINS = (f"sharp@{VERSION}", "minio@8.0.7")  # the S3 client by the makers of the store
PROGRAM = Path(__file__).with_name("sharp_script.cjs")
IN_FLIGHT = 4
THREADS = 4  # of libuv: where sharp renders
END_SECONDS = 10.0
RECIPE: Final = {"name", "geometry", "width", "height", "format", "quality", "effort"}


@dataclass(frozen=True, slots=True)
class Sharp:
    """The running script."""

    tasks: IO[str]
    answers: IO[str]
    store: Minio
    place: Place
    name: str = f"sharp {VERSION}"
    _turns: Iterator[int] = field(default_factory=count)

    def develop(self, keys: Sequence[str], presets: Sequence[Preset]) -> Developed:
        """Have every derivative made and stored.

        Raises:
            OperatorError: the script failed.
        """
        started = time.monotonic()
        self._perform(f"sharp/{next(self._turns)}", keys, presets)
        return Developed(len(keys), len(keys) / (time.monotonic() - started))

    def made(self, keys: Sequence[str], presets: Sequence[Preset]) -> Made:
        """Have every derivative made and stored, and return their bytes."""
        folder = "sharp/made"
        self._perform(folder, keys, presets)
        return {
            (key, preset.name): self._read(f"{folder}/{number}/{preset.name}")
            for (number, key), preset in product(enumerate(keys), presets)
        }

    def _perform(self, folder: str, keys: Sequence[str], presets: Sequence[Preset]) -> None:
        task = {"folder": folder, "keys": list(keys), "presets": [one.model_dump(include=RECIPE) for one in presets]}
        with contextlib.suppress(BrokenPipeError):
            self.tasks.write(json.dumps(task) + "\n")
            self.tasks.flush()
        answer = self.answers.readline()
        if error := json.loads(answer).get("error") if answer else "it ended; its words are in sharp.log":
            message = f"the sharp script failed: {error}"
            raise OperatorError(message)

    def _read(self, key: str) -> bytes:
        answer = self.store.get_object(self.place.stored, key)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()


@contextlib.contextmanager
def sharp(place: Place, target: Target, folder: Path) -> Iterator[Sharp]:
    """Yield the running script; what it says goes into the folder.

    Raises:
        OperatorError: there is no Node.js, or a package cannot be installed.
    """
    node = shutil.which("node")
    if node is None:
        message = "node is not on the PATH; install Node.js 20 or newer"
        raise OperatorError(message)
    modules = node_folder(f"sharp-{VERSION}", PINS) / "node_modules"
    with (folder / "sharp.log").open("wb") as words:
        process = subprocess.Popen(
            [node, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            env={**os.environ, **_environment(place, target), "NODE_PATH": str(modules)},
        )
        tasks, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
        try:
            yield Sharp(tasks, answers, connect(target), place)
        finally:
            process.terminate()
            process.communicate(timeout=END_SECONDS)


def _environment(place: Place, target: Target) -> dict[str, str]:
    credentials = AWSConfigProvider(str(target.credentials_file), "default").retrieve()
    return {
        "ENDPOINT": place.endpoint,
        "REGION": place.region,
        "IMAGES": place.images,
        "STORED": place.stored,
        "ACCESS_KEY": credentials.access_key,
        "SECRET_KEY": credentials.secret_key,
        "IN_FLIGHT": str(IN_FLIGHT),
        "UV_THREADPOOL_SIZE": str(THREADS),
    }
