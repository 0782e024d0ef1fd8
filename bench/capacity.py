"""Computes docs/scale.md: the capacity model over the records in docs/performance, and lag through spikes.

The spikes are simulated by bench/spike_simulation.py, which is checked against the live spike of `make bench-spike`.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from capacity_inputs import Input, read_inputs, read_record
from capacity_model import LOADS, PLANNED, Demand, demand, limits
from measurement import run_measurement
from pages import panels, save_plot, write_figures
from peer.packages import python_folder

from darkroom.console import output

COMMAND = "make capacity"
PINS = ("simpy==4.1.2",)  # the discrete-event library of Python: processes as generators
MORE = 1.2  # the factor that each input is changed by
LEAST_CHANGE = 0.0005
SIMULATED_RENDERERS = 16


def capacity(
    write: Annotated[bool, typer.Option("--write", help="Write the tables and the plot into docs/scale.md.")] = False,
) -> None:
    """Print the capacity model: demand, bottlenecks, sensitivity, and lag through spikes."""
    inputs = read_inputs()
    plan = demand(inputs, LOADS[PLANNED])
    live, outcomes = _spikes(inputs, plan)
    tables = {
        "inputs": _input_rows(inputs),
        "demand": _demand_rows(inputs),
        "bottlenecks": _bottleneck_rows(inputs),
        "sensitivity": _sensitivity_rows(inputs),
        "spikes": _spike_rows(outcomes[1:], inputs, plan),
        "check": _check_rows(live, outcomes[0]),
    }
    for name, rows in tables.items():
        if write:
            write_figures("scale", f"{COMMAND}, {name}", rows, "Computed from the records in docs/performance.")
        else:
            output().print(f"\n{name}", style="bold")
            for row in rows:
                output().print(" | ".join(row), soft_wrap=True)
    if write:
        _plot(live, outcomes[0])


def _input_rows(inputs: Mapping[str, Input]) -> list[tuple[str, ...]]:
    rows = [(one.name, f"{_number(one.value)} {one.unit}".strip(), one.origin) for one in inputs.values()]
    return [("input", "value", "from"), *rows]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _demand_rows(inputs: Mapping[str, Input]) -> list[tuple[str, ...]]:
    found = [demand(inputs, rate) for rate in LOADS.values()]
    told = {
        "events per second": "{0.rate:,.0f}",
        "cores, all parts": "{0.cores:,.0f}",
        "of them rendering": "{0.render_cores:,.0f}",
        "of them MinIO": "{0.store_cores:,.0f}",
        "of them Kafka": "{0.kafka_cores:,.0f}",
        "slots": "{0.slots:,}",
        "partitions: the next power of two": "{0.partitions:,}",
        "memory of the TaskManagers, GiB": "{0.memory_gib:,.0f}",
        "state, GiB": "{0.state_gib:,.0f}",
        "state per slot, GiB": "{0.state_per_slot_gib:.2f}",
        "state that changes, MB/s": "{0.checkpoint_mb_s:,.0f}",
        "Kafka, all copies, MB/s": "{0.kafka_mb_s:,.0f}",
        "store, read, MB/s": "{0.get_mb_s:,.0f}",
        "store, written, MB/s": "{0.put_mb_s:,.0f}",
        "store, requests/s": "{0.requests:,.0f}",
        "cost of a million events, $": "{0.dollars_per_million:.2f}",
    }
    rows = [(name, *(text.format(one) for one in found)) for name, text in told.items()]
    return [("what", *LOADS), *rows]


def _bottleneck_rows(inputs: Mapping[str, Input]) -> list[tuple[str, ...]]:
    plan = demand(inputs, LOADS[PLANNED])
    found = sorted(limits(inputs, plan).items(), key=lambda pair: pair[1])
    rows = [(name, f"{rate:,.0f}", f"{rate / plan.rate:.1f}") for name, rate in found]
    return [("what gives out", "at events/s", f"by the {PLANNED}"), *rows]


def _sensitivity_rows(inputs: Mapping[str, Input]) -> list[tuple[str, ...]]:
    told = ("cores", "slots", "memory_gib", "state_gib", "dollars_per_million")
    before = demand(inputs, LOADS[PLANNED])
    changes = {}
    for key, one in inputs.items():
        after = demand({**inputs, key: replace(one, value=one.value * MORE)}, LOADS[PLANNED])
        changes[one.name] = [getattr(after, name) / getattr(before, name) - 1 for name in told]
    ordered = sorted(changes.items(), key=lambda pair: -max(map(abs, pair[1])))
    rows = [(name, *map(_percent, change)) for name, change in ordered if max(map(abs, change)) >= LEAST_CHANGE]
    return [(f"input, {MORE - 1:.0%} more", "cores", "slots", "memory", "state", "cost per million"), *rows]


def _percent(change: float) -> str:
    return f"{change:+.1%}" if abs(change) >= LEAST_CHANGE else ""


def _spikes(inputs: Mapping[str, Input], plan: Demand) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    live = read_record("spike")
    capacity = LOADS[PLANNED] / inputs["busy"].value
    part = SIMULATED_RENDERERS / (plan.slots * inputs["renderers"].value)
    fleet = {
        "slots": SIMULATED_RENDERERS,
        "capacity": capacity * part,
        "before_s": 60.0,
        "interval_s": inputs["interval_s"].value,
        "checkpoint_s": 1.0,
        "drained_s": 15.0,
    }
    restart = {"restart_at_s": 60.0, "restart_s": inputs["restart_s"].value}
    scenes = [
        {"name": "live", **live["scene"]},
        *(
            {
                "name": f"{seconds:.0f}",
                **fleet,
                "steady": steady * part,
                "spike": spike * part,
                "spike_s": seconds,
                **how,
            }
            for seconds in (60.0, 300.0, 900.0)
            for steady, spike in ((LOADS["mean"], LOADS["10 x mean"] - LOADS["mean"]),)
            for how in ({}, restart)
        ),
    ]
    python = python_folder("simulation", PINS) / "bin" / "python"
    simulation = [str(python), str(Path(__file__).with_name("spike_simulation.py"))]
    done = subprocess.run(simulation, input=json.dumps(scenes), capture_output=True, text=True, check=True)
    return live, [{**outcome, "part": part} for outcome in json.loads(done.stdout)]


def _spike_rows(
    outcomes: Sequence[Mapping[str, Any]], inputs: Mapping[str, Input], plan: Demand
) -> list[tuple[str, ...]]:
    heading = (
        "spike to 10 x the mean, of",
        "a TaskManager is lost",
        "most events waiting",
        "in Kafka",
        "the last waits",
    )
    rows: list[tuple[str, ...]] = [(*heading, "drained after")]
    capacity = plan.rate / inputs["busy"].value
    for number, one in enumerate(outcomes):
        most = one["most"] / one["part"]
        rows.append(
            (
                f"{float(one['name']) / 60:.0f} min",
                "after a minute" if number % 2 else "no",
                f"{most / 1e6:.1f} M",
                f"{most * inputs['event_bytes'].value / 1e9:.1f} GB",
                f"{most / capacity / 60:.1f} min",
                f"{one['drained_after_s'] / 60:.1f} min",
            )
        )
    return rows


def _check_rows(live: Mapping[str, Any], simulated: Mapping[str, Any]) -> list[tuple[str, ...]]:
    names = {"most_unanswered": "most", "drained_after_s": "drained_after_s", "drain_rate": "drain_rate"}
    told = ("most events without a status", "drained after the spike's end, s", "statuses per second meanwhile")
    rows = [
        (
            text,
            f"{live['figures'][key]:,.1f}",
            f"{simulated[name]:,.1f}",
            f"{simulated[name] / live['figures'][key]:.2f}",
        )
        for text, (key, name) in zip(told, names.items(), strict=True)
    ]
    return [("the live stack through its spike", "measured", "simulated", "simulated by measured"), *rows]


def _plot(live: Mapping[str, Any], simulated: Mapping[str, Any]) -> None:
    figure, (lag,) = panels(["events without a status through the live spike, measured and simulated"])
    for name, points in (("measured", live["lag"]), ("simulated", simulated["lag"])):
        lag.plot(*zip(*points, strict=True), label=name)
    save_plot("scale", figure, "spike")


if __name__ == "__main__":
    run_measurement("capacity", capacity)
