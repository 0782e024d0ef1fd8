"""The stack of one chaos run: a folder, ports and a job of its own; knows nothing of faults or of the load."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest, Job
from darkroom.stack.layout import Home
from darkroom.stack.ports import choose_internal
from darkroom.stack.processes import marked_processes, python_workers
from darkroom.stack.record import StackRecord, read_record
from darkroom.stack.supervision import program_states
from darkroom.target import Target, resolve_target
from tests.chaos.evidence import eventually

SLOTS = 2
PORTS = ("DARKROOM_KAFKA_PORT", "DARKROOM_S3_PORT", "DARKROOM_S3_CONSOLE_PORT", "DARKROOM_FLINK_PORT")
SETTINGS = {
    "DARKROOM_PRESETS_FILE": str(Path(__file__).parent / "presets.yaml"),
    "DARKROOM_RENDER_TIMEOUT_S": "5",  # a stopped renderer is given up soon
    "DARKROOM_SOURCE_WAIT_S": "3",  # a source that never comes holds the next checkpoint up for so long
}
# Every fault meets a job that has had none for a while: attempts are not held back as they are in a restart loop.
RESTARTS = {
    "restart-strategy.exponential-delay.max-backoff": "4s",
    "restart-strategy.exponential-delay.reset-backoff-threshold": "8s",
}
CHECKPOINTS = "1s"
SAVEPOINT_WITHIN_S = 90.0


@dataclass(slots=True)
class Stage:
    """A stack and its job. Fields are the folder it lives in and the variables that differ from the defaults."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.path.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
        cache = {name: value for name, value in os.environ.items() if name == "DARKROOM_CACHE"}
        ports = {name: str(port) for name, port in zip(PORTS, choose_internal(4), strict=True)}
        own = {"DARKROOM_HOME": str(self.home.path), "DARKROOM_SLOTS": str(SLOTS)}
        self.environment = {**kept, **cache, **ports, **own, **SETTINGS, **self.settings}

    @property
    def home(self) -> Home:
        """The stack's own folder."""
        return Home(self.folder / "home")

    @property
    def record(self) -> StackRecord:
        """What runs where."""
        record = read_record(self.home)
        assert record is not None
        return record

    @property
    def target(self) -> Target:
        """Where the tests connect: past the proxies."""
        return resolve_target(self.environment)

    @property
    def rest(self) -> FlinkRest:
        """Flink's REST interface."""
        return FlinkRest(self.target)

    def up(self, *options: str) -> None:
        """Start the stack."""
        self.darkroom("up", *options, limit_s=1200)

    def down(self) -> None:
        """End the stack and everything it left."""
        self.darkroom("down", "--wipe")
        left = marked_processes(self.home.path)
        assert not left, left

    def submit(self, savepoint: str | None = None, parallelism: int = 1, **settings: str) -> None:
        """Submit the job, from a savepoint if one is given."""
        self.environment.update(settings)
        options = [word for name, value in RESTARTS.items() for word in ("-D", f"{name}={value}")]
        resume = ("--savepoint", savepoint) if savepoint else ()
        self.darkroom(
            "submit", "--checkpoint-interval", CHECKPOINTS, "--parallelism", str(parallelism), *options, *resume
        )

    def stop_with_savepoint(self) -> str:
        """Stop the job with a savepoint and return the savepoint's path."""
        job = f"{self.target.flink_url}/jobs/{self.job().job_id}"
        target = f"s3://{self.target.buckets.flink}/savepoints"
        answer = urllib3.request("POST", f"{job}/stop", json={"targetDirectory": target, "drain": False}, timeout=20)
        assert answer.status == 202, answer.data
        asked = f"/jobs/{job.rpartition('/')[2]}/savepoints/{answer.json()['request-id']}"

        def ended() -> Any:
            told = self.rest.get(asked)
            return told["operation"] if told["status"]["id"] == "COMPLETED" else None

        path = eventually(ended, "the job has stopped with a savepoint", SAVEPOINT_WITHIN_S).get("location")
        assert path, ended()
        eventually(lambda: not self.rest.running_jobs(), "no job runs", 30)
        return str(path)

    def job(self) -> Job:
        """Return the one job that has not ended."""
        (job,) = self.rest.running_jobs()
        return job

    def parallelism(self) -> int:
        """Return at how many slots the job works."""
        return int(max(vertex["parallelism"] for vertex in self.rest.get(f"/jobs/{self.job().job_id}")["vertices"]))

    def job_state(self) -> str:
        """Return what the JobManager says of the job, or why it says nothing."""
        try:
            return ", ".join(job.state for job in self.rest.running_jobs()) or "no job"
        except OperatorError:
            return "no answer"

    def pid(self, part: str) -> int | None:
        """Return the process of a part, or None while it has none."""
        state = program_states(self.home).get(part)
        return state.pid if state else None

    def workers(self) -> list[int]:
        """Return the processes of the Python workers."""
        return python_workers(self.home.path)

    def darkroom(self, *arguments: str, limit_s: float = 300) -> str:
        """Run an operator's command and return what it printed.

        Raises:
            RuntimeError: its exit status was not 0.
        """
        command = [sys.executable, "-m", "darkroom", *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=limit_s, check=False
        )
        if done.returncode:
            message = f"darkroom {' '.join(arguments)}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
            raise RuntimeError(message)
        return done.stdout
