"""Measures the whole job against the image servers and scripts that people would otherwise pick, on the same work.

thumbor and pyvips answer over HTTP; sharp fetches from and stores to the same MinIO, and so does the job, whose work
counts when its status is committed. Everyone has the same photographs and presets (peers-presets.yaml), in turns that
alternate. Nothing else may use the machine.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import psutil
import typer
from equivalence import Likeness, compare
from measurement import run_measurement
from own_place import darkroom
from pages import write_figures, write_record
from peer.report import ONE, PAGE, all_ratios, problems, rows
from peer.rounds import Turn, Work, play
from peer.stage import Stage, staged
from photographs import photographs
from rich.table import Table

from darkroom.console import counting, output, remarks, write_json
from darkroom.stack.layout import cache_from
from jobs.presets_reading import read_presets
from udfs.imaging.preset import Preset

COMMAND = "make bench-peers"
PRESETS_FILE = Path(__file__).with_name("peers-presets.yaml")
WARMING = 3  # every third photograph warms everyone up
SAMPLED = 12  # of every twelfth the derivatives are looked at
REST_SECONDS = 5.0


def peers(
    rounds: Annotated[int, typer.Option(min=1, help="How often everyone has a turn.")] = 5,
    seconds: Annotated[float, typer.Option(min=5, help="How long a turn of the fastest takes.")] = 8.0,
    interval: Annotated[str, typer.Option(help="Checkpoint interval of the job.")] = "10s",
    presets_file: Annotated[
        Path, typer.Option(help="Presets, with the sets `default` and `page`.", exists=True, dir_okay=False)
    ] = PRESETS_FILE,
    folder: Annotated[Path | None, typer.Option("--photographs", help="JPEG photographs instead of ours.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write the figures and the record into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print how many sources a second the job and its peers develop, and how the job compares.

    Starts the local stack if it does not run, and leaves it running; no job may run on it. Fetches the peers from
    their package registries into the cache once; Node.js 20 and npm have to be there.
    """
    pictures = photographs(cache_from(os.environ).path, lambda words: remarks().print(words, style="dim"), folder)
    sets = read_presets(presets_file)
    asked = {ONE: sets.choose(None), PAGE: sets.choose(["page"])}
    darkroom("up", environment=dict(os.environ))
    with staged(pictures, presets_file.resolve(), interval) as stage:
        samples = {key: path.read_bytes() for key, path in [*zip(stage.keys, pictures, strict=True)][::SAMPLED]}
        works, likenesses = _warmed_up(stage, asked, samples, seconds)
        at_rest = psutil.cpu_percent(REST_SECONDS) / 100
        turns: list[Turn] = []
        with counting("turns", rounds * len(works) * len(stage.peers)) as counter:
            for number in range(rounds):
                turns += play(stage.peers, works, number, counter)
    _tell(turns, likenesses, at_rest, write, as_json)


def _warmed_up(
    stage: Stage, asked: Mapping[str, Sequence[Preset]], samples: Mapping[str, bytes], seconds: float
) -> tuple[list[Work], dict[str, list[Likeness]]]:
    """Have everyone develop some photographs; return the works of a turn, and how alike the derivatives are."""
    works, likenesses, some = [], {}, stage.keys[::WARMING]
    with counting("warming up", len(asked) * len(stage.peers)) as counter:
        for name, presets in asked.items():
            made, rates = {}, []
            for peer in stage.peers:
                started = time.monotonic()
                made[peer.name] = peer.made(some, presets)
                rates.append(len(some) / (time.monotonic() - started))
                counter.advance()
            likenesses[name] = compare(samples, presets, made)
            keys = [*islice(cycle(stage.keys), round(max(rates) * seconds))]
            works.append(Work(name, presets, keys))
    return works, likenesses


def _tell(
    turns: Sequence[Turn], likenesses: Mapping[str, Sequence[Likeness]], at_rest: float, write: bool, as_json: bool
) -> None:
    found = all_ratios(turns, likenesses)
    table = [*rows(turns, likenesses, found)]
    record = {
        "turns": [asdict(one) for one in turns],
        "likenesses": {work: [asdict(one) for one in all_] for work, all_ in likenesses.items()},
        "ratios": [asdict(one) for one in found],
        "busy_at_rest": at_rest,
    }
    if write:
        rounds = max(one.round for one in turns) + 1
        runs = f"Medians of {rounds} rounds of one run, in brackets their middle half; {_rest(at_rest)}."
        write_figures("performance", COMMAND, table, runs)
        write_record("performance", "peers", record)
    if as_json:
        write_json(record)
        return
    output().print(_shown(table), *problems(likenesses), _rest(at_rest), sep="\n")
    for ratio in found:
        output().print(ratio.told(), soft_wrap=True)


def _shown(table: Sequence[Sequence[str]]) -> Table:
    head, *body = table
    shown = Table(*head, box=None)
    for row in body:
        shown.add_row(*(value.strip("*") for value in row))
    return shown


def _rest(at_rest: float) -> str:
    return f"the stack at rest takes {at_rest:.0%} of the machine"


if __name__ == "__main__":
    run_measurement("peers", peers)
