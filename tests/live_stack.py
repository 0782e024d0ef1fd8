"""The real stack that the live and fault tests share, and scenarios on it: each with topics and a bucket of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from minio.error import MinioException

from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest, Job, flink_home
from darkroom.kafka import KafkaTopic
from darkroom.publisher import Publisher
from darkroom.stack.broker import make_topics
from darkroom.stack.layout import Home
from darkroom.stack.ports import choose_internal
from darkroom.stack.processes import marked_processes
from darkroom.stack.record import read_record
from darkroom.stack.store import make_buckets
from darkroom.target import Target, resolve_target
from schemas.record_codecs import dead_letter_codec, status_codec
from schemas.records import DeadLetter, EventKind, ImageEvent, ImageStatus, Source

PHOTOS = Path(__file__).parent / "photos"
NUMBERS = count(1)
NEVER = "30min"  # as an interval alone, Flink takes the first checkpoint at a random moment within it
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would children


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack and the environment in which the operator's commands find it."""

    home: Home
    environment: Mapping[str, str]

    @property
    def target(self) -> Target:
        """Where the stack's own topics and buckets are."""
        return resolve_target(self.environment)


class Scenario:
    """One load on the shared stack, with topics, a bucket and transactional ids that no other scenario sees."""

    def __init__(self, stack: Stack, **settings: str) -> None:
        name = f"t{os.getpid()}-{next(NUMBERS)}"
        self.stack = stack
        self.environment = {
            **stack.environment,
            "DARKROOM_EVENTS_TOPIC": f"{name}-events",
            "DARKROOM_STATUS_TOPIC": f"{name}-status",
            "DARKROOM_DEAD_LETTERS_TOPIC": f"{name}-dead-letters",
            "DARKROOM_DERIVATIVES_BUCKET": f"{name}-derivatives",
            "DARKROOM_FLINK_BUCKET": f"{name}-flink",
            "DARKROOM_CONSUMER_GROUP": name,
            "DARKROOM_TRANSACTIONAL_ID_PREFIX": name,
            "DARKROOM_USER_BURST": "100000",  # only the test of the shaping waits for it
            **settings,
        }
        self.checkpoints = f"s3://{name}-flink/checkpoints"
        self.target: Target = resolve_target(self.environment)
        self.rest = FlinkRest(self.target)
        self._make_topics_and_buckets()

    def darkroom(self, *arguments: str, status: int = 0, limit_s: float = 300) -> str:
        """Run an operator's command and return what it printed; its exit status must be as said."""
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", *arguments],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        assert done.returncode == status, f"darkroom {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def flink(self, *arguments: str) -> str:
        """Run one of Flink's own commands and return what it printed."""
        done = subprocess.run(
            [str(flink_home(self.target) / "bin" / "flink"), *arguments],
            env={**self.environment, "FLINK_CONF_DIR": str(self.target.flink_conf_dir)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"flink {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def submit(self, *arguments: str, interval: str = "1s", status: int = 0) -> str:
        """Submit the job with checkpoints in this scenario's own bucket; with NEVER it takes none by itself."""
        directory = f"execution.checkpointing.dir={self.checkpoints}"
        first = ("-D", f"execution.checkpointing.min-pause={NEVER}") if interval == NEVER else ()
        return self.darkroom(
            "submit", "--checkpoint-interval", interval, "-D", directory, *first, *arguments, status=status
        )

    def job(self) -> Job:
        """Return the one job that runs."""
        (job,) = self.rest.running_jobs()
        return job

    def cancel(self) -> None:
        """Cancel whatever runs, before it could restart, and wait until its slots are free."""
        for job in self.rest.running_jobs():
            urllib3.request("PATCH", f"{self.target.flink_url}/jobs/{job.job_id}?mode=cancel", timeout=60)
        eventually(lambda: not self.rest.running_jobs(), "no job runs", lambda: self.rest.running_jobs())

    def stop_with_savepoint(self) -> str:
        """Stop the job with a savepoint and return the savepoint's path."""
        patience = ("-D", "client.timeout=3min")  # the savepoint itself may take two
        told = self.flink("stop", *patience, "--savepointPath", f"{self.checkpoints}/savepoints", self.job().job_id)
        return told.strip().rpartition("Path: ")[2]

    def completed_checkpoints(self) -> int:
        """Return how many checkpoints the running job has completed since it started or restarted last."""
        return int(self.rest.get(f"/jobs/{self.job().job_id}/checkpoints")["counts"]["completed"])

    def statuses(self) -> list[ImageStatus]:
        """Return every committed status."""
        codec = status_codec()
        return [codec.decode(value) for value in self._values(self.target.topics.status)]

    def dead_letters(self) -> list[DeadLetter]:
        """Return every committed dead letter."""
        codec = dead_letter_codec()
        return [codec.decode(value) for value in self._values(self.target.topics.dead_letters)]

    def verify(self, wait_s: int = 120, status: int = 0) -> dict[str, Any]:
        """Run `darkroom verify` and return its figures."""
        told = self.darkroom("verify", "--json", "--wait", str(wait_s), status=status, limit_s=wait_s + 120)
        lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
        figures: dict[str, Any] = lines[-1]
        return figures

    def publisher(self) -> Publisher:
        """Return a publisher to this scenario's events topic."""
        return Publisher(self.target)

    def _make_topics_and_buckets(self) -> None:
        running = read_record(self.stack.home)
        assert running is not None
        own = running.model_copy(update={"topics": self.target.topics, "buckets": self.target.buckets})
        troubles: list[Exception] = []

        def made() -> bool:
            try:
                make_topics(own)
                make_buckets(own)
            except (OperatorError, MinioException, urllib3.exceptions.HTTPError, OSError) as error:
                troubles.append(error)  # a busy part answers too late
                return False
            return True

        eventually(made, "topics and buckets are made", lambda: troubles)

    def _values(self, topic: str) -> Iterator[bytes]:
        with KafkaTopic(self.target.kafka_bootstrap, topic) as records:
            yield from (record.value for record in records.read() if record.value is not None)


def event(image: str, source: Source | None, **changes: Any) -> ImageEvent:
    """Return an event that happened now; an upload of version 1 by one user unless changed."""
    given: dict[str, Any] = {
        "event_id": str(uuid4()),
        "kind": EventKind.UPLOADED,
        "user_id": "anna",
        "image_id": image,
        "version": 1,
        "source": source,
        "occurred_at": datetime.now(UTC),
    }
    return ImageEvent.model_validate({**given, **changes})


def eventually(
    holds: Callable[[], object], what: str, seen: Callable[[], object], limit_s: float = 120, every_s: float = 0.3
) -> None:
    """Wait until something holds; fail with what was seen instead."""
    limit = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > limit:
            pytest.fail(f"not within {limit_s:.0f} s: {what}; seen: {seen()}")
        time.sleep(every_s)


@contextmanager
def own_stack(folder: Path, *flags: str) -> Iterator[Stack]:
    """Run a stack with its data in a folder and on free ports; nothing of it is left in the end. Flags are of `up`."""
    home = Home(folder)
    kafka, s3, console, flink = (str(port) for port in choose_internal(4))
    foreign = ("DARKROOM_CACHE",)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_") or name in foreign},
        "DARKROOM_HOME": str(home.path),
        "DARKROOM_KAFKA_PORT": kafka,
        "DARKROOM_S3_PORT": s3,
        "DARKROOM_S3_CONSOLE_PORT": console,
        "DARKROOM_FLINK_PORT": flink,
        "DARKROOM_SLOTS": "2",
    }
    command = [sys.executable, "-m", "darkroom"]
    subprocess.run([*command, "up", *flags], env=environment, check=True, timeout=1200)
    yield Stack(home, environment)
    subprocess.run([*command, "down", "--wipe"], env=environment, check=True, timeout=300)
    assert not marked_processes(home.path)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with own_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def scenario(stack: Stack) -> Iterator[Scenario]:
    running = Scenario(stack)
    yield running
    running.cancel()
