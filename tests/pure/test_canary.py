"""The control of the search for secrets: it finds what is planted, in every form, and nothing else."""

import base64
import io
import os
import secrets
import subprocess
import sys
import zipfile
from pathlib import Path

import psutil
import pytest

from tests.canary import Canaries, forms

SECRET = secrets.token_urlsafe(24)
CANARIES = Canaries({"password": SECRET, "other": secrets.token_urlsafe(24)})


@pytest.mark.parametrize("number", range(len(list(forms(SECRET)))))
def test_a_secret_is_found_in_every_form(number: int) -> None:
    assert CANARIES.in_bytes(b"before" + list(forms(SECRET))[number] + b"after") == {"password"}


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zz", "zzz"])
def test_a_secret_is_found_in_base64_with_any_neighbours(before: str, after: str) -> None:
    text = f"{before}{SECRET}{after}".encode()
    assert CANARIES.in_bytes(base64.b64encode(text)) == {"password"}
    assert CANARIES.in_bytes(base64.urlsafe_b64encode(text)) == {"password"}


def test_a_secret_is_found_in_an_archive_inside_a_folder_and_in_a_file_s_name(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file", "x" * 1000 + SECRET)
    (tmp_path / "deep" / "job.zip").write_bytes(packed.getvalue())
    (tmp_path / SECRET).touch()
    (tmp_path / "clean").write_text("nothing")

    found = CANARIES.in_folder(tmp_path)

    assert {Path(path).name for path in found} == {"job.zip", SECRET}


@pytest.mark.parametrize("place", ["environment", "command line"])
def test_a_secret_of_a_process_is_found(place: str) -> None:
    command = [sys.executable, "-c", "input()", *([SECRET] if place == "command line" else [])]
    environment = {**os.environ, **({"TOKEN": SECRET} if place == "environment" else {})}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
        found = CANARIES.in_processes([psutil.Process(process.pid)])
        process.communicate(b"\n")
    assert found == {f"{place} of {process.pid}": {"password"}}


def test_what_is_no_secret_is_not_found() -> None:
    assert CANARIES.in_bytes(os.urandom(100_000)) == set()
    assert CANARIES.in_text("") == set()
