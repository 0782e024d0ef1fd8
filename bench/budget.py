"""Measures where the CPU of one event goes in the whole job while it drains a backlog, and draws flame graphs.

Seconds of CPU are the kernel's own, of every thread of every process; who a thread is, its name tells, and in Python
workers what it runs when it is looked at. py-spy samples a rendering process, and the worker where it holds the
interpreter's lock; both only after the threads were measured, as it stops what it looks at.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, Final

import psutil
import typer
from load import Load, user_of
from matplotlib import pyplot
from matplotlib.figure import Figure
from measurement import run_measurement
from own_place import darkroom, own_place, running_job
from pages import DOCS, save_plot, write_figures, write_record
from photographs import photographs
from processes import parts_of
from stored import middle_rate, take_stored
from throughput import CASES, Case, presets_file, upload

from darkroom.console import output, remarks, write_json
from darkroom.errors import OperatorError, UsageError
from darkroom.stack.layout import cache_from, home_from
from darkroom.target import resolve_target
from jobs.presets_reading import read_presets

COMMAND = "make bench-budget"
Cost = tuple[str, str, float]  # part, what for, milliseconds of CPU per event
Thread = tuple[int, int, str]
Spent = Counter[Thread]  # milliseconds of CPU
SIMPLE: Final = ("Kafka", "MinIO", "JobManager")
WHOLE: Final = "all of it"
WARMING_EVENTS: Final = 310
SETTLING_SECONDS: Final = 3.0
SAMPLED_SECONDS: Final = 6
SAMPLES_PER_S: Final = 200
THREAD: Final = re.compile(r'^Thread (?P<id>\d+) \(\w+\): "(?P<name>[^"]*)"(?P<stack>.*?)(?=^Thread |\Z)', re.M | re.S)
WAITING: Final = re.compile(r"_read \(udfs/sandbox/child")
COMMAND_LINE: Final = re.compile(r">[^<>]*py-spy record[^<]*<")  # py-spy's title, with paths of the machine
LIMIT_SECONDS: Final = 300.0

# The first that is found in what a thread is called, and in what it runs, says what it is for.
JAVA: Final = {
    "compiling byte code": r"C[12] Compiler",
    "garbage collection": r"^(G1|GC|VM Thread|VM Periodic)",
    "bundles, to and from Python": r"grpc|event_engine",
    "checkpoints": r"Channel state|AsyncOperations|s3-|sdk-",
    "operators": r"decode|admit|develop|settle|status|Source|Legacy|dead|key by",
}
PYTHON: Final = {
    "requests to the store": r"^storage_",
    "pictures to their processes and back": r"^render_",
    "the event loop of develop": r"AsyncFunctionRunner",
    "decode, admit and settle": r"SdkWorker|_Worker\.run|thread_pool_executor|BundleProcessor|Emitter",
}
OTHERS: Final = "everything else"
STEPS: Final = {
    "decoding": r"decode \(udfs/imaging/decode",
    "resampling": r"resample \(",
    "signals": r"(measure|_glance) \(",
    "encoding": r"encode \(udfs/imaging/encode",
    "receiving and answering": r"(read_frame|_write) \(",
}


def budget(
    seconds: Annotated[float, typer.Option(min=5, help="How long threads are measured.")] = 20.0,
    presets_case: Annotated[str, typer.Option(help=f"One of: {', '.join(case.name for case in CASES)}.")] = CASES[
        0
    ].name,
    interval: Annotated[str, typer.Option(help="Checkpoint interval.")] = "10s",
    write: Annotated[bool, typer.Option("--write", help="Write the figures and flame graphs into docs/.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Print where the milliseconds of one event go, from GET to commit; two minutes.

    Starts the local stack if it does not run, and leaves it running; no job may run on it, and nothing else should use
    the machine.
    """
    cases = {case.name: case for case in CASES}
    if presets_case not in cases:
        message = f"there is no case {presets_case!r}; there are {', '.join(cases)}"
        raise UsageError(message)
    darkroom("up", environment=dict(os.environ))
    with tempfile.TemporaryDirectory() as folder:
        costs, graphs = _measure(cases[presets_case], seconds, interval, Path(folder))
        table = [*_rows(costs)]
        if write:
            runs = f"{presets_case}: one backlog, {seconds:.0f} s of it. Shares within a renderer are of samples."
            write_figures("performance", COMMAND, table, runs)
            write_record("performance", "budget", [{"part": part, "what": what, "ms": ms} for part, what, ms in costs])
            save_plot("performance", _picture(costs), "budget")
            for name, graph in graphs.items():
                titled = COMMAND_LINE.sub(f">{COMMAND}: {name}<", graph.read_text("utf-8"))
                (DOCS / "performance" / f"{name}.svg").write_text(titled, "utf-8")
    if as_json:
        write_json([{"part": part, "what": what, "ms": ms} for part, what, ms in costs])
        return
    for row in table:
        output().print(" | ".join(row), soft_wrap=True)


