"""A stack of its own for bench/state.py, with memory for a million users, and the jobs of bench/admit_job.py on it."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import urllib3
from own_place import darkroom

from darkroom.console import counting, remarks
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest, flink_home, pack_job, run, run_command, run_environment
from darkroom.stack.layout import cache_from, home_from
from darkroom.stack.ports import choose_internal
from darkroom.target import Target, resolve_target

JOB = Path(__file__).with_name("admit_job.py")
SLOTS = 16  # memory comes with slots: a heap of 2.4 GiB, and for each RocksDB what a slot of any stack gives it
PORTS = ("KAFKA_PORT", "S3_PORT", "S3_CONSOLE_PORT", "FLINK_PORT")
FILLING_SLOTS = 2
FILLING_OPTIONS = {"python.fn-execution.bundle.size": "1000", "python.state.cache-size": "10000"}
LIMIT_SECONDS = 1800.0
UNSHAPED = {"DARKROOM_USER_EVENTS_PER_MINUTE": "1000000", "DARKROOM_USER_BURST": "1000000"}
# Triggered one by one; Flink takes a job's first by itself, at a random moment of the interval.
OPTIONS = {"execution.checkpointing.interval": "3650d"}


@contextlib.contextmanager
def own_stack() -> Iterator[None]:
    """Start a stack beside any other, make it this process's, and leave nothing of it."""
    ports = dict(zip(PORTS, map(str, choose_internal(len(PORTS))), strict=True))
    home = cache_from(os.environ).path / "bench" / "state"
    for name in [name for name in os.environ if name.startswith("DARKROOM_") and name != "DARKROOM_CACHE"]:
        del os.environ[name]
    os.environ.update({f"DARKROOM_{name}": port for name, port in ports.items()})
    os.environ.update({"DARKROOM_HOME": str(home), "DARKROOM_SLOTS": str(SLOTS), **UNSHAPED})
    darkroom("down", "--wipe", environment=dict(os.environ))  # what an interrupted run has left
    darkroom("up", environment=dict(os.environ))
    try:
        yield
    finally:
        darkroom("down", "--wipe", environment=dict(os.environ))


def filled_state(users: int, ids_per_user: int) -> str:
    """Return the path of a savepoint in which admit remembers so many users.

    Raises:
        OperatorError: it could not be filled in time.
    """
    target = resolve_target()
    job_id = submit({}, ["fill", str(users), str(ids_per_user)], FILLING_SLOTS, FILLING_OPTIONS)
    with counting(f"filling the state of {users:,} users", users) as counter:
        _wait_until_filled(FlinkRest(target), job_id, users, counter.advance)
    bucket = f"s3://{target.buckets.flink}/savepoints"
    told = run(
        [str(flink_home(target) / "bin" / "flink"), "stop", "--savepointPath", bucket, job_id], run_environment(target)
    )
    return told.strip().rpartition("Path: ")[2]


def submit(
    environment: Mapping[str, str],
    words: Sequence[str],
    slots: int,
    options: Mapping[str, str],
    savepoint: str | None = None,
) -> str:
    """Submit one of the jobs and return its id when all of it runs."""
    target = resolve_target({**os.environ, **environment})
    rest = FlinkRest(target)
    before = {job.job_id for job in rest.running_jobs()}
    archive = pack_job(home_from(os.environ).run)
    command = run_command(target, archive, parallelism=slots, restore_from=savepoint, options={**OPTIONS, **options})
    remarks().print(f"submitting {' '.join(words)} {' '.join(options.values())}", style="dim")
    own = {name: value for name, value in environment.items() if name.startswith("DARKROOM_")}
    without_source = ["--allowNonRestoredState"] if savepoint else []  # that of the job which filled is not needed
    command = [*command[:2], *without_source, *command[2:-1], str(JOB), *words]
    run(command, {**own, **run_environment(target)})
    (job_id,) = {job.job_id for job in rest.running_jobs()} - before
    _wait_until_runs(rest, job_id)
    return job_id


def checkpoint(rest: FlinkRest, target: Target, job_id: str) -> dict[str, float]:
    """Take one checkpoint and return its seconds and bytes: `seconds`, `full_bytes`, `stored_bytes`."""
    url = f"{target.flink_url.rstrip('/')}/jobs/{job_id}/checkpoints"
    taken = rest.get(f"/jobs/{job_id}/checkpoints")["counts"]["completed"]
    answer = urllib3.request("POST", url, json={"checkpointType": "CONFIGURED"}, retries=False)
    if answer.status != 202:
        message = f"Flink answered {answer.status} to the request for a checkpoint: {answer.data.decode()[:200]}"
        raise OperatorError(message)
    limit = time.monotonic() + LIMIT_SECONDS
    while (told := rest.get(f"/jobs/{job_id}/checkpoints"))["counts"]["completed"] == taken:
        if failed := told["latest"]["failed"]:
            message = f"a checkpoint of job {job_id} failed: {failed['failure_message']}"
            raise OperatorError(message)
        if time.monotonic() > limit:
            message = f"a checkpoint of job {job_id} was not completed within {LIMIT_SECONDS:.0f} s"
            raise OperatorError(message)
        time.sleep(0.1)
    latest = told["latest"]["completed"]
    return {
        "seconds": latest["end_to_end_duration"] / 1000,
        "full_bytes": latest["state_size"],
        "stored_bytes": latest["checkpointed_size"],
    }


def cancel(target: Target, job_id: str) -> None:
    """End a job; what it leaves goes with the stack."""
    urllib3.request("PATCH", f"{target.flink_url.rstrip('/')}/jobs/{job_id}?mode=cancel", retries=False)


def _wait_until_filled(rest: FlinkRest, job_id: str, users: int, advance: Callable[[int], None]) -> None:
    shares = [0]
    limit = time.monotonic() + LIMIT_SECONDS
    while min(shares) * FILLING_SLOTS <= users:
        if time.monotonic() > limit:
            message = f"{users:,} users were not filled within {LIMIT_SECONDS:.0f} s"
            raise OperatorError(message)
        time.sleep(1.0)
        source = rest.get(f"/jobs/{job_id}")["vertices"][0]["id"]
        subtasks = rest.get(f"/jobs/{job_id}/vertices/{source}")["subtasks"]
        before, shares = sum(shares), [one["metrics"]["write-records"] for one in subtasks]
        advance(sum(shares) - before)


def _wait_until_runs(rest: FlinkRest, job_id: str) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while {vertex["status"] for vertex in rest.get(f"/jobs/{job_id}")["vertices"]} != {"RUNNING"}:
        if time.monotonic() > limit:
            message = f"job {job_id} does not run; see its exceptions in the web interface"
            raise OperatorError(message)
        time.sleep(0.5)
