"""The Flink parts: a JobManager and a TaskManager, and the effective configuration they and `flink run` share."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from darkroom.stack.coordination import coordination_settings
from darkroom.stack.layout import Home
from darkroom.stack.program import Program
from darkroom.stack.record import StackRecord
from darkroom.stack.trust import trust_settings
from darkroom.target import job_environment, target_of

APPLICATION_CONF = Path(__file__).parent / "flink-conf"
REQUEST_TIMEOUT_SECONDS = 5.0
MEMORY_BASE_MIB = 1280  # framework, network buffers, metaspace and overhead of a TaskManager
MEMORY_PER_SLOT_MIB = 384  # heap for one slot's operators and the share reserved for its Python worker


def local_settings(record: StackRecord, home: Home) -> dict[str, object]:
    """Return what the application's configuration leaves to the place of deployment."""
    rest = urlsplit(record.flink_url)
    return {
        "jobmanager.rpc.address": rest.hostname,
        "jobmanager.rpc.port": record.internal_ports["jobmanager-rpc"],
        "jobmanager.bind-host": rest.hostname,
        "blob.server.port": record.internal_ports["jobmanager-blob"],
        "rest.address": rest.hostname,
        "rest.port": rest.port,
        "rest.bind-address": rest.hostname,
        "jobmanager.memory.process.size": "1024m",
        # it computes little: without the second compiler and its profiles a start takes a third less of the CPU
        "env.java.opts.jobmanager": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        # its work is Python's: compiled well, its own takes as much CPU as compiled soon, and that much again at first
        "env.java.opts.taskmanager": "-XX:TieredStopAtLevel=1",
        "taskmanager.host": rest.hostname,
        "taskmanager.bind-host": rest.hostname,
        # a restarted TaskManager takes its predecessor's place at once instead of after the heartbeat timeout
        "taskmanager.resource-id": "local-taskmanager",
        "taskmanager.numberOfTaskSlots": record.slots,
        "taskmanager.memory.process.size": f"{MEMORY_BASE_MIB + MEMORY_PER_SLOT_MIB * record.slots}m",
        "taskmanager.memory.managed.size": f"{MEMORY_PER_SLOT_MIB // 2 * record.slots}m",
        "parallelism.default": record.slots,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "s3.endpoint": f"http://{record.proxies['s3']}" if "s3" in record.proxies else record.s3_endpoint,
        "s3.region": record.s3_region,
        "s3.path-style-access": True,
        "io.tmp.dirs": str(home.run / "flink-tmp"),
        "env.log.dir": str(home.logs / "flink"),
        "env.pid.dir": str(home.run / "flink-pids"),
        "env.stdout-err.redirect-to-file": True,  # beside the logs, where the web interface shows them
        **coordination_settings(record),
        **trust_settings(record, home),
    }


def prepare_cluster(record: StackRecord, home: Home) -> None:
    """Write the effective configuration folder and make the folders it names."""
    home.flink_conf.mkdir(parents=True, exist_ok=True)
    for file in APPLICATION_CONF.glob("log4j*.properties"):
        shutil.copyfile(file, home.flink_conf / file.name)
    application = (APPLICATION_CONF / "config.yaml").read_text().replace("s3://flink/", f"s3://{record.buckets.flink}/")
    lines = [f"{name}: {json.dumps(value)}" for name, value in local_settings(record, home).items()]
    text = "\n".join([application, "# --- the local stack, written by `darkroom up` ---", *lines, ""])
    (home.flink_conf / "config.yaml").write_text(text)
    for folder in (home.run / "flink-tmp", home.run / "flink-pids", home.logs / "flink"):
        folder.mkdir(parents=True, exist_ok=True)


def cluster_programs(record: StackRecord, home: Home) -> list[Program]:
    """Return how the JobManager and the TaskManager run."""
    scripts = f"{record.flink_home}/bin"
    environment = {
        **job_environment(target_of(record)),
        "FLINK_CONF_DIR": str(home.flink_conf),
        "FLINK_IDENT_STRING": "darkroom",
        "HOSTNAME": "local",  # part of the names of the log files
        "AWS_CONFIG_FILE": str(home.run / "no-aws-config"),  # a user's own AWS profile must not leak in
        "AWS_EC2_METADATA_DISABLED": "true",  # wrong credentials fail at once instead of asking the network
        "MALLOC_ARENA_MAX": "1",  # the fifty threads of a Python worker would each keep freed memory for themselves
    }
    taskmanager = (f"{scripts}/taskmanager.sh", "start-foreground", "-D", f"io.tmp.dirs={home.taskmanager_tmp}")
    wrapper = (sys.executable, "-m", "darkroom.stack.taskmanager", str(home.path))
    return [
        Program("jobmanager", (f"{scripts}/jobmanager.sh", "start-foreground"), 30, environment),
        Program("taskmanager", (*wrapper, *taskmanager), 40, environment),
    ]


def jobmanager_problem(record: StackRecord) -> str | None:
    """Return why Flink's REST API cannot be used now, or None."""
    answer = _get(record, "/overview")
    return answer if isinstance(answer, str) else None


def taskmanager_problem(record: StackRecord, started_at: float | None = None) -> str | None:
    """Return why no TaskManager offers slots now, or None.

    Args:
        record: where Flink is.
        started_at: seconds since the epoch; a heartbeat from before it came from a predecessor and does not count.

    """
    answer = _get(record, "/taskmanagers")
    if isinstance(answer, str):
        return f"is unknown, because the JobManager {answer}"
    heartbeats = [manager["timeSinceLastHeartbeat"] / 1000 for manager in answer["taskmanagers"]]
    if not any(heartbeat > (started_at or 0.0) for heartbeat in heartbeats):
        return "has not registered with the JobManager"
    return None


def _get(record: StackRecord, path: str) -> Any:
    """Return the decoded answer, or a string that says why there is none."""
    try:
        answer = urllib3.request("GET", record.flink_url + path, timeout=REQUEST_TIMEOUT_SECONDS, retries=False)
    except urllib3.exceptions.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    return answer.json() if answer.status == 200 else f"answers with status {answer.status}"
