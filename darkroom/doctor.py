"""The command `doctor`: what this machine offers to a stack and to the rendering of pictures, and what would be active.

Nothing is changed; the fork server and one rendering process are really started, and end again.
"""

import asyncio
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal

import psutil
import typer
from PIL import Image
from rich.table import Table
from rich.text import Text

from darkroom.console import output, write_json
from darkroom.stack.layout import Cache, Home, cache_from, home_from
from darkroom.stack.plan import Options, listening_ports, plan_stack
from darkroom.stack.preflight import (
    GIB,
    address_problems,
    disk_needs,
    disk_problems,
    fetch_problems,
    find_java,
    java_problems,
    missing_jars,
    path_problems,
    port_problems,
)
from darkroom.stack.record import StackRecord, read_record
from jobs.presets_reading import read_presets
from jobs.settings import DEFAULT_PRESETS, Settings
from udfs.course import Course
from udfs.errors import RenderingError, SandboxUnavailableError
from udfs.imaging.limits import DEFAULT_LIMITS
from udfs.sandbox.confinement import Protection
from udfs.sandbox.sandbox import Budget, Sandbox

PYTHON: Final = (3, 11)
WORKER_BYTES: Final = 512 * 1024**2  # resident, with 16 pictures in flight
STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red"}
REMEDIES: Final = {
    Protection.SECCOMP: "",
    Protection.NETWORK_NAMESPACE: "; install libseccomp (Debian: apt-get install libseccomp2)",
    Protection.NONE: "; install libseccomp (Debian: apt-get install libseccomp2), or allow user namespaces",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is and, where it could be better, what helps."""

    about: str
    state: Literal["ok", "warn", "fail"]
    found: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Look at what this machine offers: rendering sandbox, Java, Python, ports, cache, disk and memory.

    Exit status 1 when something would keep the stack from starting or pictures from being rendered.
    """
    home, cache = home_from(os.environ), cache_from(os.environ)
    findings = list(examine(home, cache, os.environ))
    if as_json:
        write_json({"findings": [asdict(one) for one in findings]})
    else:
        table = Table(box=None, show_header=False, pad_edge=False)
        for one in findings:
            table.add_row(Text(one.state, STYLES[one.state]), one.about, Text(one.found))
        output().print(table)
    if any(one.state == "fail" for one in findings):
        raise typer.Exit(1)


def examine(home: Home, cache: Cache, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield every finding."""
    yield sandbox_finding()
    yield user_finding(os.geteuid())
    yield python_finding(sys.version_info[:2])
    yield from _java(environment)
    if problems := address_problems(environment):
        yield from _failures("addresses", problems)
        return
    running = read_record(home)
    record = running or plan_stack(home, cache, Options(**_ports(environment)), environment)
    yield from _stack(record, home, cache, environment, runs=running is not None)
    yield memory_finding(psutil.virtual_memory().available, record.slots)


def sandbox_finding() -> Finding:
    """Start a rendering process, render a picture in it and tell how it was confined."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    presets = read_presets(DEFAULT_PRESETS)
    try:
        sandbox = Sandbox(presets, DEFAULT_LIMITS, 1, _budget())
        try:
            asyncio.run(sandbox.render(file.getvalue(), presets.choose(None)[:1], None, Course()))
        finally:
            sandbox.close()
    except (SandboxUnavailableError, RenderingError) as error:
        return Finding("rendering", "fail", f"no picture can be rendered: {error}; run `make check` and report it")
    state: Literal["ok", "warn"] = "ok" if sandbox.protection is Protection.SECCOMP else "warn"
    found = f"limits of memory, CPU time and files; {sandbox.protection}{REMEDIES[sandbox.protection]}"
    return Finding("rendering", state, found)


def user_finding(user_id: int) -> Finding:
    """Tell whose rights the job would have."""
    if user_id == 0:
        return Finding("user", "warn", "root: where seccomp is missing, limits hold nobody; run as another user")
    return Finding("user", "ok", "not root")


def python_finding(version: tuple[int, ...]) -> Finding:
    """Tell whether this is the Python that Flink and every dependency were pinned for."""
    told, wanted = ".".join(map(str, version)), ".".join(map(str, PYTHON))
    if version != PYTHON:
        return Finding("Python", "fail", f"{told}, and {wanted} is needed: make PYTHON=python{wanted}")
    return Finding("Python", "ok", told)


def memory_finding(available_bytes: int, slots: int) -> Finding:
    """Hold what is free against a worker and its rendering processes, at their budgets, in every slot."""
    slot_bytes = WORKER_BYTES + _number("render_processes") * _number("render_memory_bytes")
    sums = f"{available_bytes / GIB:.1f} GiB free, {slots} slots of up to {slot_bytes / GIB:.1f} GiB"
    if available_bytes < slots * slot_bytes:
        return Finding("memory", "warn", f"{sums}: use fewer slots, or lower DARKROOM_RENDER_MEMORY_BYTES")
    return Finding("memory", "ok", sums)


def _stack(
    record: StackRecord, home: Home, cache: Cache, environment: Mapping[str, str], *, runs: bool
) -> Iterator[Finding]:
    yield from _failures("folders", path_problems({"DARKROOM_HOME": home.path, "DARKROOM_CACHE": cache.path}))
    if runs:
        yield Finding("ports", "ok", "in use by the stack that runs")
    elif problems := port_problems(listening_ports(record)):
        yield from _failures("ports", problems)
    else:
        yield Finding("ports", "ok", f"free: {', '.join(map(str, listening_ports(record).values()))}")
    if problems := fetch_problems(record, cache, environment):
        yield from _failures("cache", problems)
    elif missing_jars(record, cache):
        yield Finding("cache", "warn", f"{cache.path} is to be filled: the first `darkroom up` takes minutes")
    else:
        yield Finding("cache", "ok", f"{cache.path} has what is needed")
    if problems := disk_problems(disk_needs(record, home, cache)):
        yield from _failures("disk", problems)
    else:
        yield Finding("disk", "ok", "room for the stack")


def _java(environment: Mapping[str, str]) -> Iterator[Finding]:
    if problems := java_problems(environment):
        yield from _failures("Java", problems)
    else:
        yield Finding("Java", "ok", str(find_java(environment)))


def _failures(about: str, problems: Iterable[str]) -> Iterator[Finding]:
    return (Finding(about, "fail", problem) for problem in problems)


def _ports(environment: Mapping[str, str]) -> dict[str, Any]:
    names = ("kafka_port", "s3_port", "s3_console_port", "flink_port", "slots")
    given = {name: environment.get(f"DARKROOM_{name.upper()}") for name in names}
    return {name: int(value) for name, value in given.items() if value and value.isdecimal()}


def _budget() -> Budget:
    return Budget(_number("render_memory_bytes"), _number("render_cpu_s"), _number("render_timeout_s"))


def _number(setting: str) -> int:
    """Return a setting of the job: from the environment, or its default."""
    given = os.environ.get(f"DARKROOM_{setting.upper()}", "")
    return int(given) if given.isdecimal() else int(Settings.model_fields[setting].default)
