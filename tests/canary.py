"""Secrets that sing: random strings, found again wherever they are, also encoded or in an archive."""

import base64
import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil


@dataclass(frozen=True, slots=True)
class Canaries:
    """Secrets by what they are."""

    secrets: Mapping[str, str]

    def in_bytes(self, data: bytes) -> set[str]:
        """Return which of the secrets are in some bytes, or in the files of an archive."""
        found = {name for name, secret in self.secrets.items() if any(form in data for form in forms(secret))}
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                found = found.union(*(self.in_bytes(archive.read(member)) for member in archive.namelist()))
        return found

    def in_text(self, text: str) -> set[str]:
        """Return which of the secrets are in a text."""
        return self.in_bytes(text.encode("utf-8", "surrogateescape"))

    def in_folder(self, folder: Path) -> dict[str, set[str]]:
        """Return the secrets by the file that holds them, with its name among what is looked at."""
        # rglob would end with an error when a part removes a folder meanwhile
        every = sorted(Path(place, name) for place, _, names in os.walk(folder) for name in names)
        files = (path for path in every if path.is_file())
        found = {str(path): self.in_bytes(_read(path)) | self.in_text(str(path)) for path in files}
        return {path: names for path, names in found.items() if names}

    def in_processes(self, processes: list[psutil.Process]) -> dict[str, set[str]]:
        """Return the secrets by the process whose command line or environment holds them."""
        found: dict[str, set[str]] = {}
        for process in processes:
            for what, text in _seen_of(process):
                if names := self.in_text(text):
                    found[f"{what} of {process.pid}"] = names
        return found


def forms(secret: str) -> Iterator[bytes]:
    """Yield how a secret may be written: plain, in UTF-16, percent-encoded, hexadecimal, in base64 at any offset."""
    raw = secret.encode()
    yield raw
    yield secret.encode("utf-16-le")
    yield secret.encode("utf-16-be")
    yield quote(secret, safe="").encode()
    yield raw.hex().encode()
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * offset + raw)
            yield encoded[4 if offset else 0 : len(encoded) - 4]  # without the characters that neighbours share


def _seen_of(process: psutil.Process) -> Iterator[tuple[str, str]]:
    try:
        yield "command line", "\0".join(process.cmdline())
        yield "environment", "\0".join(f"{name}={value}" for name, value in process.environ().items())
    except psutil.Error:
        return


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a part removed it meanwhile
        return b""
