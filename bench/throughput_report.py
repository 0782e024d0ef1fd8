"""What the throughput of the job and of the bare loop is told as: figures of each round, tables, ratios."""

import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from load import p50_p99_max
from processes import OTHERS, PARTS, RENDERING, Usage

OTHERS_SHARE = 0.1  # at rest, the kernel and small helpers take 4 to 6 %


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the job or of the bare loop."""

    events_per_s: float  # in the middle of the run, see bench/stored.py
    idle: float  # share of the machine that nobody used meanwhile
    cpu_ms: dict[str, float]  # of each part per event, meanwhile
    whole_s: float  # from the first event sent until the last status was read; of the bare loop, until its end
    usage: Usage


@dataclass(frozen=True, slots=True)
class Round:
    """One run of each, one right after the other; `ratio` is the job's rate by the bare loop's."""

    job: Run
    bare: Run
    ratio: float


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """What was measured of one set of presets."""

    case: str
    events: int  # of one run
    derivatives: int  # of one event
    rounds: tuple[Round, ...]
    checkpoint_s: tuple[float, ...]  # those that were triggered while the job had work, from trigger to end

    @property
    def ratio(self) -> float:
        """The median of the ratios of the rounds."""
        return statistics.median(one.ratio for one in self.rounds)


def case_rows(measured: Sequence[CaseFigures]) -> Iterator[tuple[str, ...]]:
    """Yield a heading and a row for each case: rates, ratio and checkpoints."""
    yield (
        "presets",
        "job, events/s",
        "bare loop, events/s",
        "job, derivatives/s",
        "bare loop, derivatives/s",
        "job / bare loop",
        "rendering alone, events/s: job, bare loop by it",
        "idle, job / bare loop",
        "checkpoints under load: p50, p99, max",
    )
    for one in measured:
        job, bare = (statistics.median(run.events_per_s for run in runs) for runs in _sides(one))
        rates = (job, bare, job * one.derivatives, bare * one.derivatives)
        idle = [statistics.median(run.idle for run in runs) for runs in _sides(one)]
        idle_told = " / ".join(f"{share:.0%}" for share in idle)
        limit = _physical_limit(one)
        limit_told = f"{limit:.0f}: {job / limit:.2f}, {bare / limit:.2f}"
        told = (_ratio(one), limit_told, idle_told, p50_p99_max(one.checkpoint_s))
        yield one.case, *(f"{rate:.1f}" for rate in rates), *told


def part_rows(measured: Sequence[CaseFigures]) -> Iterator[tuple[str, ...]]:
    """Yield a heading and a row for each part: CPU per derivative, job and bare loop, and its peak of memory."""
    cases = [one.case for one in measured]
    yield "part", *(f"{case}: ms of CPU, job / bare loop" for case in cases), *(f"{case}: peak MiB" for case in cases)
    for part in PARTS:
        peaks = (f"{_peak_mib(one, part):.0f}" if part != OTHERS else "" for one in measured)
        yield part, *(_costs(one, [part]) for one in measured), *peaks
    yield "all", *(_costs(one, PARTS) for one in measured), *("" for _ in cases)


def ratio_lines(measured: Sequence[CaseFigures]) -> Iterator[str]:
    """Yield the ratio of each case as a line."""
    for one in measured:
        yield f"{one.case}: job / bare loop {_ratio(one)} in {len(one.rounds)} rounds of {one.events:,} events"


def spoiled(measured: Sequence[CaseFigures]) -> Iterator[str]:
    """Yield a sentence for each case in which other programs had so much of the machine that its figures are void."""
    for one in measured:
        runs = [run for runs in _sides(one) for run in runs]
        share = max(run.cpu_ms[OTHERS] / sum(run.cpu_ms.values()) for run in runs)
        if share > OTHERS_SHARE:
            yield f"{one.case}: other programs took up to {share:.0%} of the CPU; measure again on a machine at rest"


def _ratio(one: CaseFigures) -> str:
    ratios = sorted(each.ratio for each in one.rounds)
    if len(ratios) == 1:
        return f"{ratios[0]:.3f}"
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{one.ratio:.3f} ({low:.3f} to {high:.3f})"


def _physical_limit(one: CaseFigures) -> float:
    """Return at how many events a second all cores could render if they had nothing else to do."""
    cores = os.cpu_count() or 1
    return statistics.median(cores * 1000 / each.job.cpu_ms[RENDERING] for each in one.rounds)


def _costs(one: CaseFigures, parts: Sequence[str]) -> str:
    """Return the median milliseconds of CPU per derivative, of the job and of the bare loop."""
    spent = (statistics.median(sum(run.cpu_ms[part] for part in parts) for run in runs) for runs in _sides(one))
    return " / ".join(f"{each / one.derivatives:.1f}" for each in spent)


def _peak_mib(one: CaseFigures, part: str) -> float:
    return max(run.usage.peak_mib[part] for runs in _sides(one) for run in runs)


def _sides(one: CaseFigures) -> tuple[list[Run], list[Run]]:
    return [each.job for each in one.rounds], [each.bare for each in one.rounds]
