"""Turns of everyone on the same sources, in rounds: the machine drifts, so what is compared is done side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import median, quantiles

import psutil

from darkroom.console import Counter, remarks
from peer.peer import Peer
from udfs.imaging.preset import Preset


@dataclass(frozen=True, slots=True)
class Work:
    """Presets to develop sources with, and as many sources as keep everyone busy for a turn."""

    name: str
    presets: Sequence[Preset]
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Turn:
    """One peer's turn; CPU is that of the whole machine: the store, the stack at rest and the client too."""

    work: str
    peer: str
    round: int
    sources_per_second: float
    cpu_ms: float  # per source


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds and their middle half."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return that of the values."""
        low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
        return cls(low, median(values), high)

    def told(self, digits: int) -> str:
        """Return ``1.23 (1.20-1.25)``."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def play(peers: Sequence[Peer], works: Iterable[Work], round_: int, counter: Counter) -> list[Turn]:
    """Give every peer its turn at every work; who comes first changes from round to round."""
    turns = []
    for work in works:
        for peer in islice(cycle(peers), round_ % len(peers), round_ % len(peers) + len(peers)):
            counter.describe(f"round {round_ + 1}: {peer.name}, {work.name}")
            before = _cpu_seconds()
            done = peer.develop(work.keys, work.presets)
            cpu_ms = (_cpu_seconds() - before) / done.sources * 1000
            turns.append(Turn(work.name, peer.name, round_, done.per_second, cpu_ms))
            remarks().print(f"round {round_ + 1}, {work.name}: {peer.name} {done.per_second:.1f}/s", style="dim")
            counter.advance()
    return turns


def ratios(turns: Iterable[Turn], work: str, one: str, other: str) -> Spread:
    """Return how much faster the one peer is than the other, from the ratio of each round."""
    rates: Mapping[tuple[str, int], float] = {
        (turn.peer, turn.round): turn.sources_per_second for turn in turns if turn.work == work
    }
    numbers = sorted(number for peer, number in rates if peer == one)
    return Spread.of([rates[one, number] / rates[other, number] for number in numbers])


def _cpu_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait)