def _measure(case: Case, seconds: float, interval: str, folder: Path) -> tuple[list[Cost], dict[str, Path]]:
    """Return milliseconds of CPU per event by part and purpose, and flame graphs by name."""
    home = home_from(os.environ).path
    pictures = photographs(cache_from(os.environ).path, lambda said: remarks().print(said, style="dim"))
    with ExitStack() as opened:
        enter = opened.enter_context
        file = presets_file(case, folder)
        environment = {**enter(own_place(f"budget-{uuid.uuid4().hex[:8]}")), "DARKROOM_PRESETS_FILE": str(file)}
        target, derivatives = resolve_target(environment), len(read_presets(file).choose(None))
        sources = upload(target, pictures)
        enter(running_job(target, environment, interval))
        load = enter(Load(target, sources))
        warm = _backlog(load, WARMING_EVENTS)
        load.wait_for(warm, LIMIT_SECONDS)
        rate = middle_rate(take_stored(target, len(warm), derivatives))
        ids = _backlog(load, round(rate * 1.5 * (seconds + SETTLING_SECONDS + 4 * SAMPLED_SECONDS)))
        time.sleep(SETTLING_SECONDS)
        parts, began = parts_of(home), time.time()
        before = {part: _by_thread(processes) for part, processes in parts.items()}
        time.sleep(seconds)
        spent = {part: _by_thread(processes) - before[part] for part, processes in parts.items()}
        ended = time.time()
        worker = parts["Python workers"][0]
        purposes = {**_java(spent["TaskManager"]), **_python(spent["Python workers"], parts["Python workers"])}
        renderer = max(parts["rendering processes"], key=lambda one: _by_thread([one]).total())
        graphs, steps = _sampled(worker, renderer, folder)
        load.wait_for(ids, LIMIT_SECONDS)
        moments = take_stored(target, len(ids), derivatives)
    events = sum(began <= moment < ended for moment in moments)
    costs = [(part, WHOLE, spent[part].total() / events) for part in SIMPLE]
    costs += [(part, purpose, cpu_ms / events) for (part, purpose), cpu_ms in purposes.items()]
    rendering = spent["rendering processes"].total() / events
    costs += [("rendering processes", step, rendering * share) for step, share in steps.items()]
    return costs, graphs


def _backlog(load: Load, events: int) -> list[str]:
    first = len(load.ids)
    return load.send_at([0.0] * events, lambda number: user_of(first + number))


def _by_thread(processes: Iterable[psutil.Process]) -> Spent:
    """Return milliseconds of CPU by thread: its process, its own id and what the system calls it."""
    found: Spent = Counter()
    for process in processes:
        with suppress(psutil.Error):
            for one in process.threads():
                with suppress(OSError):
                    name = Path(f"/proc/{process.pid}/task/{one.id}/comm").read_text().strip()
                    found[process.pid, one.id, name] = round(1000 * (one.user_time + one.system_time))
    return found


