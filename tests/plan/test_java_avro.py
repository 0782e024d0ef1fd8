"""Apache Avro for Java reads what we write, and we read what it writes."""

import io
import os
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import fastavro
import pytest

from darkroom.stack import pins
from darkroom.stack.layout import cache_from
from schemas.codec import load_schema
from schemas.reasons import Reason
from schemas.record_codecs import Record, RecordCodec, dead_letter_codec, event_codec, status_codec
from schemas.records import (
    DeadLetter,
    Derivative,
    EventKind,
    Failure,
    ImageEvent,
    ImageStatus,
    Outcome,
    Source,
    SourceFacts,
    Stage,
    Timings,
)

JAVA_FOLDER = Path(__file__).parent / "java"
SCHEMAS = Path(__file__).parents[2] / "schemas"
JARS = "java-avro-1.12.0"
DOWNLOAD_LIMIT_SECONDS = 600
JAVA_LIMIT_SECONDS = 120

pytestmark = pytest.mark.timeout(DOWNLOAD_LIMIT_SECONDS + JAVA_LIMIT_SECONDS)

EVENTS = [
    ImageEvent(
        event_id="java-1",
        kind=EventKind.UPLOADED,
        user_id="Zoë 😀",
        image_id="a/b",
        version=2**63 - 1,
        source=Source(bucket="images", key="zoë/a.jpg"),
        presets=("thumb", "large"),
        attributes={"camera": "F3", "": "empty"},
        occurred_at=datetime(2026, 3, 4, 5, 6, 7, 123_000, tzinfo=UTC),
    ),
    ImageEvent(
        event_id="\0",
        kind=EventKind.DELETED,
        user_id="x" * 1024,
        image_id="..",
        version=0,
        occurred_at=datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
]

STATUS = ImageStatus(
    event_id="java-1",
    kind=EventKind.REDERIVE,
    user_id="u",
    image_id="i",
    version=7,
    outcome=Outcome.PARTIAL,
    derivatives=(
        Derivative(
            preset="thumb",
            preset_version=2,
            bucket="derivatives",
            key="u/i/7/thumb-0a1b.webp",
            width=256,
            height=256,
            format="webp",
            bytes=5_000_000_000,
            sha256="ab" * 32,
        ),
    ),
    source=SourceFacts(
        format="jpeg", width=4000, height=3000, bytes=1_234_567, sha256="cd" * 32, frames=1, has_alpha=True
    ),
    failures=(Failure(preset="large", stage=Stage.RENDER, reason=Reason.RENDER_FAILED, message="no memory left"),),
    timings=Timings(fetch_ms=1, render_ms=2, store_ms=3),
    attempts=2,
    job_version="0.1.0",
)

STATUSES = [STATUS] + [
    ImageStatus(
        event_id=outcome,
        kind=EventKind.DELETED,
        user_id="u",
        image_id="i",
        version=1,
        outcome=outcome,
        failures=tuple(Failure(stage=Stage.FETCH, reason=reason, message="é") for reason in Reason),
        job_version="0.1.0",
    )
    for outcome in Outcome
]

DEAD_LETTERS = [
    DeadLetter(
        stage=Stage.DECODE,
        reason=Reason.NOT_AVRO,
        message="no marker",
        payload=b"\x00\xff\xc3\x01",
        payload_bytes=4,
        payload_sha256="ef" * 32,
        job_version="0.1.0",
    ),
    DeadLetter(
        stage=Stage.STORE,
        reason=Reason.INTERNAL_ERROR,
        message="",
        event_id="e-1",
        payload=bytes(range(256)),
        payload_bytes=256,
        payload_sha256="00" * 32,
        job_version="0.1.0",
    ),
]


def tool(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not on the PATH; install a JDK 17 and Maven, this layer is never skipped"
    return path


def run(*command: str, limit_seconds: int, stdin: bytes = b"") -> bytes:
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=limit_seconds, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    return done.stdout


def download(target: Path) -> None:
    """Copy the jars beside their place and rename the folder: it exists either whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        jars = Path(scratch, "jars")
        command = [tool("mvn"), "--batch-mode", "--quiet", "--strict-checksums", "--file", str(JAVA_FOLDER / "pom.xml")]
        plugin = f"org.apache.maven.plugins:maven-dependency-plugin:{pins.MAVEN_DEPENDENCY_PLUGIN}"
        goal = [f"{plugin}:copy-dependencies", f"-DoutputDirectory={jars}"]
        run(*command, *goal, limit_seconds=DOWNLOAD_LIMIT_SECONDS)
        try:
            jars.rename(target)
        except OSError:
            assert target.is_dir(), f"{target} cannot be made"  # another run was first


@pytest.fixture(scope="session")
def class_path(pytestconfig) -> str:
    target = cache_from(os.environ).path / JARS
    if not target.is_dir():
        pytestconfig.pluginmanager.getplugin("terminalreporter").write_line(f"\nfetching Apache Avro into {target} ...")
        download(target)
    return f"{target}/*"


@pytest.fixture(scope="session")
def avro_java(class_path):
    def call(*arguments: str, stdin: bytes = b"") -> list[bytes]:
        command = [
            tool("java"),
            "-Dfile.encoding=UTF-8",
            "-cp",
            class_path,
            str(JAVA_FOLDER / "AvroInterop.java"),
            *arguments,
        ]
        return run(*command, limit_seconds=JAVA_LIMIT_SECONDS, stdin=stdin).splitlines()

    return call


def from_avro_json(line: bytes, schema: str, codec: RecordCodec[Record]) -> Record:
    [record] = fastavro.json_reader(io.StringIO(line.decode()), load_schema(schema))
    return codec._model.model_validate(record)


@pytest.mark.parametrize(
    ("schema", "codec", "records"),
    [
        pytest.param("image-event", event_codec(), EVENTS, id="events"),
        pytest.param("image-status", status_codec(), STATUSES, id="statuses"),
        pytest.param("dead-letter", dead_letter_codec(), DEAD_LETTERS, id="dead-letters"),
    ],
)
def test_java_reads_what_we_write(avro_java, schema, codec, records):
    lines = "".join(f"{codec.encode(record).hex()}\n" for record in records).encode()
    read = avro_java("decode", str(SCHEMAS / f"{schema}.avsc"), stdin=lines)
    assert [from_avro_json(line, schema, codec) for line in read] == records


def test_we_read_what_java_writes(avro_java):
    names = ("image-event", "image-status", "dead-letter")
    written = avro_java("encode", *(str(SCHEMAS / f"{name}.avsc") for name in names))
    event, status, letter = (bytes.fromhex(line.decode()) for line in written)
    assert event_codec().decode(event) == EVENTS[0]
    assert status_codec().decode(status) == STATUS
    assert dead_letter_codec().decode(letter) == DEAD_LETTERS[0]


def test_java_refuses_what_its_schema_did_not_write(avro_java):
    status = status_codec().encode(STATUS).hex().encode()
    with pytest.raises(AssertionError, match="MissingSchemaException"):
        avro_java("decode", str(SCHEMAS / "image-event.avsc"), stdin=status)
