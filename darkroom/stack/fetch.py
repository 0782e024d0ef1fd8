"""Fills the cache: jars by Maven, servers in Go by Go, the Flink distribution from the apache-flink package.

Every part is made in a temporary folder beside its place and renamed, so a part is complete or absent.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from darkroom.stack import pins
from darkroom.stack.errors import FetchError
from darkroom.stack.layout import Cache
from darkroom.stack.progress import Reporter

HERE = Path(__file__).parent
FLINK_FOLDERS = ("bin", "lib", "opt", "plugins", "conf", "licenses")
POLITE_END_SECONDS = 5
TOXIPROXY_BINARY = "toxiproxy-server"  # its name in packages; Go calls it after its folder, "server"


def fetch_kafka(cache: Cache, reporter: Reporter) -> None:
    """Fetch the broker and its console tools."""
    with reporter.step(f"Fetching Kafka {pins.KAFKA}"), _atomic_folder(cache.kafka) as folder:
        _copy_dependencies("kafka-pom.xml", folder, cache, {"kafka.version": pins.KAFKA, "log4j.version": pins.LOG4J})


def fetch_flink(cache: Cache, reporter: Reporter) -> None:
    """Assemble a Flink home: a real copy, because Flink's scripts do not follow symbolic links."""
    versions = {"connector.version": pins.CONNECTOR, "flink.version": pins.FLINK}
    with reporter.step(f"Fetching Flink {pins.FLINK}'s connectors"), _atomic_folder(cache.flink) as folder:
        for name in FLINK_FOLDERS:
            shutil.copytree(_pyflink_folder() / name, folder / name)
        # in lib/ its classes are loaded once; from opt/ every submission would load them again and leak 27 MB
        shutil.copy2(folder / "opt" / f"flink-python-{pins.FLINK}.jar", folder / "lib")
        extras = folder / "extras"
        _copy_dependencies("flink-pom.xml", extras, cache, versions, "-DexcludeTransitive=true")
        shutil.move(extras / f"flink-sql-connector-kafka-{pins.CONNECTOR}.jar", folder / "lib")
        plugin = folder / "plugins" / "s3-fs-native"
        plugin.mkdir()
        shutil.move(extras / f"flink-s3-fs-native-{pins.FLINK}.jar", plugin)
        extras.rmdir()


def fetch_zookeeper(cache: Cache, reporter: Reporter) -> None:
    """Fetch ZooKeeper, for high availability."""
    versions = {
        "zookeeper.version": pins.ZOOKEEPER,
        "metrics.version": pins.ZOOKEEPER_METRICS,
        "snappy.version": pins.ZOOKEEPER_SNAPPY,
        "log4j.version": pins.LOG4J,
    }
    with reporter.step(f"Fetching ZooKeeper {pins.ZOOKEEPER}"), _atomic_folder(cache.zookeeper) as folder:
        _copy_dependencies("zookeeper-pom.xml", folder, cache, versions)


def fetch_minio(cache: Cache, reporter: Reporter) -> None:
    """Build MinIO from its Go module; its upstream publishes no binaries any more."""
    with (
        reporter.step("Building MinIO (about five minutes on two cores, once)"),
        _atomic_folder(cache.minio) as folder,
    ):
        command = ["go", "install", f"{pins.MINIO_MODULE}@{pins.MINIO}"]
        _run("MinIO", command, cache.logs / "go-minio.log", {"GOBIN": str(folder)})


def fetch_toxiproxy(cache: Cache, reporter: Reporter) -> None:
    """Build Toxiproxy from its Go module."""
    with reporter.step("Building Toxiproxy (a quarter of a minute, once)"), _atomic_folder(cache.toxiproxy) as folder:
        command = ["go", "install", f"{pins.TOXIPROXY_MODULE}@{pins.TOXIPROXY}"]
        _run("Toxiproxy", command, cache.logs / "go-toxiproxy.log", {"GOBIN": str(folder)})
        (folder / "server").rename(folder / TOXIPROXY_BINARY)


def find_minio(cache: Cache) -> Path | None:
    """Return the MinIO to run: one on the PATH, or the one in the cache; None if it has to be built."""
    return _on_path_or(cache.minio / "minio")


def find_toxiproxy(cache: Cache) -> Path | None:
    """Return the Toxiproxy to run: one on the PATH, or the one in the cache; None if it has to be built."""
    return _on_path_or(cache.toxiproxy / TOXIPROXY_BINARY)


def _on_path_or(built: Path) -> Path | None:
    on_path = shutil.which(built.name)
    if on_path:
        return Path(on_path)
    return built if built.exists() else None


def _pyflink_folder() -> Path:
    spec = importlib.util.find_spec("pyflink")
    if spec is None or not spec.submodule_search_locations:
        message = "The apache-flink package is not installed in this Python: run `pip install -e .` in the repository."
        raise FetchError(message)
    return Path(next(iter(spec.submodule_search_locations)))


@contextmanager
def _atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder that becomes `target` if the block succeeds and vanishes if it does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as work:
        folder = Path(work) / "part"
        folder.mkdir()
        yield folder
        folder.rename(target)


def _copy_dependencies(pom: str, folder: Path, cache: Cache, versions: Mapping[str, str], *options: str) -> None:
    plugin = f"org.apache.maven.plugins:maven-dependency-plugin:{pins.MAVEN_DEPENDENCY_PLUGIN}"
    command = ["mvn", "--batch-mode", "--strict-checksums", "--file", str(HERE / pom), f"{plugin}:copy-dependencies"]
    command += [f"-D{name}={version}" for name, version in versions.items()]
    command += [f"-DoutputDirectory={folder}", *options]
    _run(pom.removesuffix("-pom.xml").capitalize(), command, cache.logs / f"maven-{pom.removesuffix('.xml')}.log", {})


def _run(what: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
    """Run a tool with its words in `log`; its whole process group ends when we are interrupted."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        try:
            status = process.wait()
        except BaseException:
            _end_group(process)
            raise
    if status != 0:
        message = (
            f"{what} could not be fetched: `{command[0]}` ended with status {status}; "
            f"its reason is in {log}. Check the network and run `darkroom up` again."
        )
        raise FetchError(message)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(POLITE_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
