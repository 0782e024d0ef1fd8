"""The deployed job's own graph in an embedded mini cluster, between two folders."""

import hashlib
import sys
from pathlib import Path

import pytest
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from jobs.derivatives import build
from jobs.ends import FolderEnds
from jobs.settings import Settings
from schemas.errors import UndecodableError
from schemas.record_codecs import dead_letter_codec, status_codec
from schemas.records import DeadLetter, ImageStatus
from tests.builders import DERIVATIVES, PRESETS, SOURCES, an_event, encoded

WORKERS = ["loopback", "process"]


def run(
    records: list[bytes], sources: Path, out: Path, presets: Path, worker: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, ImageStatus], list[DeadLetter]]:
    """Run the graph over records in their order; statuses by event id, and dead letters."""
    monkeypatch.setenv("_python_worker_execution_mode", worker)
    configuration = Configuration()
    configuration.set_string("python.executable", sys.executable)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    ends = FolderEnds(records, {SOURCES: sources, DERIVATIVES: out})
    build(env, ends, Settings(kafka_bootstrap="unused:0", s3_endpoint="http://unused", presets_file=presets))
    statuses: list[ImageStatus] = []
    letters: list[DeadLetter] = []
    with ends.outcomes().execute_and_collect() as values:
        for value in values:
            try:
                statuses.append(status_codec().decode(value))
            except UndecodableError:
                letters.append(dead_letter_codec().decode(value))
    by_event = {status.event_id: status for status in statuses}
    assert len(by_event) == len(statuses), "an event has two statuses"
    return by_event, letters


EVENTS = [
    an_event(event_id="upload", image_id="cat", version=1),
    an_event(event_id="replace", image_id="cat", version=3, key="dog.png"),
    an_event(event_id="late", image_id="cat", version=2),
    an_event(event_id="rederive", image_id="cat", version=3, kind="REDERIVE", key="dog.png", presets=("thumb",)),
    an_event(event_id="to be deleted", image_id="dog", version=1, key="dog.png"),
    an_event(event_id="delete", image_id="dog", version=2, kind="DELETED"),
    an_event(event_id="after the deletion", image_id="dog", version=1, key="dog.png"),
    an_event(event_id="of another user", image_id="dog", user_id="v/../w", key="dog.png"),
    an_event(event_id="corrupt", image_id="corrupt", key="corrupt.jpg"),
    an_event(event_id="missing", image_id="missing", key="missing.jpg"),
    an_event(event_id="unknown preset", image_id="preset", presets=("no-such",)),
]
RECORDS = [*(encoded(event) for event in EVENTS), encoded(EVENTS[0]), encoded(EVENTS[5]), b"not an event"]

OUTCOMES = {
    "upload": "READY",
    "replace": "READY",
    "late": "SUPERSEDED NEWER_VERSION_KNOWN",
    "rederive": "READY",
    "to be deleted": "READY",
    "delete": "DELETED",
    "after the deletion": "SUPERSEDED IMAGE_DELETED",
    "of another user": "READY",
    "corrupt": "REJECTED CORRUPT_IMAGE",
    "missing": "REJECTED SOURCE_MISSING",
    "unknown preset": "REJECTED UNKNOWN_PRESET",
}


@pytest.mark.parametrize("worker", WORKERS)
def test_every_event_ends_in_its_one_outcome_and_the_files_are_those_of_the_newest_versions(
    sources: Path, out: Path, tmp_path: Path, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = tmp_path / "presets.yaml"
    presets.write_text(PRESETS)

    statuses, letters = run(RECORDS, sources, out, presets, worker, monkeypatch)

    told = {
        event: " ".join([status.outcome, *(failure.reason for failure in status.failures)])
        for event, status in statuses.items()
    }
    assert told == OUTCOMES
    assert [(letter.reason, letter.payload) for letter in letters] == [("NOT_AVRO", b"not an event")]

    current = [made for event in ("replace", "of another user") for made in statuses[event].derivatives]
    files = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert set(files) == {made.key for made in current}
    assert {key.rpartition("/")[0] for key in files} == {"u/cat/3", "v%2F..%2Fw/dog/1"}
    for made in current:
        assert hashlib.sha256(files[made.key]).hexdigest() == made.sha256
