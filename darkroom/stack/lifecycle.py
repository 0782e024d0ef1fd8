"""Brings a stack up and down: the order of the steps, and that a failed or interrupted start leaves nothing behind."""

import fcntl
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from darkroom.stack.broker import broker_program, make_topics, prepare_broker
from darkroom.stack.cluster import cluster_programs, prepare_cluster
from darkroom.stack.coordination import coordination_program, prepare_coordination
from darkroom.stack.errors import LeftoverError, PreflightError, StackError, UnhealthyError
from darkroom.stack.fetch import (
    fetch_flink,
    fetch_kafka,
    fetch_minio,
    fetch_toxiproxy,
    fetch_zookeeper,
    find_minio,
    find_toxiproxy,
)
from darkroom.stack.inspection import inspect_part, parts_of
from darkroom.stack.layout import Cache, Home
from darkroom.stack.plan import Options, differences, plan_stack
from darkroom.stack.preflight import address_problems, find_java, find_problems
from darkroom.stack.processes import end_processes, marked_processes
from darkroom.stack.program import Program
from darkroom.stack.progress import Reporter
from darkroom.stack.proxy import prepare_proxy, proxy_program
from darkroom.stack.record import PartName, StackRecord, read_record, write_record
from darkroom.stack.store import make_buckets, prepare_store, store_program
from darkroom.stack.supervision import (
    is_supervised,
    program_states,
    start_programs,
    start_supervisor,
    stop_programs,
    stop_supervisor,
    write_configuration,
)
from darkroom.stack.trust import write_trust_store

HEALTHY_SECONDS = 180.0  # about 20 on two idle cores
TRIED_STARTS = 8  # supervisord never gives up; a part that dies this often will not come up by itself
ANSWER_SECONDS = 30.0  # for a part that runs already, here or elsewhere: it may only be slow
POLL_SECONDS = 0.3
PROVISION: Mapping[PartName, Callable[[StackRecord], None]] = {"minio": make_buckets, "kafka": make_topics}
TITLES = {
    "minio": "MinIO",
    "kafka": "Kafka",
    "zookeeper": "ZooKeeper",
    "toxiproxy": "Toxiproxy",
    "jobmanager": "Flink JobManager",
    "taskmanager": "Flink TaskManager",
}


def start_stack(
    home: Home, cache: Cache, options: Options, environment: Mapping[str, str], reporter: Reporter
) -> StackRecord:
    """Start what is missing, wait until every part is healthy and make topics and buckets."""
    with _locked(home.lock, "Waiting for another `darkroom up` or `down` on this stack", reporter):
        running = read_record(home) if is_supervised(home) else None
        if running is not None:
            _resume(running, home, options, environment, reporter)
            return running
        return _start_afresh(home, cache, options, environment, reporter)


def stop_stack(home: Home, reporter: Reporter, *, wipe: bool = False) -> int:
    """Stop the stack, end whatever of it survived, and return how many such leftovers there were."""
    if not home.path.exists():
        return 0
    with _locked(home.lock, "Waiting for another `darkroom up` or `down` on this stack", reporter):
        leftovers = _stop(home)
        if wipe:
            for place in (home.data, home.logs, home.run):
                shutil.rmtree(place, ignore_errors=True)
            for file in (home.credentials, home.job_credentials):
                file.unlink(missing_ok=True)
    if wipe:
        home.lock.unlink(missing_ok=True)
        if not any(home.path.iterdir()):
            home.path.rmdir()
    return leftovers


def _resume(
    record: StackRecord, home: Home, options: Options, environment: Mapping[str, str], reporter: Reporter
) -> None:
    problems = differences(record, options, environment)
    if problems:
        raise PreflightError(problems, "the running stack was left as it is:")
    states = program_states(home)
    stopped = [part for part in record.parts if states[part].name in ("STOPPED", "EXITED", "FATAL")]
    try:
        start_programs(home, stopped)
        _wait_and_provision(record, home, reporter)
    except BaseException:
        with _undisturbed():
            stop_programs(home, stopped)
        raise


def _start_afresh(
    home: Home, cache: Cache, options: Options, environment: Mapping[str, str], reporter: Reporter
) -> StackRecord:
    orphans = marked_processes(home.path)
    if orphans:  # supervisord itself was killed; its children would hold the ports
        reporter.say(f"Ending {len(orphans)} processes that an earlier stack left behind")
        _stop(home)
    problems = address_problems(environment)
    if problems:
        raise PreflightError(problems)
    record = plan_stack(home, cache, options, environment)
    problems = find_problems(record, home, cache, environment)
    if problems:
        raise PreflightError(problems)
    _fetch(record, cache, reporter)
    try:
        write_record(home, record)
        write_configuration(home, _prepare(record, home, cache, environment))
        if record.parts:
            start_supervisor(home, environment)
        _wait_and_provision(record, home, reporter)
    except BaseException:
        with _undisturbed():
            _stop(home)
        raise
    return record


