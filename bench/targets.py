"""Tells what was aimed at and what was measured, from the records of the other commands; measures nothing itself.

Ratios of rounds are told as their median and, in brackets, the middle half of them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Annotated, Any

import typer
from latency import INTERVALS, beyond
from load import percentile
from measurement import run_measurement
from pages import DOCS, write_table

from darkroom.console import output, write_json

COMMAND = "make bench-targets"
RECORDS = DOCS / "performance"
HALF_LOAD = 50  # percent of the capacity
P50_LIMIT_S, P99_LIMIT_S = 0.4, 1.0  # beyond half an interval, and beyond a whole one
MISSING = "no record yet"
BELOW = "When and on which machine each was measured, the table of its command tells."


@dataclass(frozen=True, slots=True)
class Target:
    """What was aimed at, by which command it is measured, and what that found; `met` is None without a record."""

    what: str
    aim: str
    command: str
    found: str
    met: bool | None


def targets(
    write: Annotated[bool, typer.Option("--write", help="Write the table into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print what was aimed at beside what the last measurements have found."""
    found = [*_against_the_bare_loop(), *_through_a_spike(), *_latencies(), *_against_peers(), *_state(), *_memory()]
    if write:
        write_table("performance", COMMAND, _rows(found), BELOW)
    if as_json:
        write_json([{name: getattr(one, name) for name in Target.__slots__} for one in found])
        return
    for row in _rows(found):
        output().print(" | ".join(row), soft_wrap=True)


def _against_the_bare_loop() -> Iterator[Target]:
    command = "make bench"
    cases = {one["case"]: one for one in _record("throughput") or ()}
    for name, aim in (("512 px JPEG", 0.95), ("default set", 0.97)):
        ratios = [one["ratio"] for one in cases[name]["rounds"]] if name in cases else []
        yield _at_least(f"job by bare loop, {name}", aim, command, ratios)
    for name in ("512 px JPEG", "default set"):
        seconds = cases[name]["checkpoint_s"] if name in cases else []
        yield _checkpoints(f"longest checkpoint under saturation, {name}", command, seconds, 100)


def _through_a_spike() -> Iterator[Target]:
    record = _record("spike")
    seconds = record["figures"]["checkpoint_s"] if record else []
    yield _checkpoints("checkpoint under saturation, p99, a spike of the default set", "make bench-spike", seconds, 99)


def _checkpoints(what: str, command: str, seconds: Sequence[float], percent: float) -> Target:
    limit = "at most 1 s"
    if not seconds:
        return Target(what, limit, command, MISSING, None)
    found = percentile(seconds, percent)
    return Target(what, limit, command, f"{found:.2f} s of {len(seconds)}", found <= 1.0)


def _latencies() -> Iterator[Target]:
    cells = [
        one
        for one in _record("latency") or ()
        if (one["guarantee"], one["load_percent"]) == ("exactly-once", HALF_LOAD)
    ]
    complete = {one["interval_s"] for one in cells} >= set(INTERVALS)
    for rank, share, limit in (("p50", 0.5, P50_LIMIT_S), ("p99", 1.0, P99_LIMIT_S)):
        told = ", ".join(
            f"{one['interval_s']:g} s: {beyond(one[rank], one[f'rounds_{rank}'], share * one['interval_s'])}"
            for one in cells
        )
        what = f"{rank} of the latency at half the capacity, beyond {'half the' if share < 1 else 'the'} interval"
        met = all(one[rank] - share * one["interval_s"] <= limit for one in cells) if complete else None
        yield Target(what, f"at most {limit:g} s", "make bench-latency", told or MISSING, met)


def _against_peers() -> Iterator[Target]:
    record = _record("peers")
    if record is None:
        yield Target("job by its peers", "at least 0.9 to 1.5", "make bench-peers", MISSING, None)
        return
    for one in record["ratios"]:
        if one["target"] is not None:
            spread = one["spread"]
            found = f"{spread['median']:.2f} ({spread['low']:.2f} to {spread['high']:.2f})"
            what, aim = f"job by {one['peer']}, {one['work']}", f"at least {one['target']:g}"
            yield Target(what, aim, "make bench-peers", found, spread["median"] >= one["target"])


def _state() -> Iterator[Target]:
    command = "make bench-state"
    record = _record("state") or {}
    if "ratios" not in record:
        yield Target("decode and admit of an event's CPU, a million users", "at most 3 %", command, MISSING, None)
        yield Target("CPU per event, a million users by a thousand", "0.9 to 1.1", command, MISSING, None)
        return
    for what, values in record["ratios"].items():
        if "share of the CPU" in what:
            yield Target(what, "at most 0.03", command, _spread(values), median(values) <= 0.03)
        elif "users by" in what and "CPU" in what:
            yield Target(what, "0.9 to 1.1", command, _spread(values), 0.9 <= median(values) <= 1.1)


def _memory() -> Iterator[Target]:
    record = _record("memory")
    what, aim, command = "memory of a slot, last tenth of an hour by first", "at most 1.02", "make bench-memory"
    if record is None:
        yield Target(what, aim, command, MISSING, None)
        return
    parts = [one for one in record["parts"] if one["part"] != "JobManager"]
    first, last = (sum(one[when] for one in parts) / record["slots"] for when in ("first", "last"))
    found = f"{last / first:.3f}: {first:.0f} MiB, then {last:.0f} MiB, in {record['minutes']:g} min"
    yield Target(what, aim, command, found, last / first <= 1.02)


def _at_least(what: str, aim: float, command: str, ratios: Sequence[float]) -> Target:
    if not ratios:
        return Target(what, f"at least {aim:g}", command, MISSING, None)
    return Target(what, f"at least {aim:g}", command, _spread(ratios), median(ratios) >= aim)


def _spread(values: Sequence[float]) -> str:
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    return f"{middle:.3f} ({low:.3f} to {high:.3f})"


def _record(name: str) -> Any:
    path = RECORDS / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _rows(found: Sequence[Target]) -> list[tuple[str, ...]]:
    told = {True: "met", False: "missed", None: ""}
    body = [(one.what, one.aim, one.found, told[one.met], f"`{one.command}`") for one in found]
    return [("what", "aim", "measured", "", "command"), *body]


if __name__ == "__main__":
    run_measurement("targets", targets)
