"""Filling the cache with small scripts in place of Maven and Go: a part is complete or absent."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from darkroom.stack import pins
from darkroom.stack.errors import FetchError
from darkroom.stack.fetch import fetch_kafka, fetch_minio, find_minio
from darkroom.stack.layout import Cache
from darkroom.stack.progress import Reporter
from tests.live_stack import eventually

WRITE_A_JAR = 'for a in "$@"; do case $a in -DoutputDirectory=*) touch "${a#*=}/kafka.jar";; esac; done'


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def reporter(said: io.StringIO) -> Reporter:
    return Reporter(Console(file=said))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def tool(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def parts(cache: Cache) -> list[str]:
    return sorted(path.name for path in cache.path.iterdir() if path != cache.logs)


def test_a_complete_fetch_becomes_the_part(tools: Path, cache: Cache, reporter: Reporter, said: io.StringIO) -> None:
    tool(tools, "mvn", f'echo "$@"; {WRITE_A_JAR}')

    fetch_kafka(cache, reporter)

    assert [path.name for path in cache.kafka.iterdir()] == ["kafka.jar"]
    arguments = (cache.logs / "maven-kafka-pom.log").read_text()
    assert "--strict-checksums" in arguments
    assert f"-Dkafka.version={pins.KAFKA}" in arguments
    assert said.getvalue().splitlines()[0] == f"Fetching Kafka {pins.KAFKA} ..."


def test_a_failed_fetch_leaves_no_part_and_names_its_log(tools: Path, cache: Cache, reporter: Reporter) -> None:
    tool(tools, "mvn", f"{WRITE_A_JAR}; echo no network; exit 7")

    with pytest.raises(FetchError, match=r"ended with status 7; its reason is in .*maven-kafka-pom\.log"):
        fetch_kafka(cache, reporter)

    assert parts(cache) == []
    assert (cache.logs / "maven-kafka-pom.log").read_text() == "no network\n"


def test_an_interrupted_fetch_leaves_no_part_and_no_process(tools: Path, cache: Cache) -> None:
    tool(tools, "mvn", f"{WRITE_A_JAR}; sleep 60 & echo $$ $!; wait")
    code = (
        "import sys; from pathlib import Path; from rich.console import Console;"
        "from darkroom.stack.fetch import fetch_kafka; from darkroom.stack.layout import Cache;"
        "from darkroom.stack.progress import Reporter; fetch_kafka(Cache(Path(sys.argv[1])), Reporter(Console()))"
    )
    command = [sys.executable, "-c", code, str(cache.path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as fetching:
        pids = wait_for_pids(cache.logs / "maven-kafka-pom.log")
        fetching.send_signal(signal.SIGINT)
        assert fetching.wait(60) != 0

    assert parts(cache) == []
    eventually(lambda: not any(map(is_running, pids)), "all have ended", lambda: [p for p in pids if is_running(p)], 30)


def test_minio_is_built_from_its_pinned_module(tools: Path, cache: Cache, reporter: Reporter) -> None:
    tool(tools, "go", 'echo "$@"; touch "$GOBIN/minio"')
    assert find_minio(cache) is None

    fetch_minio(cache, reporter)

    assert find_minio(cache) == cache.minio / "minio"
    assert (cache.logs / "go-minio.log").read_text() == f"install {pins.MINIO_MODULE}@{pins.MINIO}\n"


def test_a_minio_on_the_path_is_used_instead(tools: Path, cache: Cache) -> None:
    tool(tools, "minio", "true")

    assert find_minio(cache) == tools / "minio"


def wait_for_pids(log: Path) -> list[int]:
    """Return the pids that the script has written; at most 40 seconds."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if log.exists() and log.read_text().endswith("\n"):
            return [int(word) for word in log.read_text().split()]
        time.sleep(0.05)
    pytest.fail("the script did not start within 40 s")


def is_running(pid: int) -> bool:
    """Tell whether the process runs; a zombie that nobody reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" and os.path.exists(f"/proc/{pid}")
    except (FileNotFoundError, ProcessLookupError):
        return False