def _fetch(record: StackRecord, cache: Cache, reporter: Reporter) -> None:
    with _locked(cache.lock, "Waiting for another `darkroom up` that fills the cache", reporter):
        if record.runs("kafka") and not cache.kafka.exists():
            fetch_kafka(cache, reporter)
        if record.runs("jobmanager") and not cache.flink.exists():
            fetch_flink(cache, reporter)
        if record.runs("minio") and find_minio(cache) is None:
            fetch_minio(cache, reporter)
        if record.runs("zookeeper") and not cache.zookeeper.exists():
            fetch_zookeeper(cache, reporter)
        if record.runs("toxiproxy") and find_toxiproxy(cache) is None:
            fetch_toxiproxy(cache, reporter)


def _prepare(record: StackRecord, home: Home, cache: Cache, environment: Mapping[str, str]) -> list[Program]:
    """Write every part's configuration and return how to run it."""
    programs: list[Program] = []
    java, minio, toxiproxy = find_java(environment), find_minio(cache), find_toxiproxy(cache)
    if record.runs("minio") and minio:
        prepare_store(home)
        programs.append(store_program(record, home, minio))
    if record.runs("kafka") and java:
        prepare_broker(record, home, java)
        programs.append(broker_program(record, home, java))
    if record.runs("zookeeper") and java:
        prepare_coordination(record, home)
        programs.append(coordination_program(record, home, java))
    if record.runs("toxiproxy") and toxiproxy:
        prepare_proxy(record, home)
        programs.append(proxy_program(record, home, toxiproxy))
    if record.runs("jobmanager"):
        prepare_cluster(record, home)
        if java:
            write_trust_store(record, home, java.with_name("keytool"))
        programs += cluster_programs(record, home)
    return programs


def _wait_and_provision(record: StackRecord, home: Home, reporter: Reporter) -> None:
    for part in parts_of(record):
        with reporter.step(f"{TITLES[part]}"):
            _wait_until_healthy(part, record, home)
        if part in PROVISION:  # at once: with high availability the JobManager needs its bucket to start
            _provision(part, record)


def _provision(part: PartName, record: StackRecord) -> None:
    """Make what the part has to have; one that has just begun to answer may not do so in time yet."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return PROVISION[part](record)
        except UnhealthyError:
            if time.monotonic() > deadline:
                raise
        except (MinioException, HTTPError, OSError) as error:
            if isinstance(error, S3Error) or time.monotonic() > deadline:
                message = f"{TITLES[part]} answers, but what the stack needs there could not be made: {error}"
                raise StackError(message) from error
        time.sleep(POLL_SECONDS)


def _wait_until_healthy(part: PartName, record: StackRecord, home: Home) -> None:
    deadline = time.monotonic() + (HEALTHY_SECONDS if record.runs(part) else ANSWER_SECONDS)
    starts: set[int] = set()
    while True:
        status = inspect_part(part, record, program_states(home))
        starts |= {status.pid} if status.pid else set()
        if status.healthy:
            return
        if len(starts) > TRIED_STARTS or time.monotonic() > deadline:
            message = (
                f"{TITLES[part]} {status.problem} (process {status.state}, {len(starts)} starts seen): "
                f"the reason is in {home.logs}."
                if record.runs(part)
                else f"{TITLES[part]} at {status.address} {status.problem}: start it, or unset its address."
            )
            raise UnhealthyError(message)
        time.sleep(POLL_SECONDS)


def _stop(home: Home) -> int:
    stop_supervisor(home)
    leftovers = marked_processes(home.path)
    survivors = end_processes(leftovers)
    if survivors:
        pids = ", ".join(str(process.pid) for process in survivors)
        message = f"Processes of the stack could not be ended: {pids}. End them by hand and run `darkroom down` again."
        raise LeftoverError(message)
    home.socket.unlink(missing_ok=True)
    home.record.unlink(missing_ok=True)
    return len(leftovers)


@contextmanager
def _locked(lock: Path, waiting: str, reporter: Reporter) -> Iterator[None]:
    """Hold an advisory lock; the system gives it back when the process ends, however it ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with reporter.step(waiting):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let a second Ctrl-C not interrupt the cleaning up after the first."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
