"""What rendering in sandboxed children costs against threads of the worker: `python bench/sandbox.py [--rounds N]`.

Both render the same pictures in turn within each round, with as many renderers at once and as many pictures waiting as
in the job; the machine's drift is then in both. CPU is that of this process, the fork server and the children together.
"""

import argparse
import asyncio
import io
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from PIL import Image

from jobs.presets_reading import read_presets
from jobs.settings import Settings
from udfs.course import Course
from udfs.imaging.limits import DEFAULT_LIMITS
from udfs.imaging.presets import Preset, Presets, parse_presets
from udfs.imaging.render import render
from udfs.sandbox.sandbox import Budget, Sandbox

HERE = Path(__file__).parent
PHOTO = HERE.parent / "tests" / "photos" / "rocket.jpg"
SIZE = (2040, 1404)
WAITING = Settings.model_fields["images_in_flight"].default
ONE = """
version: 1
presets:
  - {name: fit-512, width: 512, height: 512, format: jpeg, quality: 80}
sets:
  default: [fit-512]
"""

Way = Callable[[bytes, Sequence[Preset]], Awaitable[object]]


@dataclass
class Measured:
    """Milliseconds per picture, one number per round."""

    clock: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> int:
    """Print a table: a row per set of presets and number of renderers."""
    parser = argparse.ArgumentParser(description="The cost of sandboxed rendering.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pictures", type=int, default=40, help="per round and way; a tenth for the default presets")
    options = parser.parse_args()
    default = read_presets(HERE.parent / "jobs" / "presets.yaml")
    print("presets        renderers  threads ms (spread)   children ms (spread)   cost on the clock   cost in CPU")
    for presets, name, pictures in (
        (parse_presets(ONE, "bench"), "one 512 px JPEG", options.pictures),
        (default, f"default, {len(default.choose(None))} of them", max(4, options.pictures // 10)),
    ):
        for renderers in (1, 2):
            threads, children = asyncio.run(compare(presets, renderers, pictures, options.rounds))
            print(line(name, renderers, threads, children), flush=True)
    return 0


async def compare(presets: Presets, renderers: int, pictures: int, rounds: int) -> tuple[Measured, Measured]:
    """Render with both ways in turn."""
    source, chosen = photo(), presets.choose(None)
    pool = ThreadPoolExecutor(renderers)
    sandbox = Sandbox(presets, DEFAULT_LIMITS, renderers, Budget(2 * 1024**3, 40, 50))
    loop = asyncio.get_running_loop()

    async def in_thread(data: bytes, presets: Sequence[Preset]) -> object:
        return await loop.run_in_executor(pool, render, data, presets)

    async def in_child(data: bytes, presets: Sequence[Preset]) -> object:
        return await sandbox.render(data, presets, None, Course())

    threads, children = Measured(), Measured()
    try:
        if await in_thread(source, chosen) != await in_child(source, chosen):
            sys.exit("the two ways do not give the same bytes")
        for number in range(rounds):
            turns = [(in_thread, threads), (in_child, children)]
            for way, measured in turns if number % 2 else turns[::-1]:
                await one_round(way, measured, source, chosen, pictures)
    finally:
        sandbox.close()
        pool.shutdown()
    return threads, children


async def one_round(way: Way, measured: Measured, source: bytes, presets: Sequence[Preset], pictures: int) -> None:
    """Render so many pictures and note what one took."""
    waiting = asyncio.Semaphore(WAITING)

    async def one() -> None:
        async with waiting:
            await way(source, presets)

    cpu, began = cpu_seconds(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(pictures)))
    measured.clock.append((time.perf_counter() - began) / pictures * 1000)
    measured.cpu.append((cpu_seconds() - cpu) / pictures * 1000)


def cpu_seconds() -> float:
    """Return the CPU time of this process and of all that it has started."""
    own = psutil.Process()
    times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def photo() -> bytes:
    """Return a photograph as a camera of old would have stored it."""
    file = io.BytesIO()
    with Image.open(PHOTO) as image:
        image.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS).save(file, "JPEG", quality=92)
    return file.getvalue()


def line(name: str, renderers: int, threads: Measured, children: Measured) -> str:
    """Return a row: medians, the middle half of the rounds, and the median of the cost within each round."""

    def told(values: list[float]) -> str:
        low, middle, high = statistics.quantiles(values, n=4)
        return f"{middle:7.1f} ({low:.1f}-{high:.1f})"

    def cost(mine: list[float], theirs: list[float]) -> str:
        low, middle, high = statistics.quantiles([b / a - 1 for a, b in zip(theirs, mine, strict=True)], n=4)
        return f"{middle:+.1%} ({low:+.1%} to {high:+.1%})"

    clock, cpu = cost(children.clock, threads.clock), cost(children.cpu, threads.cpu)
    return f"{name:16} {renderers}   {told(threads.clock):22} {told(children.clock):22} {clock:28} {cpu}"


if __name__ == "__main__":
    sys.exit(main())
