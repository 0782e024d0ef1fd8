"""Where a secret could be seen from outside: everything Flink's web interface answers, and every stored object."""

from collections.abc import Iterator

import urllib3
from minio.error import S3Error

from darkroom.storage import connect
from darkroom.target import Target

CLUSTER = (
    "/config",
    "/overview",
    "/jobmanager/config",
    "/jobmanager/environment",
    "/jobmanager/thread-dump",
    "/jobmanager/metrics",
    "/jobs/overview",
    "/taskmanagers",
)
OF_JOB = (
    *("", "/plan", "/config", "/exceptions", "/accumulators", "/checkpoints", "/checkpoints/config"),
    *("/jobmanager/config", "/jobmanager/environment", "/metrics"),
)
OF_TASKMANAGER = ("", "/thread-dump", "/metrics")


def web_answers(url: str) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the body of every answer; each has to be one that a browser would show."""
    jobs = [job["jid"] for job in _json(url, "/jobs/overview")["jobs"]]
    managers = [manager["id"] for manager in _json(url, "/taskmanagers")["taskmanagers"]]
    paths = [
        *CLUSTER,
        *(f"/jobmanager/logs/{log['name']}" for log in _json(url, "/jobmanager/logs")["logs"]),
        *(f"/jobs/{job}{path}" for job in jobs for path in OF_JOB),
        *(f"/taskmanagers/{manager}{path}" for manager in managers for path in OF_TASKMANAGER),
        *(
            f"/taskmanagers/{manager}/logs/{log['name']}"
            for manager in managers
            for log in _json(url, f"/taskmanagers/{manager}/logs")["logs"]
        ),
        *(
            f"/jobs/{job}/vertices/{vertex['id']}{path}"
            for job in jobs
            for vertex in _json(url, f"/jobs/{job}")["vertices"]
            for path in ("", "/accumulators", "/taskmanagers", "/metrics")
        ),
    ]
    for path in paths:
        yield path, _body(url, path)


def stored_objects(target: Target) -> Iterator[tuple[str, bytes]]:
    """Yield every object of every bucket, with its name and its metadata among its bytes; not what goes meanwhile."""
    store = connect(target)
    for bucket in store.list_buckets():
        for item in store.list_objects(bucket.name, recursive=True):
            try:
                response = store.get_object(bucket.name, item.object_name or "")
            except S3Error as error:
                if error.code == "NoSuchKey":  # the job has newer checkpoints
                    continue
                raise
            try:
                yield f"{bucket.name}/{item.object_name}", str(response.headers).encode() + response.read()
            finally:
                response.release_conn()


def _json(url: str, path: str) -> dict[str, list[dict[str, str]]]:
    answer: dict[str, list[dict[str, str]]] = urllib3.request("GET", url + path, timeout=20, retries=False).json()
    return answer


def _body(url: str, path: str) -> bytes:
    answer = urllib3.request("GET", url + path, timeout=60, retries=False)
    assert answer.status == 200, f"{path}: {answer.status} {answer.data[:200]!r}"
    return answer.data