def _java(spent: Spent) -> dict[tuple[str, str], int]:
    return _summed("TaskManager", JAVA, ((name, cpu_ms) for (_, _, name), cpu_ms in spent.items()))


def _python(spent: Spent, workers: Iterable[psutil.Process]) -> dict[tuple[str, str], int]:
    """Tell by a look at each worker's stacks what its threads are for."""
    doing = {}
    for worker in workers:
        for found in THREAD.finditer(_py_spy("dump", "--pid", str(worker.pid))):
            doing[worker.pid, int(found["id"])] = f"{found['name']} {found['stack']}"
    named = ((doing.get((pid, thread), ""), cpu_ms) for (pid, thread, _), cpu_ms in spent.items())
    return _summed("Python workers", PYTHON, named)


def _summed(part: str, kinds: Mapping[str, str], found: Iterable[tuple[str, int]]) -> dict[tuple[str, str], int]:
    sums = dict.fromkeys(((part, kind) for kind in (*kinds, OTHERS)), 0)
    for words, cpu_ms in found:
        sums[part, _kind(kinds, words)] += cpu_ms
    return sums


def _kind(kinds: Mapping[str, str], words: str) -> str:
    return next((kind for kind, pattern in kinds.items() if re.search(pattern, words)), OTHERS)


def _sampled(
    worker: psutil.Process, renderer: psutil.Process, folder: Path
) -> tuple[dict[str, Path], dict[str, float]]:
    """Return flame graphs by name, and the share of the renderer's samples in each step."""
    graphs = {"worker": folder / "worker.svg", "renderer": folder / "renderer.svg"}
    raw = folder / "renderer.txt"
    common = ("--duration", str(SAMPLED_SECONDS), "--rate", str(SAMPLES_PER_S), "--output")
    _py_spy("record", "--pid", str(worker.pid), "--gil", *common, str(graphs["worker"]))
    _py_spy("record", "--pid", str(renderer.pid), *common, str(graphs["renderer"]))
    _py_spy("record", "--pid", str(renderer.pid), "--format", "raw", *common, str(raw))
    counts: Counter[str] = Counter()
    for line in raw.read_text("utf-8").splitlines():
        stack, _, samples = line.rpartition(" ")
        if not WAITING.search(stack):
            counts[_kind(STEPS, stack)] += int(samples)
    return graphs, {step: counts[step] / counts.total() for step in (*STEPS, OTHERS)}


def _py_spy(*arguments: str) -> str:
    program = Path(sys.executable).with_name("py-spy")
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        message = (
            f"py-spy {arguments[0]}: {done.stderr.strip().splitlines()[-1]}; it needs the right to trace processes"
        )
        raise OperatorError(message)
    return done.stdout


def _rows(costs: Sequence[Cost]) -> Iterator[tuple[str, ...]]:
    whole = sum(ms for _, _, ms in costs)
    yield "part", "what for", "ms of CPU per event", "share"
    for part, what, ms in costs:
        yield part, what, f"{ms:.2f}", f"{ms / whole:.1%}"
    yield "**all**", "", f"**{whole:.1f}**", "100.0%"


def _picture(costs: Sequence[Cost]) -> Figure:
    """Return a bar per part, one above the other, with what it is for inside."""
    figure, axes = pyplot.subplots(figsize=(9, 3.4), layout="constrained")
    parts = list(dict.fromkeys(part for part, _, _ in costs))
    left = dict.fromkeys(parts, 0.0)
    for part, what, ms in costs:
        bar = axes.barh(part, ms, left=left[part], edgecolor="white", color=f"C{len(parts) - 1 - parts.index(part)}")
        if ms > sum(one for _, _, one in costs) / 25:
            axes.bar_label(bar, [what if what != WHOLE else ""], label_type="center", fontsize=6)
        left[part] += ms
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds of CPU per event", fontsize=8)
    axes.tick_params(labelsize=8)
    return figure


if __name__ == "__main__":
    run_measurement("bench-budget", budget)
