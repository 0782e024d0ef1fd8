"""Judges many files in processes forked from a server that has everything imported, a few files in each.

A decoder that crashes, hangs or fills the memory ends its own process only, and the verdict names the file.
"""

import multiprocessing
import os
import resource
import signal
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Final

from tests.hostile.attack import Attack
from tests.hostile.catalogue import by_name
from tests.hostile.judge import CPU_SECONDS, Came, Verdict, judge

AT_ONCE: Final = 2
BATCH: Final = 24
LARGE_MEBIBYTES: Final = 32
WALL_SECONDS: Final = 12 * CPU_SECONDS  # for a machine that has other work; the budget is CPU

PROCESSES: Final = multiprocessing.get_context("forkserver")

Verdicts = Sequence[tuple[Attack, Verdict]]


def judge_all(attacks: Sequence[Attack], judged: Callable[[Attack, Verdict], None] = lambda *_: None) -> Verdicts:
    """Judge every attack, two at once; `judged` hears of each as it ends."""
    PROCESSES.set_forkserver_preload(["tests.hostile.runner"])

    def batch(first: int) -> list[tuple[Attack, Verdict]]:
        found = []
        for attack, verdict in judge_apart(attacks[first : first + BATCH]):
            judged(attack, verdict)
            found.append((attack, verdict))
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [pair for found in pool.map(batch, range(0, len(attacks), BATCH)) for pair in found]


def judge_apart(attacks: Sequence[Attack]) -> Iterator[tuple[Attack, Verdict]]:
    """Judge attacks in a process of their own, and in a new one after each that ended it or left it large."""
    waiting = deque(attacks)
    while waiting:
        for verdict in _from_one_process(waiting):
            yield waiting.popleft(), verdict


def _from_one_process(attacks: Iterable[Attack]) -> Iterator[Verdict]:
    """Yield a verdict for the first attacks, at least for one."""
    ours, theirs = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=_child, args=([attack.name for attack in attacks], theirs))
    process.start()
    theirs.close()
    try:
        while ours.poll(WALL_SECONDS):
            verdict: Verdict | None = ours.recv()
            if verdict is None:
                return
            yield verdict
        yield Verdict(Came.TIME, f"no end after {WALL_SECONDS} s")
    except EOFError:
        process.join()
        yield _ended(process.exitcode or 0)
    finally:
        ours.close()
        process.kill()
        process.join()


def _ended(exit_code: int) -> Verdict:
    if -exit_code in (signal.SIGXCPU, signal.SIGKILL):
        return Verdict(Came.TIME, f"more than {CPU_SECONDS} s of CPU", cpu_seconds=CPU_SECONDS)
    name = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    return Verdict(Came.CRASH, name)


def _child(names: Iterable[str], results: Connection) -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)  # libtiff and libpng write what they think of a file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in names:
        verdict = judge(by_name(name))
        results.send(verdict)
        if verdict.peak_mebibytes > LARGE_MEBIBYTES:  # memory that is kept for reuse would hide what the next one takes
            break
    results.send(None)


def summary(verdicts: Verdicts) -> str:
    """A table: one row per family, how many of its files came to what, the longest and the largest."""
    rows: dict[str, list[Verdict]] = defaultdict(list)
    for attack, verdict in verdicts:
        rows[attack.family].append(verdict)
    head = f"{'family':24}{'files':>6}  {'most CPU s':>10}{'most MiB':>9}  outcomes"
    return "\n".join(
        [head, *(_row(family, found) for family, found in [*rows.items(), ("all", [v for _, v in verdicts])])]
    )


def _row(family: str, verdicts: Sequence[Verdict]) -> str:
    counts = Counter(v.detail if v.came is Came.REJECTED else str(v.came) for v in verdicts)
    longest, largest = max(v.cpu_seconds for v in verdicts), max(v.peak_mebibytes for v in verdicts)
    outcomes = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    return f"{family:24}{len(verdicts):6}  {longest:10.2f}{largest:9.0f}  {outcomes}"
