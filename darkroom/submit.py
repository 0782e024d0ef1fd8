"""The command `submit`: start the job where it left off, and from nothing only when told to."""

import os
import shlex
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from darkroom.brokers import transaction_limit_s
from darkroom.console import output, plural, remarks, write_json
from darkroom.errors import FlinkUnavailableError, OperatorError, UsageError
from darkroom.flink import FlinkRest, Job, pack_job, run, run_command, run_environment
from darkroom.kafka import connect_consumer, kafka_errors, partitions_of
from darkroom.kafka_refusals import refusal_of
from darkroom.lingering import abort, find_lingering
from darkroom.stack.layout import home_from
from darkroom.storage import connect, storage_errors
from darkroom.target import Target, resolve_target
from jobs.settings import Settings

METADATA = "_metadata"
TRANSACTION_TIMEOUT = "DARKROOM_TRANSACTION_TIMEOUT_S"
STARTED_WITHIN_SECONDS = 120.0
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RetainedState:
    """A checkpoint or savepoint in the store."""

    path: str
    completed_at: datetime


def submit(
    savepoint: Annotated[
        str | None,
        typer.Option(help="Resume from this savepoint or checkpoint instead of the newest retained one, as s3://…"),
    ] = None,
    from_nothing: Annotated[
        bool, typer.Option("--from-nothing", help="Forget all state and read every event again from the beginning.")
    ] = False,
    parallelism: Annotated[
        int | None, typer.Option(min=1, help="Slots to use.", show_default="all slots of the cluster")
    ] = None,
    checkpoint_interval: Annotated[
        str | None, typer.Option(help="Such as 1s: how long a status waits to become visible.", show_default="10s")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option("-D", help="Any other Flink setting, as name=value; may be repeated.")
    ] = None,
    print_only: Annotated[bool, typer.Option("--print", help="Print the flink run command; submit nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Submit the job with `flink run`, resuming from the newest retained checkpoint.

    With no checkpoint the job starts only where nothing was ever developed, or with --from-nothing: every event is
    then read again, and those that had a status get a second one.
    """
    if savepoint and from_nothing:
        message = "--savepoint and --from-nothing contradict each other; give one of them"
        raise UsageError(message)
    target = resolve_target()
    rest = FlinkRest(target)
    _refuse_second(rest)
    _check_brokers(target)
    restore_from = None if from_nothing else savepoint or _newest_state(target)
    if restore_from is None:
        _confirm_nothing(target, from_nothing)
    command = run_command(
        target,
        pack_job(home_from(os.environ).run),
        parallelism=parallelism or _all_slots(rest),
        restore_from=restore_from,
        options=_options(option or [], checkpoint_interval),
    )
    environment = run_environment(target)
    words = " ".join(
        [*(f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())), shlex.join(command)]
    )
    if print_only:
        output().print(words, soft_wrap=True)
        return
    if restore_from is None:
        _end_lingering(target)
    remarks().print(f"$ {words}", style="dim", soft_wrap=True)
    with remarks().status("submitting the job; this takes about ten seconds"):
        run(command, environment)
        job = _wait_until_running(rest)
    if as_json:
        write_json({"job_id": job.job_id, "state": job.state, "restored_from": restore_from, "web": target.flink_url})
    else:
        origin = f"resumed from {restore_from}" if restore_from else "started at the first event"
        output().print(
            f"job {job.job_id} is {job.state}, {origin}\n{target.flink_url}/#/job/running/{job.job_id}/overview"
        )


def _refuse_second(rest: FlinkRest) -> None:
    for job in rest.running_jobs():
        message = (
            f"job {job.job_id} ({job.name}) is {job.state} already; "
            "stop it with `flink stop` to upgrade it, or leave it to its work"
        )
        raise OperatorError(message)


def _check_brokers(target: Target) -> None:
    wanted = os.environ.get(TRANSACTION_TIMEOUT) or str(Settings.model_fields["transaction_timeout_s"].default)
    if not wanted.isdecimal():
        return  # the job itself says what is wrong with all of its settings
    allowed = transaction_limit_s(target.kafka_bootstrap)
    if int(wanted) > allowed:
        message = (
            f"{TRANSACTION_TIMEOUT} is {wanted}, and the brokers at {target.kafka_bootstrap} allow {allowed}: "
            "the job would restart for ever; raise their transaction.max.timeout.ms, or lower the setting"
        )
        raise UsageError(message)


def _all_slots(rest: FlinkRest) -> int:
    slots = int(rest.get("/overview")["slots-total"])
    if not slots:
        message = "no TaskManager has registered with Flink yet; try again in a few seconds, see `darkroom ps`"
        raise OperatorError(message)
    return slots


def _newest_state(target: Target) -> str | None:
    bucket = target.buckets.flink
    with storage_errors(target, bucket):
        found = [
            RetainedState(f"s3://{bucket}/{item.object_name.removesuffix('/' + METADATA)}", item.last_modified)
            for item in connect(target).list_objects(bucket, recursive=True)
            if item.object_name and item.object_name.endswith("/" + METADATA) and item.last_modified
        ]
    return max(found, key=lambda state: state.completed_at).path if found else None


def _confirm_nothing(target: Target, told_to: bool) -> None:
    events = _offsets(target, target.topics.events)
    if told_to:
        remarks().print(f"starting from nothing: {plural(events, 'event')} will be read again", style="yellow")
    elif _offsets(target, target.topics.status, ever=True) or _offsets(target, target.topics.dead_letters, ever=True):
        message = (
            "there is no checkpoint to resume from, and outcomes were written before; "
            f"--from-nothing reads {plural(events, 'event')} again and writes their statuses a second time"
        )
        raise OperatorError(message)


def _end_lingering(target: Target) -> None:
    """Abort what an earlier job left open, as no checkpoint will commit it; a job that resumes does this itself."""
    found = find_lingering(target.kafka_bootstrap, (target.topics.status, target.topics.dead_letters))
    if found:
        remarks().print(f"aborting {plural(len(found), 'transaction')} that an earlier job left open", style="yellow")
        abort(target.kafka_bootstrap, found)


def _offsets(target: Target, topic: str, *, ever: bool = False) -> int:
    """Return how many records a topic has, or `ever` had; transaction markers count."""
    with kafka_errors(target.kafka_bootstrap):
        consumer = connect_consumer(target.kafka_bootstrap)
        try:
            partitions = partitions_of(consumer, target.kafka_bootstrap, topic)
            beginnings, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        finally:
            consumer.close(autocommit=False)
    return sum(ends[partition] - (0 if ever else beginnings[partition]) for partition in partitions)


def _options(given: list[str], checkpoint_interval: str | None) -> dict[str, str]:
    options = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name:
            message = f"-D {text} is not name=value; write for example -D state.backend.type=rocksdb"
            raise UsageError(message)
        options[name] = value
    if checkpoint_interval:
        options["execution.checkpointing.interval"] = checkpoint_interval
    return options


def _wait_until_running(rest: FlinkRest) -> Job:
    limit = time.monotonic() + STARTED_WITHIN_SECONDS
    seen = "no job"
    while time.monotonic() < limit:
        try:
            jobs = rest.running_jobs()
            for job in jobs:
                if _runs(rest, job):
                    return job
            seen = ", ".join(f"{job.job_id} {job.state}" for job in jobs) or "no job"
        except FlinkUnavailableError as error:
            seen = str(error)
        time.sleep(POLL_SECONDS)
    message = (
        f"the job was submitted and did not run within {STARTED_WITHIN_SECONDS:.0f} s ({seen}); "
        "see its exceptions in the web interface"
    )
    raise OperatorError(message)


def _runs(rest: FlinkRest, job: Job) -> bool:
    """Tell whether all of the job runs; OperatorError when Kafka does not let it in."""
    vertices = rest.get(f"/jobs/{job.job_id}")["vertices"]
    if job.state == "RUNNING" and all(vertex["status"] == "RUNNING" for vertex in vertices):
        return True
    refusal = refusal_of(rest, job)
    if refusal:
        message = (
            f"job {job.job_id} restarts again and again, because Kafka lets it not in: {refusal};"
            f" end it with `flink cancel {job.job_id}`, or correct what is missing and it will run"
        )
        raise OperatorError(message)
    return False
