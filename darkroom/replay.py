"""`darkroom replay`: failed events and dead letters, published again."""

from collections import Counter as Tally
from enum import Enum
from typing import Annotated

import typer

from darkroom.console import counting, output, plural, remarks, write_json
from darkroom.errors import UsageError
from darkroom.kafka import KafkaTopic
from darkroom.moments import epoch_ms, parse_moment
from darkroom.publisher import Publisher, paced
from darkroom.replay_selection import UNDECODABLE, Choosing, Entry, Plan, Selection
from darkroom.target import Target, resolve_target
from darkroom.writers import writer_schemas
from schemas.reasons import Reason
from schemas.records import Outcome

DEFAULT_RATE = 50.0  # events a second: what one or two slots develop besides what comes in
FLUSH_EVERY = 500  # records; what is acknowledged is not published again by the next run


class Replayable(Enum):
    """How an event ended that may be replayed."""

    FAILED = Outcome.FAILED.value
    PARTIAL = Outcome.PARTIAL.value
    REJECTED = Outcome.REJECTED.value
    UNDECODABLE = UNDECODABLE


def replay(
    outcome: Annotated[
        list[Replayable] | None,
        typer.Option(help="How they ended; may be given several times.  [default: FAILED, UNDECODABLE]"),
    ] = None,
    reason: Annotated[
        list[str] | None, typer.Option(help="Their reason code, such as TIME_BUDGET; may be given several times.")
    ] = None,
    user: Annotated[list[str] | None, typer.Option(help="Their user; may be given several times.")] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(
            help="A preset that failed, or one that an event which failed as a whole asks for by name; may be given"
            " several times."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what happened since then: `2h`, `7d`, or an ISO time.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Only what happened before then, in the same form.")] = None,
    rate: Annotated[float, typer.Option(min=0.001, metavar="EVENTS/S", help="Publish no faster than this.")] = (
        DEFAULT_RATE
    ),
    yes: Annotated[bool, typer.Option("--yes", help="Publish. Without it, only say what would be published.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Write the plan as one JSON object.")] = False,
) -> None:
    """Publish failed events and dead letters again; first as a dry run, with --yes for good.

    A failed event is replayed as a REDERIVE of its image and version (a deletion as a deletion) under an id made from
    its own, and gets a status of its own. A dead letter that no schema could decode is published as it was, once the
    schemas in DARKROOM_SCHEMAS_DIR decode it. What was replayed before, or is superseded since, is left out: the
    command may be stopped at any time, and run again.
    """
    target = resolve_target()
    selection = _selection(outcome, reason, user, preset, since, until)
    plan = make_plan(target, selection)
    if yes and plan.entries:
        publish_entries(target, plan.entries, rate)
    _tell(plan, rate, published=yes, as_json=json_)


def make_plan(target: Target, selection: Selection) -> Plan:
    """Read the target's topics and return what a replay would publish."""
    names = {
        "events": target.topics.events,
        "status": target.topics.status,
        "dead_letters": target.topics.dead_letters,
    }
    with counting("reading") as counter:
        choosing = Choosing(
            selection, lambda role: KafkaTopic(target.kafka_bootstrap, names[role]), writer_schemas(), counter
        )
        return choosing.plan()


def publish_entries(target: Target, entries: list[Entry], rate: float) -> None:
    """Publish records in their order, at most `rate` a second; each is acknowledged when this returns."""
    with counting("publishing", len(entries)) as counter, Publisher(target) as publisher:
        for number, entry in enumerate(paced(entries, rate), start=1):
            publisher.raw(entry.key, entry.value, entry.headers)
            if number % FLUSH_EVERY == 0:
                publisher.flush()
            counter.advance()


def _selection(
    outcomes: list[Replayable] | None,
    reasons: list[str] | None,
    users: list[str] | None,
    presets: list[str] | None,
    since: str | None,
    until: str | None,
) -> Selection:
    unknown = [name for name in reasons or () if name not in Reason.__members__]
    if unknown:
        message = f"--reason {unknown[0]!r} is no reason code; docs/events-and-statuses.md lists them"
        raise UsageError(message)
    chosen = outcomes or [Replayable.FAILED, Replayable.UNDECODABLE]
    return Selection(
        outcomes=frozenset(Outcome(one.value) for one in chosen if one is not Replayable.UNDECODABLE),
        undecodable=Replayable.UNDECODABLE in chosen,
        reasons=frozenset(Reason(name) for name in reasons or ()),
        users=frozenset(users or ()),
        presets=frozenset(presets or ()),
        since_ms=epoch_ms(parse_moment(since, "--since")) if since else 0,
        until_ms=epoch_ms(parse_moment(until, "--until")) if until else None,
    )


def _tell(plan: Plan, rate: float, *, published: bool, as_json: bool) -> None:
    tally = Tally((entry.outcome, entry.reason.value) for entry in plan.entries)
    rows = [{"outcome": outcome, "reason": reason, "count": n} for (outcome, reason), n in sorted(tally.items())]
    if as_json:
        skipped = {words: count for words, count in plan.skipped.items() if count}
        write_json({"published": published, "records": len(plan.entries), "of": rows, "skipped": skipped})
        return
    for row in rows:
        output().print(f"{row['count']:>9,}  {row['outcome']} {row['reason']}")
    for words, left_out in sorted(plan.skipped.items()):
        if left_out:
            remarks().print(f"{left_out:>9,}  {words}: left out")
    records = plural(len(plan.entries), "record")
    if published:
        output().print(f"{records} published")
    elif plan.entries:
        output().print(f"{records} to publish, in {len(plan.entries) / rate:,.0f} s; --yes does it")
    else:
        output().print("nothing to replay")
