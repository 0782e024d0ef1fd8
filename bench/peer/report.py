"""What `make bench-peers` tells: a table of everyone at every work, and the ratios that have a target."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from equivalence import Likeness

from peer.rounds import Spread, Turn, ratios

ONE: Final = "one 512 px JPEG"
PAGE: Final = "a page's four"
TARGETS: Final[Mapping[tuple[str, str], float]] = {
    (ONE, "thumbor"): 1.1,
    (PAGE, "thumbor"): 1.5,
    (PAGE, "pyvips"): 1.5,
    (PAGE, "sharp"): 0.9,
}
UNEQUAL: Final = "†"


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much faster the job is than a peer; `target` is None where none is set, `equal` whether both do the same."""

    work: str
    peer: str
    spread: Spread
    target: float | None
    equal: bool

    def told(self) -> str:
        """Return one line of it."""
        mark = "" if self.equal else UNEQUAL
        aim = "" if self.target is None else f"; the target is {self.target}, {self._verdict(self.target)}"
        return f"{self.work}, the job against {self.peer}{mark}: {self.spread.told(2)}{aim}"

    def _verdict(self, target: float) -> str:
        return "met" if self.spread.median >= target else "missed"


def all_ratios(turns: Sequence[Turn], likenesses: Mapping[str, Sequence[Likeness]]) -> list[Ratio]:
    """Return the job's ratio to each of its peers at each work."""
    works, (job, *peers) = (
        dict.fromkeys(one.work for one in turns),
        dict.fromkeys(one.peer for one in turns if one.round == 0),
    )
    return [
        Ratio(
            work,
            peer,
            ratios(turns, work, job, peer),
            TARGETS.get((work, peer.split()[0])),
            not any(one.problem for one in likenesses[work] if one.peer in (job, peer)),
        )
        for work in works
        for peer in peers
    ]


def rows(
    turns: Sequence[Turn], likenesses: Mapping[str, Sequence[Likeness]], found: Sequence[Ratio]
) -> Iterator[tuple[str, ...]]:
    """Yield the table: its head, then everyone at every work."""
    yield "work", "who", "sources/s", "CPU per source", "SSIM", "kB per source", "the job against it", "target"
    by_pair = {(ratio.work, ratio.peer): ratio for ratio in found}
    for work, peer in dict.fromkeys((one.work, one.peer) for one in turns):
        mine = [one for one in turns if (one.work, one.peer) == (work, peer)]
        made = [one for one in likenesses[work] if one.peer == peer]
        ratio = by_pair.get((work, peer))
        yield (
            work,
            peer + (UNEQUAL if any(one.problem for one in made) else ""),
            Spread.of([one.sources_per_second for one in mine]).told(1),
            f"{median(one.cpu_ms for one in mine):.0f} ms",
            f"{fmean(one.ssim for one in made):.3f}",
            f"{sum(one.kilobytes for one in made):.0f}",
            f"**{ratio.spread.told(2)}**" if ratio else "",
            f"{ratio.target}" if ratio and ratio.target else "",
        )


def problems(likenesses: Mapping[str, Sequence[Likeness]]) -> Iterator[str]:
    """Yield a sentence for each derivative that is not what everyone should make."""
    for one in {one for all_ in likenesses.values() for one in all_ if one.problem}:
        yield f"{UNEQUAL} {one.peer} does not do the same work: {one.preset}: {one.problem}"
