"""`darkroom verify`: the proof, on real Kafka and a real store."""

from contextlib import ExitStack
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table

from darkroom.console import Counter, cell, counting, output, remarks, write_json
from darkroom.errors import UsageError
from darkroom.kafka import KafkaTopic
from darkroom.moments import epoch_ms, parse_moment, parse_span
from darkroom.replay import DEFAULT_RATE
from darkroom.storage import S3Objects
from darkroom.target import Target, resolve_target
from darkroom.verify.findings import Kind
from darkroom.verify.mending import mend, plan_repairs, tell
from darkroom.verify.oracle import Options, Streams, verify_streams
from darkroom.verify.report import Report, notes, summary
from darkroom.writers import writer_schemas

SHOWN_PER_KIND = 20
DETAIL_CHARACTERS = 200
DEDUPE_WINDOW = timedelta(hours=24)  # the job's default: a repeated event id within it gets no second status


def verify(
    since: Annotated[
        str | None,
        typer.Option(
            help="Judge only what happened since then: `90s`, `30m`, `2h`, `7d`, or an ISO time such as"
            " 2026-05-04T12:00 (local unless it names an offset). Statuses carry the time of their event, so both are"
            " in the window or both are not. Needed when a topic no longer has its whole history. Objects that no"
            " status accounts for can only be told from the whole history, so they are not looked for.",
        ),
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="While events lack their outcome, wait up to this long for it. An event in flight counts as lost"
            " otherwise.",
        ),
    ] = 0.0,
    presence_only: Annotated[
        bool,
        typer.Option(
            "--presence-only", help="Compare presence and size of objects and do not read their bytes: much faster."
        ),
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Say what would mend the findings: events whose status, dead letter or objects are lost or corrupt"
            " are replayed, as `darkroom replay` does it; objects that nothing accounts for are removed.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --repair: do it.")] = False,
    older_than: Annotated[
        str,
        typer.Option(
            metavar="SPAN",
            help="With --repair: leave events without an outcome and objects alone that are younger than this; what is"
            " on its way through the job looks the same.",
        ),
    ] = "3h",
    rate: Annotated[
        float, typer.Option(min=0.001, metavar="EVENTS/S", help="With --repair: publish no faster than this.")
    ] = DEFAULT_RATE,
    json_: Annotated[
        bool, typer.Option("--json", help="Write every finding as one JSON line, and the figures as the last line.")
    ] = False,
) -> None:
    """Prove that every event has exactly one outcome and every announced object is there.

    Reads events, statuses, dead letters (committed records only) and the derivatives' bucket, and names everything
    that is lost, duplicated, orphaned or corrupt. Changes nothing, unless told to by --repair --yes, and may run
    while the job does. The last line has the figures. Exit status 0 when all is right, 1 when anything is not; after
    a repair, 1 when something was left.
    """
    if yes and not repair:
        message = "--yes goes with --repair"
        raise UsageError(message)
    in_flight = parse_span(older_than, "--older-than")
    target = resolve_target()
    since_ms = epoch_ms(parse_moment(since, "--since")) if since else None
    with counting("verifying") as counter:
        report = verify_target(
            target, since_ms=since_ms, wait_seconds=wait, read_bytes=not presence_only, counter=counter
        )
    with report:
        _write(report) if json_ else _print(report)
        if repair and not report.ok:
            _repair(target, report, in_flight, rate, yes=yes, as_json=json_)
        elif not report.ok:
            raise typer.Exit(1)


def _repair(target: Target, report: Report, in_flight: timedelta, rate: float, *, yes: bool, as_json: bool) -> None:
    repairs = plan_repairs(target, report, in_flight)
    if yes:
        mend(target, repairs, rate)
    tell(repairs, done=yes, as_json=as_json)
    if not yes or repairs.unmendable:
        raise typer.Exit(1)


def verify_target(
    target: Target,
    *,
    since_ms: int | None = None,
    wait_seconds: float = 0.0,
    read_bytes: bool = True,
    counter: Counter | None = None,
) -> Report:
    """Verify what a target has; `since_ms` is epoch milliseconds. The caller closes the report."""
    options = Options(
        derivatives_bucket=target.buckets.derivatives,
        whole_history=since_ms is None,
        read_bytes=read_bytes,
        wait_seconds=wait_seconds,
        writers=tuple(writer_schemas()),
    )
    with ExitStack() as stack:
        return verify_streams(_streams(stack, target, since_ms), S3Objects(target), options, counter)


def _streams(stack: ExitStack, target: Target, since_ms: int | None) -> Streams:
    def topic(name: str, start: int | None = since_ms, end: int | None = None) -> KafkaTopic:
        return stack.enter_context(KafkaTopic(target.kafka_bootstrap, name, since_ms=start, until_ms=end))

    names = target.topics
    window_ms = int(DEDUPE_WINDOW.total_seconds() * 1000)
    earlier = None if since_ms is None else topic(names.status, max(0, since_ms - window_ms), since_ms)
    return Streams(topic(names.events), topic(names.status), topic(names.dead_letters), earlier)


def _write(report: Report) -> None:
    for finding in report.findings():
        write_json(asdict(finding))
    write_json(report.as_json())


def _print(report: Report) -> None:
    console = output()
    for kind in Kind:
        total = getattr(report.figures, kind.value)
        if total:
            console.print(_table(report, kind, total))
    for note in notes(report.figures):
        remarks().print(note)
    console.print(summary(report.figures), style="green" if report.ok else "red", soft_wrap=True)


def _table(report: Report, kind: Kind, total: int) -> Table:
    table = Table(title=f"{kind.value}: {total:,}", title_justify="left", box=None, pad_edge=False)
    for column in ("what", "user", "image", "event", "object", "detail"):
        table.add_column(column, overflow="fold")
    shown = list(report.findings(kind, SHOWN_PER_KIND))
    for one in shown:
        texts = (one.subject, one.user_id, one.image_id, one.event_id, one.key)
        detail = f"{one.count} x {one.detail}" if one.count > 1 else one.detail
        table.add_row(*(cell(text or "-") for text in texts), cell(detail, limit=DETAIL_CHARACTERS))
    if len(shown) == SHOWN_PER_KIND:
        table.caption = f"the first {SHOWN_PER_KIND}; --json has all"
        table.caption_justify = "left"
    return table
