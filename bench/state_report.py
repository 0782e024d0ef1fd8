"""What bench/state.py measured, as records and as the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst cost: events per second, and milliseconds of CPU per event."""

    rate: float
    java_ms: float
    python_ms: float

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU per event of both."""
        return self.java_ms + self.python_ms


@dataclass(slots=True)
class Measured:
    """One job and what was measured of it, one entry per round."""

    backend: str
    users: int
    ids: int
    cold: list[Burst] = field(default_factory=list)
    hot: list[Burst] = field(default_factory=list)
    checkpoints: list[dict[str, float]] = field(default_factory=list)


def rows(measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Return the table: a heading, and a row of medians per job."""
    heading = ("state", "any user: events/s", "CPU: Java + Python", "few users: events/s", "CPU: Java + Python")
    return [(*heading, "checkpoint", "state; stored by a checkpoint"), *map(_row, measured)]


def ratios(measured: Sequence[Measured], rendering: Mapping[str, Sequence[float]]) -> list[tuple[str, ...]]:
    """Return the rows of ratios, each the median and the middle half of the rounds' own ratios."""
    return [(what, _spread(values), "", "", "", "", "") for what, values in _ratios(measured, rendering).items()]


def record(measured: Sequence[Measured], rendering: Mapping[str, Sequence[float]]) -> dict[str, object]:
    """Return everything that was measured, for a JSON document."""
    jobs = [asdict(one) for one in measured]
    return {"jobs": jobs, "rendering_ms": dict(rendering), "ratios": _ratios(measured, rendering)}


def _ratios(measured: Sequence[Measured], rendering: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    return {**_growth(measured, rendering), **_shares(measured, rendering)}


def _row(one: Measured) -> tuple[str, ...]:
    def taken(name: str) -> float:
        return median(checkpoint[name] for checkpoint in one.checkpoints)

    return (
        f"{one.backend}, {one.users:,} users, {one.ids:,} ids",
        f"{median(burst.rate for burst in one.cold):,.0f}",
        _cpu(one.cold),
        f"{median(burst.rate for burst in one.hot):,.0f}",
        _cpu(one.hot),
        f"{taken('seconds'):.2f} s",
        f"{taken('full_bytes') / MIB:,.1f}; {taken('stored_bytes') / MIB:,.1f} MiB",
    )


def _cpu(bursts: Sequence[Burst]) -> str:
    java, python = median(one.java_ms for one in bursts), median(one.python_ms for one in bursts)
    return f"{java:.2f} + {python:.2f} ms"


def _growth(measured: Sequence[Measured], rendering: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    found = {}
    for backend in dict.fromkeys(one.backend for one in measured):
        of_backend = sorted((one for one in measured if one.backend == backend), key=lambda one: one.users)
        few, many = of_backend[0], of_backend[-1]
        if few is many:
            continue
        pairs = list(zip(few.cold, many.cold, strict=True))
        name = f"{backend}, {many.users:,} users by {few.users:,}"
        found[f"{name}: CPU of decode and admit"] = [b.cpu_ms / a.cpu_ms for a, b in pairs]
        found[f"{name}: time of decode and admit"] = [a.rate / b.rate for a, b in pairs]
        for what, render_ms in rendering.items():
            both = zip(pairs, render_ms, strict=True)
            found[f"{name}: CPU with rendering, {what}"] = [(b.cpu_ms + ms) / (a.cpu_ms + ms) for (a, b), ms in both]
    return found


def _shares(measured: Sequence[Measured], rendering: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    found = {}
    most = max(one.users for one in measured)
    for one in (one for one in measured if one.users == most):
        for name, render_ms in rendering.items():
            label = f"{one.backend}, any of {most:,} users: share of the CPU of an event with {name}"
            pairs = zip(one.cold, render_ms, strict=True)
            found[f"{label} ({median(render_ms):.0f} ms)"] = [burst.cpu_ms / (burst.cpu_ms + ms) for burst, ms in pairs]
    return found


def _spread(values: Sequence[float]) -> str:
    low, middle, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return f"**{middle:.3f}** ({low:.3f} to {high:.3f})"
