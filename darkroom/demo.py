"""The command `demo`: everything an image can go through, on the real parts, with a picture and a proof at the end."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from minio import Minio
from minio.error import S3Error
from rich.table import Table

from darkroom.console import Counter, cell, counting, output, plural, remarks
from darkroom.contact_sheet import SheetPicture, SheetRow, contact_sheet
from darkroom.demo_acts import Act, acts_of_demo
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.kafka import follow
from darkroom.photos import demo_photos
from darkroom.publisher import Publisher
from darkroom.stack.commands import up
from darkroom.stack.layout import cache_from
from darkroom.storage import MISSING, connect, storage_errors
from darkroom.submit import submit
from darkroom.target import Target, resolve_target
from darkroom.verify.command import verify_target
from darkroom.verify.report import summary
from schemas.record_codecs import dead_letter_codec, status_codec
from schemas.records import DeadLetter, ImageStatus

OUTCOMES_WITHIN_SECONDS = 180.0
CHECKPOINT_INTERVAL = "2s"


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the contact sheet.", file_okay=False)] = Path("demo-out"),
) -> None:
    """Start everything, publish a varied set of events, and show what became of each.

    Photographs of several users, a replacement, a deletion, a duplicate, a late event, a repetition, broken and
    missing sources and bytes that are no event. Exit status 1 if anything is lost, duplicated, orphaned or corrupt.
    """
    up()
    target = resolve_target()
    if not FlinkRest(target).running_jobs():
        submit(checkpoint_interval=CHECKPOINT_INTERVAL)
    photos = demo_photos(cache_from(os.environ).path, lambda message: remarks().print(message, style="dim"))
    acts = _publish(target, photos)
    outcomes = _outcomes(target, acts)
    output().print(_table(acts, outcomes))
    sheet = _contact_sheet(target, acts, outcomes, out)
    with counting("verifying") as counter, verify_target(target, wait_seconds=10, counter=counter) as report:
        output().print(f"\ncontact sheet   {sheet}", soft_wrap=True)
        output().print(f"Flink           {target.flink_url}")
        if target.s3_console_url:
            output().print(
                f"MinIO console   {target.s3_console_url} (user and password: {target.credentials_file})",
                soft_wrap=True,
            )
        output().print(summary(report.figures), style="bold green" if report.ok else "bold red", soft_wrap=True)
        if not report.ok:
            output().print("`darkroom verify` names each finding")
            raise typer.Exit(1)


def _publish(target: Target, photos: list[Path]) -> list[Act]:
    with Publisher(target) as publisher, counting("publishing") as counter:
        acts = []
        for act in acts_of_demo(publisher, photos):
            key = act.event.user_id.encode() if act.event else None
            publisher.raw(key, act.payload)
            counter.advance()
            acts.append(act)
    return acts


def _outcomes(target: Target, acts: list[Act]) -> dict[str | bytes, ImageStatus | DeadLetter]:
    wanted: set[str | bytes] = {act.event.event_id if act.event else act.payload for act in acts}
    found: dict[str | bytes, ImageStatus | DeadLetter] = {}
    topics = [target.topics.status, target.topics.dead_letters]
    limit = time.monotonic() + OUTCOMES_WITHIN_SECONDS
    with counting("waiting for outcomes", len(wanted)) as counter:
        for seen in follow(target.kafka_bootstrap, topics, from_beginning=True):
            if seen and seen[1].value is not None:
                _note(seen[0] == target.topics.status, seen[1].value, wanted, found, counter)
            if len(found) == len(wanted):
                return found
            if time.monotonic() > limit:
                break
    message = (
        f"{plural(len(wanted) - len(found), 'event')} of {len(wanted)} had no outcome within "
        f"{OUTCOMES_WITHIN_SECONDS:.0f} s; see the job's exceptions at {target.flink_url}"
    )
    raise OperatorError(message)


def _note(
    is_status: bool,
    value: bytes,
    wanted: set[str | bytes],
    found: dict[str | bytes, ImageStatus | DeadLetter],
    counter: Counter,
) -> None:
    outcome = status_codec().decode(value) if is_status else dead_letter_codec().decode(value)
    name = outcome.event_id if isinstance(outcome, ImageStatus) else outcome.payload
    if name in wanted and name not in found:
        found[name] = outcome
        counter.advance()


def _table(acts: list[Act], outcomes: dict[str | bytes, ImageStatus | DeadLetter]) -> Table:
    table = Table("what happened", "user", "image", "outcome", "derivatives", "reason", box=None, pad_edge=False)
    seen: set[str] = set()
    for act in acts:
        if act.event is None:
            letter = outcomes[act.payload]
            reason = letter.reason if isinstance(letter, DeadLetter) else ""
            table.add_row(act.story, "", "", "dead letter", "", reason)
        elif act.event.event_id in seen:
            table.add_row(act.story, cell(act.event.user_id), cell(act.event.image_id), "ignored", "", "seen before")
        else:
            seen.add(act.event.event_id)
            table.add_row(act.story, *_status_cells(outcomes[act.event.event_id]))
    return table


def _status_cells(status: ImageStatus | DeadLetter) -> tuple[str, ...]:
    if isinstance(status, DeadLetter):
        return ("", "", "dead letter", "", status.reason)
    reasons = ", ".join(failure.reason for failure in status.failures)
    return (status.user_id, status.image_id, status.outcome, str(len(status.derivatives) or ""), reasons)


def _contact_sheet(
    target: Target, acts: list[Act], outcomes: dict[str | bytes, ImageStatus | DeadLetter], out: Path
) -> Path:
    client = connect(target)
    rows = [
        _sheet_row(act, status, _pictures(target, client, status))
        for number, act in enumerate(acts)
        if act.event
        and act.event not in [earlier.event for earlier in acts[:number]]
        and isinstance(status := outcomes[act.event.event_id], ImageStatus)
    ]
    out.mkdir(parents=True, exist_ok=True)
    path = out / "contact-sheet.png"
    path.write_bytes(contact_sheet(rows, "Darkroom: sources and their derivatives"))
    return path


def _sheet_row(act: Act, status: ImageStatus, pictures: tuple[SheetPicture, ...]) -> SheetRow:
    reason, message = None, None
    if status.failures:
        reason, message = status.failures[0].reason, status.failures[0].message
    elif status.derivatives and not pictures:
        message = "A later event replaced or deleted these derivatives; they are no longer stored."
    return SheetRow(
        f"{status.user_id}/{status.image_id}: {act.story}", act.source, status.outcome, pictures, reason, message
    )


def _pictures(target: Target, client: Minio, status: ImageStatus) -> tuple[SheetPicture, ...]:
    return tuple(
        SheetPicture(derivative.preset, derivative.width, derivative.height, data)
        for derivative in status.derivatives
        if (data := _stored(target, client, derivative.bucket, derivative.key)) is not None
    )


def _stored(target: Target, client: Minio, bucket: str, key: str) -> bytes | None:
    with storage_errors(target, bucket):
        try:
            response = client.get_object(bucket, key)
        except S3Error as error:
            if error.code in MISSING:
                return None
            raise
        with response:
            return response.read()
