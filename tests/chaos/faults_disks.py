"""The disk under MinIO or under Kafka is full for a while."""

import io
from random import Random

from minio.error import MinioException
from urllib3.exceptions import HTTPError

from darkroom.storage import connect
from tests.chaos.faults import Kind, World
from tests.chaos.faults_processes import process_of
from tests.chaos.recovery import Stopwatch

PROBE = "chaos/probe"
PROBE_BYTES = 300_000  # more than MinIO keeps beside its metadata
NO_SPACE = "No space left on device"


def minio_full(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Fill MinIO's disk until it refuses to store and checkpoints stand still; then free it."""
    disk = world.disks["minio"]
    stopwatch.inject()
    try:
        refusal = world.wait(lambda: disk.fill() and _refusal(world), "MinIO refuses to store")
        world.wait(lambda: disk.fill() and world.watch.overdue(), "checkpoints stand still while MinIO's disk is full")
    finally:
        disk.free()
        stopwatch.end()
    return f"MinIO answered {refusal}; checkpoints stood still"


def kafka_full(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Fill Kafka's disk until the broker says so and ends; then free it."""
    disk = world.disks["kafka"]
    pid = process_of(world, "kafka")
    log = world.stage.home.logs / "kafka.log"
    read_to = log.stat().st_size
    stopwatch.inject()
    try:
        world.wait(lambda: disk.fill() and _says(log.read_bytes()[read_to:]), "the broker's log tells of a full disk")
        world.wait(lambda: disk.fill() and world.watch.overdue(), "checkpoints stand still while Kafka's disk is full")
    finally:
        disk.free()
        stopwatch.end()
    return f"the broker said {NO_SPACE!r}; {pid} became {process_of(world, 'kafka')}"


def _refusal(world: World) -> str:
    target = world.stage.target
    try:
        connect(target).put_object(target.buckets.flink, PROBE, io.BytesIO(bytes(PROBE_BYTES)), PROBE_BYTES)
    except (MinioException, HTTPError) as error:
        return str(getattr(error, "code", type(error).__name__))
    return ""


def _says(log: bytes) -> bool:
    return NO_SPACE.encode() in log


KINDS = (
    Kind("disk full under MinIO", 1, minio_full),
    Kind("disk full under Kafka", 1, kafka_full),
)
