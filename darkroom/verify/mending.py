"""Carries repairs out on a real target, or tells what they would be."""

from collections import Counter as Tally
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from minio.deleteobjects import DeleteObject
from minio.error import S3Error

from darkroom.console import cell, counting, output, plural, write_json
from darkroom.errors import OperatorError
from darkroom.kafka import KafkaTopic
from darkroom.publisher import now_ms
from darkroom.replay import publish_entries
from darkroom.storage import MISSING, connect, storage_errors
from darkroom.target import Target
from darkroom.verify.repair import Planning, Repairs
from darkroom.verify.report import Report
from darkroom.writers import writer_schemas

SHA256 = "x-amz-meta-sha256"  # of every object that develop stores
SHOWN = 20


def plan_repairs(target: Target, report: Report, in_flight: timedelta) -> Repairs:
    """Return what would mend the report's findings; what is younger than `in_flight` is left alone."""
    planning = Planning(report, writer_schemas(), now_ms(), int(in_flight.total_seconds() * 1000))
    with KafkaTopic(target.kafka_bootstrap, target.topics.events) as events:
        repairs = planning.plan(events)
    repairs.removals = list(_old_enough(target, repairs.removals, datetime.now(UTC) - in_flight))
    return repairs


def mend(target: Target, repairs: Repairs, rate: float) -> None:
    """Publish and remove what was planned."""
    if repairs.entries:
        publish_entries(target, repairs.entries, rate)
    bucket = target.buckets.derivatives
    with counting("removing", len(repairs.removals)) as counter, storage_errors(target, bucket):
        for error in connect(target).remove_objects(bucket, (DeleteObject(key) for key in repairs.removals)):
            message = f"{error.name} cannot be removed from {bucket}: {error.code}"
            raise OperatorError(message)
        counter.advance(len(repairs.removals))


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
