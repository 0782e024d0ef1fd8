"""A measurement's own place on the local stack: topics and buckets that nothing else uses, and the one job there."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from kafka.admin import KafkaAdminClient
from minio import Minio
from minio.deleteobjects import DeleteObject

from darkroom.console import remarks
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest, flink_home, run, run_environment
from darkroom.stack.broker import make_topics
from darkroom.stack.grants import withdraw_job
from darkroom.stack.layout import home_from
from darkroom.stack.record import read_record
from darkroom.stack.store import make_buckets
from darkroom.storage import connect
from darkroom.target import Target, resolve_target
from jobs.settings import DEFAULT_PRESETS

OVERDUE_SECONDS = 120.0


@contextlib.contextmanager
def own_place(name: str) -> Iterator[dict[str, str]]:
    """Make topics and buckets that nothing else uses, yield the environment that names them, and delete them.

    Events that name no presets get the default ones, whatever file the shell has chosen.

    Raises:
        OperatorError: no local stack runs.
    """
    record = read_record(home_from(os.environ))
    if record is None:
        message = "there is no record of a stack; run `darkroom up`"
        raise OperatorError(message)
    names = (
        "EVENTS_TOPIC",
        "STATUS_TOPIC",
        "DEAD_LETTERS_TOPIC",
        "IMAGES_BUCKET",
        "DERIVATIVES_BUCKET",
        "FLINK_BUCKET",
    )
    own = {f"DARKROOM_{one}": f"{name}-{one.rpartition('_')[0].lower().replace('_', '-')}" for one in names}
    identity = {"DARKROOM_CONSUMER_GROUP": name, "DARKROOM_TRANSACTIONAL_ID_PREFIX": name}
    environment = {**os.environ, "DARKROOM_PRESETS_FILE": str(DEFAULT_PRESETS), **own, **identity}
    target = resolve_target(environment)
    place = record.model_copy(update={"topics": target.topics, "buckets": target.buckets})
    with contextlib.ExitStack() as leaving:
        leaving.callback(_delete_topics, target)
        leaving.callback(_delete_buckets, target)
        make_topics(place)
        make_buckets(place)
        if record.runs("minio"):
            leaving.callback(withdraw_job, place)
        yield environment


@contextlib.contextmanager
def running_job(target: Target, environment: dict[str, str], interval: str) -> Iterator[str]:
    """Submit the job with a checkpoint interval, yield its id, and cancel it.

    Raises:
        OperatorError: a job runs already, or the submission failed.
    """
    rest = FlinkRest(target)
    if rest.running_jobs():
        message = "a job runs on this cluster and would share its slots; cancel it, then measure"
        raise OperatorError(message)
    directory = f"execution.checkpointing.dir=s3://{target.buckets.flink}/checkpoints"
    try:
        darkroom("submit", "--checkpoint-interval", interval, "-D", directory, environment=environment)
        yield rest.running_jobs()[0].job_id
    finally:
        for job in rest.running_jobs():
            run([str(flink_home(target) / "bin" / "flink"), "cancel", job.job_id], run_environment(target))
        _wait_until_none_runs(rest)


def darkroom(*arguments: str, environment: dict[str, str]) -> None:
    """Run one of the operator's commands.

    Raises:
        OperatorError: it failed; the message is what it said.
    """
    remarks().print(f"$ darkroom {' '.join(arguments)}", style="dim", soft_wrap=True)
    done = subprocess.run(
        [sys.executable, "-m", "darkroom", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise OperatorError((done.stderr or done.stdout).strip().removeprefix("darkroom: "))


def empty_bucket(store: Minio, bucket: str) -> None:
    """Remove all objects, a thousand with each request.

    Raises:
        OperatorError: the store refused to remove one.
    """
    names = (found.object_name or "" for found in store.list_objects(bucket, recursive=True))
    for error in store.remove_objects(bucket, map(DeleteObject, names)):
        message = f"{error.name} in {bucket} cannot be removed: {error.code}"
        raise OperatorError(message)


def _delete_topics(target: Target) -> None:
    admin = KafkaAdminClient(bootstrap_servers=target.kafka_bootstrap.split(","))
    try:
        admin.delete_topics(sorted(set(target.topics.names()) & set(admin.list_topics())))
    finally:
        admin.close()


def _delete_buckets(target: Target) -> None:
    store = connect(target)
    for bucket in filter(store.bucket_exists, target.buckets.names()):
        empty_bucket(store, bucket)
        store.remove_bucket(bucket)


def _wait_until_none_runs(rest: FlinkRest) -> None:
    limit = time.monotonic() + OVERDUE_SECONDS
    while jobs := rest.running_jobs():
        if time.monotonic() > limit:
            message = f"job {jobs[0].job_id} is still {jobs[0].state}, {OVERDUE_SECONDS:.0f} s after it was cancelled"
            raise OperatorError(message)
        time.sleep(0.2)
