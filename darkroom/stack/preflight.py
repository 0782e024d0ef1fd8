"""Everything that would keep the stack from starting, found before anything starts and told together.

A check returns its problems as sentences that name the remedy; none of them changes anything.
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from darkroom.stack import pins, ports
from darkroom.stack.fetch import find_minio, find_toxiproxy
from darkroom.stack.layout import Cache, Home
from darkroom.stack.plan import listening_ports
from darkroom.stack.record import PartName, StackRecord

GIB = 1024**3
HOME_NEEDS_BYTES = 2 * GIB  # Kafka's segments, MinIO's objects and the logs of a demonstration
JARS_NEED_BYTES = GIB  # Kafka 55 MB, Flink 360 MB, and Maven's own copies
TOXIPROXY_NEEDS_BYTES = GIB // 2  # Go's module and build caches
MINIO_NEEDS_BYTES = 4 * GIB  # Go's module cache 1.2 GB and build cache 1 GB besides the binary
PORT_OWNERS = {"kafka": "Kafka", "s3": "MinIO", "s3-console": "MinIO's console", "flink": "Flink's web interface"}


def find_problems(record: StackRecord, home: Home, cache: Cache, environment: Mapping[str, str]) -> list[str]:
    """Return the problems of a stack about to be started from nothing; an empty list is the permission to start."""
    problems = flag_problems(record)
    problems += path_problems({"DARKROOM_HOME": home.path, "DARKROOM_CACHE": cache.path})
    problems += port_problems(listening_ports(record))
    if record.runs("kafka") or record.runs("jobmanager"):
        problems += java_problems(environment)
    problems += fetch_problems(record, cache, environment)
    problems += disk_problems(disk_needs(record, home, cache))
    if not record.runs("minio") and not record.credentials_file.exists():
        problems.append(
            f"DARKROOM_S3_ENDPOINT names a store, but there are no credentials at {record.credentials_file}: "
            "write an AWS shared-credentials file and name it in AWS_SHARED_CREDENTIALS_FILE."
        )
    return problems


def flag_problems(record: StackRecord) -> list[str]:
    """Return a sentence for each flag that needs a part here which runs elsewhere."""
    problems = []
    if record.runs("zookeeper") and not record.runs("jobmanager"):
        problems.append("--high-availability is for a Flink that runs here: unset DARKROOM_FLINK_URL.")
    if record.runs("toxiproxy") and not all(record.runs(part) for part in ("kafka", "minio", "jobmanager")):
        problems.append(
            "--proxied is for parts that run here: "
            "unset DARKROOM_KAFKA_BOOTSTRAP, DARKROOM_S3_ENDPOINT and DARKROOM_FLINK_URL."
        )
    return problems


def address_problems(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each address in the environment that cannot be one."""
    problems = []
    brokers = environment.get("DARKROOM_KAFKA_BOOTSTRAP")
    if brokers and not all(re.fullmatch(r"\S+:\d+", broker) for broker in brokers.split(",")):
        problems.append(f"DARKROOM_KAFKA_BOOTSTRAP={brokers} is not host:port: write for example 127.0.0.1:9092.")
    for name in ("DARKROOM_S3_ENDPOINT", "DARKROOM_FLINK_URL"):
        url = environment.get(name)
        if url and "@" in url:
            problems.append(f"{name} has a user or a password in it: keep credentials in AWS_SHARED_CREDENTIALS_FILE.")
        elif url and not re.fullmatch(r"https?://[^/\s]+/?", url):
            problems.append(f"{name}={url} is not a URL of a host: write for example http://127.0.0.1:9000.")
    return problems


def path_problems(folders: Mapping[str, Path]) -> list[str]:
    """Return a sentence for each folder that Flink's and Kafka's start scripts would take apart."""
    return [
        f"{folder} has a character that Flink's start scripts cannot take: set {variable} to a folder whose path has "
        "only letters, digits and ._-+@/."
        for variable, folder in folders.items()
        if not re.fullmatch(r"[\w./+@-]+", str(folder))
    ]


def port_problems(wanted: Mapping[str, int]) -> list[str]:
    """Return a sentence for each port that is taken or wanted twice; keys are the names used in the options."""
    counts = Counter(wanted.values())
    problems = [
        f"Port {port} is asked for {count} times ({', '.join(PORT_OWNERS[n] for n in wanted if wanted[n] == port)}): "
        "give each its own."
        for port, count in counts.items()
        if count > 1
    ]
    for name, port in wanted.items():
        if not ports.is_free(port):
            variable = f"DARKROOM_{name.upper().replace('-', '_')}_PORT"
            problems.append(
                f"Port {port} for {PORT_OWNERS[name]} is taken by {ports.holder(port)}: "
                f"end it, or choose another port with --{name}-port or {variable}."
            )
    return problems


