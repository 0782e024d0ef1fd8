"""Flink as the operator's tool sees it: its REST interface, and the command that submits the job."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from darkroom.errors import FlinkUnavailableError, OperatorError, UsageError
from darkroom.target import Target, job_environment

OF_JOB = "DARKROOM_JOB_"  # begins variables that say what the job uses where that is not what the operator uses
PACKAGES = ("jobs", "schemas", "udfs")
PROJECT = Path(__file__).parents[1]
DISTRIBUTION_VARIABLES = ("FLINK_HOME", "FLINK_BIN_DIR", "FLINK_LIB_DIR", "FLINK_OPT_DIR", "FLINK_PLUGINS_DIR")
RUNNING = ("CREATED", "RUNNING", "FAILING", "RESTARTING", "CANCELLING", "INITIALIZING", "RECONCILING")
TIMEOUT_SECONDS = 10.0
CAUSE = re.compile(r"(: |Caused by: )?[\w.]+(Error|Exception): ")
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same code makes the same archive


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the cluster."""

    job_id: str
    name: str
    state: str


class FlinkRest:
    """The REST interface of a JobManager."""

    def __init__(self, target: Target) -> None:
        self._url = target.flink_url.rstrip("/")
        self._http = urllib3.PoolManager(timeout=TIMEOUT_SECONDS, retries=False)

    def get(self, path: str) -> Any:
        """Return the JSON document at a path, such as ``/jobs/overview``; FlinkUnavailableError when there is none."""
        try:
            answer = self._http.request("GET", self._url + path)
        except urllib3.exceptions.HTTPError as error:
            message = (
                f"Flink at {self._url} does not answer; start the stack with `darkroom up` or set DARKROOM_FLINK_URL"
            )
            raise FlinkUnavailableError(message) from error
        if answer.status != 200:
            message = f"Flink at {self._url} answered {answer.status} to {path}"
            raise FlinkUnavailableError(message)
        return json.loads(answer.data)

    def running_jobs(self) -> list[Job]:
        """Return the jobs that have not ended."""
        jobs = (Job(job["jid"], job["name"], job["state"]) for job in self.get("/jobs/overview")["jobs"])
        return [job for job in jobs if job.state in RUNNING]


def pack_job(folder: Path) -> Path:
    """Write the job's packages as one archive for ``flink run -pyfs``, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "darkroom-job.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as job:
        for package in PACKAGES:
            for path in sorted((PROJECT / package).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    info = zipfile.ZipInfo(str(path.relative_to(PROJECT)), ZIP_EPOCH)
                    job.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return archive


def run_command(
    target: Target, archive: Path, *, parallelism: int, restore_from: str | None, options: Mapping[str, str]
) -> list[str]:
    """Return the ``flink run`` command that submits the job."""
    settings = [word for name, value in sorted(options.items()) for word in ("-D", f"{name}={value}")]
    return [
        str(flink_home(target) / "bin" / "flink"),
        "run",
        "--detached",
        *(["--fromSavepoint", restore_from] if restore_from else []),
        "--parallelism",
        str(parallelism),
        *settings,
        "--pyExecutable",
        sys.executable,
        "--pyClientExecutable",
        sys.executable,
        "--pyFiles",
        str(archive),
        "--python",
        str(PROJECT / "jobs" / "derivatives.py"),
    ]


def run_environment(target: Target) -> dict[str, str]:
    """Return the variables that the command needs besides the shell's own; none is secret."""
    conf = {"FLINK_CONF_DIR": str(target.flink_conf_dir)} if target.flink_conf_dir else {}
    given = {name: value for name, value in os.environ.items() if name.startswith("DARKROOM_")}
    of_job = {name.replace(OF_JOB, "DARKROOM_", 1): given.pop(name) for name in list(given) if name.startswith(OF_JOB)}
    return {**given, **of_job, **conf, **job_environment(target)}


def run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a Flink command to its end and return what it printed.

    Raises:
        OperatorError: it failed; the message is the last of what it said.
    """
    done = subprocess.run(
        command,
        env={**_without_other_flink(os.environ), **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        message = f"`flink {command[1]}` failed with status {done.returncode}:\n{_cause(done.stdout + done.stderr)}"
        raise OperatorError(message)
    return done.stdout


def _without_other_flink(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out where another distribution lies: `bin/flink` would take its classes from there."""
    return {name: value for name, value in environment.items() if name not in DISTRIBUTION_VARIABLES}


def flink_home(target: Target) -> Path:
    """Return the Flink distribution whose ``bin/flink`` is used."""
    home = target.flink_home or (Path(os.environ["FLINK_HOME"]) if os.environ.get("FLINK_HOME") else None)
    if home is None:
        message = "there is no Flink distribution to submit with; run `darkroom up`, or set FLINK_HOME"
        raise UsageError(message)
    return home


def _cause(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip() and not line.lstrip().startswith(("at ", "... "))]
    ours = [line for line in lines if line.startswith(("darkroom:", "  - "))]
    return "\n".join(ours or [line for line in lines if CAUSE.match(line)] or lines[-12:])
