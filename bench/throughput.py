"""Measures the job against a bare loop that does the same GET, render and PUT on the same machine (bench/bare_loop.py).

The rate of either is taken from the moments at which the store has the last derivative of an event, between the events
at a tenth and at nine tenths of the run: all processes are at work there, and what checkpoints and commits cost is in
it. The two never run at the same moment; they take turns, and who begins changes from round to round. Both render the
same photographs with the same presets in as many processes. Every event is a new image; a run counts only when every
event is answered and every derivative is stored.
"""

import os
import statistics
import tempfile
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from bare_loop import BareLoop
from contest import Contest
from load import Load
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import write_figures, write_record
from photographs import photographs
from rich.table import Table
from throughput_report import CaseFigures, case_rows, part_rows, ratio_lines, spoiled

from darkroom.console import counting, output, remarks, write_json
from darkroom.errors import UsageError
from darkroom.publisher import Publisher
from darkroom.stack.layout import cache_from, home_from
from darkroom.stack.record import read_record
from darkroom.target import Target, resolve_target
from jobs.presets_reading import read_presets
from jobs.settings import DEFAULT_PRESETS, Settings
from schemas.records import Source

COMMAND = "make bench"
COMMAND_PARTS = "make bench, by part"
ONE = "version: 1\npresets: [{{name: fit-512, width: 512, height: 512, {}}}]\nsets: {{default: [fit-512]}}\n"


@dataclass(frozen=True, slots=True)
class Case:
    """One set of presets; the file's default set, which is every event's."""

    name: str
    presets: str | None  # a presets file; None: the job's own
    share: float  # of the seconds that a run is to last


CASES = (
    Case("512 px JPEG", ONE.format("format: jpeg, quality: 80"), 1.0),
    Case("default set", None, 1.0),
    Case("512 px PNG", ONE.format("format: png"), 0.4),
    Case("512 px WebP", ONE.format("format: webp, quality: 80"), 0.4),
    Case("512 px AVIF", ONE.format("format: avif, quality: 60"), 0.4),
)


def throughput(
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each side per case.")] = 5,
    seconds: Annotated[float, typer.Option(min=5, help="About how long a run lasts; formats take 0.4 of it.")] = 25.0,
    presets_case: Annotated[
        list[str] | None,
        typer.Option(help=f"One of: {', '.join(case.name for case in CASES)}; give it several times. Default: all."),
    ] = None,
    interval: Annotated[str, typer.Option(help="Checkpoint interval.")] = "10s",
    pictures: Annotated[
        Path | None, typer.Option("--photographs", help="A folder of JPEG files instead of those that are fetched.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the figures into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print the throughput of the job, that of a bare loop, and their ratio; a quarter of an hour for all cases.

    Starts the local stack if it does not run, and leaves it running; no job may run on it, and nothing else should use
    the machine.
    """
    cases = _chosen(presets_case)
    found = photographs(cache_from(os.environ).path, lambda said: remarks().print(said, style="dim"), pictures)
    darkroom("up", environment=dict(os.environ))
    measured = [_measure(case, found, rounds, seconds, interval) for case in cases]
    for sentence in spoiled(measured):
        remarks().print(sentence, style="red")
    if write:
        runs = f"Medians of {rounds} rounds; in brackets the middle half. Checkpoint interval {interval}."
        write_figures("performance", COMMAND, case_rows(measured), runs)
        write_figures("performance", COMMAND_PARTS, part_rows(measured), runs)
        write_record("performance", "throughput", [asdict(one) for one in measured])
    if as_json:
        write_json([asdict(one) for one in measured])
        return
    for rows in (case_rows(measured), part_rows(measured)):
        output().print(_table(rows))
    for line in ratio_lines(measured):
        output().print(line)


def _table(rows: Iterable[Sequence[str]]) -> Table:
    heading, *others = rows
    table = Table(*heading, box=None)
    for row in others:
        table.add_row(*row)
    return table


def _chosen(names: Sequence[str] | None) -> list[Case]:
    known = {case.name: case for case in CASES}
    for name in names or ():
        if name not in known:
            message = f"there is no case {name!r}; there are {', '.join(known)}"
            raise UsageError(message)
    return [known[name] for name in names or known]


def _measure(case: Case, pictures: Sequence[Path], rounds: int, seconds: float, interval: str) -> CaseFigures:
    with ExitStack() as open_until_measured:
        enter = open_until_measured.enter_context
        file = presets_file(case, Path(enter(tempfile.TemporaryDirectory())))
        place = enter(own_place(f"bench-{uuid.uuid4().hex[:8]}"))
        environment = {**place, "DARKROOM_PRESETS_FILE": str(file)}
        target, presets = resolve_target(environment), read_presets(file).choose(None)
        sources = upload(target, pictures)
        job_id = enter(running_job(target, environment, interval))
        load = enter(Load(target, sources))
        bare = enter(BareLoop(target, sources, presets, _rendering_processes(environment)))
        counter = enter(counting(case.name))
        contest = Contest(target, home_from(environment).path, job_id, load, bare, len(presets), counter)
        events = _warm(contest, len(sources), seconds * case.share)
        found = contest.rounds(rounds, events)
    return CaseFigures(case.name, events, len(presets), tuple(found), tuple(contest.checkpoint_s))


def _warm(contest: Contest, sources: int, seconds: float) -> int:
    """Warm both sides, and return how many events keep them busy that long: all sources as often as each other."""
    contest.run_bare(sources)
    contest.run_job(sources)
    rate = statistics.mean((contest.run_bare(sources).events_per_s, contest.run_job(sources).events_per_s))
    contest.checkpoint_s.clear()
    return max(1, round(rate * seconds / sources)) * sources


def presets_file(case: Case, folder: Path) -> Path:
    """Return the presets file of a case, which is written into the folder unless it is the job's own."""
    if case.presets is None:
        return DEFAULT_PRESETS
    path = folder / "presets.yaml"
    path.write_text(case.presets, "utf-8")
    return path


def upload(target: Target, pictures: Sequence[Path]) -> list[Source]:
    """Store the pictures as sources, which many events may share."""
    with Publisher(target) as publisher:
        return [publisher.upload("bench", path.name, path.read_bytes(), 1) for path in pictures]


def _rendering_processes(environment: dict[str, str]) -> int:
    record = read_record(home_from(environment))
    slots = record.slots if record else 1
    return slots * int(
        environment.get("DARKROOM_RENDER_PROCESSES") or Settings.model_fields["render_processes"].default
    )


if __name__ == "__main__":
    run_measurement("bench", throughput)