def java_problems(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence if there is no Java, or too old a one."""
    remedy = (
        f"install a JDK {pins.JAVA_MINIMUM} (Debian: apt-get install openjdk-{pins.JAVA_MINIMUM}-jdk-headless) "
        "or point JAVA_HOME at one."
    )
    java = find_java(environment)
    if java is None:
        return [f"Kafka and Flink need Java {pins.JAVA_MINIMUM} or newer, and there is none: {remedy}"]
    major = java_major(java)
    if major is None:
        return [f"{java} does not tell its version: {remedy}"]
    if major < pins.JAVA_MINIMUM:
        return [f"{java} is Java {major}, and Kafka needs {pins.JAVA_MINIMUM} or newer: {remedy}"]
    return []


def find_java(environment: Mapping[str, str]) -> Path | None:
    """Return the Java to run: JAVA_HOME's, which Flink's scripts also prefer, or the PATH's."""
    java_home = environment.get("JAVA_HOME")
    found = shutil.which("java", path=f"{java_home}/bin" if java_home else environment.get("PATH", os.defpath))
    return Path(found) if found else None


def java_major(java: Path) -> int | None:
    """Return the major version that `java -version` tells; "1.8.0" is 8."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(match.group(1)) if match else None


def fetch_problems(record: StackRecord, cache: Cache, environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each tool that is missing although something has to be fetched with it."""
    path = environment.get("PATH", os.defpath)
    problems = []
    if missing_jars(record, cache) and not shutil.which("mvn", path=path):
        problems.append(
            "Maven is needed to fetch Kafka and Flink's connectors, once: "
            "install it (Debian: apt-get install maven) and run `darkroom up` again."
        )
    if record.runs("minio") and find_minio(cache) is None:
        problems += go_problems(
            "MinIO", "put a `minio` on the PATH, or set DARKROOM_S3_ENDPOINT to a store that runs.", path
        )
    if record.runs("toxiproxy") and find_toxiproxy(cache) is None:
        problems += go_problems("Toxiproxy", "or put a `toxiproxy-server` on the PATH.", path)
    return problems


def go_problems(what: str, otherwise: str, path: str) -> list[str]:
    """Return a sentence if a server written in Go cannot be built here; `otherwise` ends the remedy."""
    remedy = f"install Go {'.'.join(map(str, pins.GO_MINIMUM))} or newer, {otherwise}"
    go = shutil.which("go", path=path)
    if go is None:
        return [f"Go is needed to build {what}, once: {remedy}"]
    told = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30, check=False).stdout
    match = re.search(r"go(\d+)\.(\d+)", told)
    if match is None or (int(match.group(1)), int(match.group(2))) < pins.GO_MINIMUM:
        return [f"{go} is too old to build {what} ({told.strip() or 'no version told'}): {remedy}"]
    return []


def missing_jars(record: StackRecord, cache: Cache) -> bool:
    """Tell whether Maven has something to fetch."""
    wanted: dict[PartName, Path] = {"kafka": cache.kafka, "jobmanager": cache.flink, "zookeeper": cache.zookeeper}
    return any(record.runs(part) and not folder.exists() for part, folder in wanted.items())


def disk_needs(record: StackRecord, home: Home, cache: Cache) -> list[tuple[Path, int]]:
    """Return what a start will write, as folders and bytes."""
    needs = [(home.path, HOME_NEEDS_BYTES)]
    if missing_jars(record, cache):
        needs.append((cache.path, JARS_NEED_BYTES))
    if record.runs("minio") and find_minio(cache) is None:
        needs.append((cache.path, MINIO_NEEDS_BYTES))
    if record.runs("toxiproxy") and find_toxiproxy(cache) is None:
        needs.append((cache.path, TOXIPROXY_NEEDS_BYTES))
    return needs


def disk_problems(needs: Iterable[tuple[Path, int]]) -> list[str]:
    """Return a sentence for each file system with less room than all its folders need together."""
    wanted: dict[int, tuple[Path, int]] = {}
    for folder, size in needs:
        existing = next(place for place in (folder, *folder.parents) if place.exists())
        first, total = wanted.get(existing.stat().st_dev, (existing, 0))
        wanted[existing.stat().st_dev] = (first, total + size)
    return [
        f"The disk of {place} has {shutil.disk_usage(place).free / GIB:.1f} GiB free and {size / GIB:.1f} GiB are "
        "needed: make room, or move the stack with DARKROOM_HOME and the cache with DARKROOM_CACHE."
        for place, size in wanted.values()
        if shutil.disk_usage(place).free < size
    ]
