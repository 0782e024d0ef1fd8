"""Carries repairs out on a real target, or tells what they would be."""

import os
from collections import Counter as Tally
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from darkroom.console import cell, counting, output, plural, write_json
from darkroom.errors import OperatorError
from darkroom.kafka import KafkaTopic, connect_consumer, kafka_errors, partitions_of
from darkroom.publisher import now_ms
from darkroom.replay import publish_entries
from darkroom.storage import MISSING, connect, storage_errors
from darkroom.target import Target
from darkroom.verify.repair import DAY_MS, Planning, Repairs
from darkroom.verify.report import Report
from darkroom.writers import writer_schemas
from jobs.settings import Settings

SHA256 = "x-amz-meta-sha256"  # of every object that develop stores
SHOWN = 20


def plan_repairs(target: Target, report: Report, in_flight: timedelta) -> Repairs:
    """Return what would mend the report's findings; what is younger than `in_flight` is left alone.

    Raises:
        OperatorError: objects may seem orphaned only because the statuses that announced them are gone.
    """
    default_days = Settings.model_fields["image_memory_days"].default
    memory_ms = int(os.environ.get("DARKROOM_IMAGE_MEMORY_DAYS") or default_days) * DAY_MS
    in_flight_ms = int(in_flight.total_seconds() * 1000)
    planning = Planning(report, writer_schemas(), now_ms(), in_flight_ms, memory_ms)
    with KafkaTopic(target.kafka_bootstrap, target.topics.events) as events:
        repairs = planning.plan(events)
    if repairs.removals and not (report.figures.statuses and _has_whole_history(target)):
        message = (
            f"{plural(len(repairs.removals), 'object')} would be removed, but {target.topics.status} does not have its"
            " whole history: the statuses that account for them may have expired; remove what you are sure of by hand"
        )
        raise OperatorError(message)
    repairs.removals = list(_old_enough(target, repairs.removals, datetime.now(UTC) - in_flight))
    return repairs


def mend(target: Target, repairs: Repairs, rate: float) -> None:
    """Remove and publish what was planned; in this order, as what is published may store one of the keys again."""
    bucket = target.buckets.derivatives
    with counting("removing", len(repairs.removals)) as counter, storage_errors(target, bucket):
        for error in connect(target).remove_objects(bucket, (DeleteObject(key) for key in repairs.removals)):
            message = f"{error.name} cannot be removed from {bucket}: {error.code}"
            raise OperatorError(message)
        counter.advance(len(repairs.removals))
    if repairs.entries:
        publish_entries(target, repairs.entries, rate)


def tell(repairs: Repairs, *, done: bool, as_json: bool) -> None:
    """Say what was done, or would be."""
    tally = Tally(entry.outcome for entry in repairs.entries)
    if as_json:
        unmendable = Tally(one.why for one in repairs.unmendable)
        write_json({"done": done, "replays": tally, "removals": len(repairs.removals), "unmendable": unmendable})
        return
    console = output()
    for words, count in sorted(tally.items()):
        console.print(f"{count:>9,}  {words}: publish again")
    for key in repairs.removals[:SHOWN]:
        console.print(cell(f"           remove {key}", limit=200))
    for one in repairs.unmendable[:SHOWN]:
        what = one.finding.key or one.finding.event_id or one.finding.detail
        console.print(cell(f"           {one.finding.kind.value} {one.finding.subject} {what}: {one.why}", limit=400))
    records, objects = plural(len(repairs.entries), "record"), plural(len(repairs.removals), "object")
    left = plural(len(repairs.unmendable), "finding")
    if done:
        console.print(f"{records} published again, {objects} removed, {left} left; `darkroom verify --wait 60` tells")
    else:
        console.print(f"{records} to publish again, {objects} to remove, {left} to leave; --yes does it")


def _old_enough(target: Target, keys: list[str], before: datetime) -> Iterator[str]:
    """Yield the keys of objects that develop stored before that time."""
    client, bucket = connect(target), target.buckets.derivatives
    for key in keys:
        with storage_errors(target, bucket):
            try:
                found = client.stat_object(bucket, key)
            except S3Error as error:
                if error.code in MISSING:
                    continue
                raise
        made_here = SHA256 in {name.lower() for name in found.metadata or {}}
        if made_here and found.last_modified is not None and found.last_modified < before:
            yield key


def _has_whole_history(target: Target) -> bool:
    """Whether the status topic still begins with its first record."""
    topic = target.topics.status
    with kafka_errors(target.kafka_bootstrap):
        consumer = connect_consumer(target.kafka_bootstrap)
        try:
            beginnings = consumer.beginning_offsets(partitions_of(consumer, target.kafka_bootstrap, topic))
        finally:
            consumer.close(autocommit=False)
    return not any(beginnings.values())
