"""kill -9 and SIGSTOP of a process that renders a picture at that moment."""

import os
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.chaos.faults import Kind, World
from tests.chaos.recovery import Stopwatch

SERVER = "udfs.sandbox.server"
SEEN_WITHIN_S = 60
GIVEN_UP_WITHIN_S = 30
EVERY_S = 0.0005  # a small picture takes a few milliseconds
RUNNING = "R"
GONE = ""


def renderer_killed(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Kill a child while it renders; a fresh one renders the picture again."""
    servers = fork_servers(world)
    child = world.wait(lambda: at_work(servers), "a picture is being rendered", SEEN_WITHIN_S, EVERY_S)
    before = children(servers)
    stopwatch.inject()
    os.kill(child, signal.SIGKILL)
    fresh = world.wait(lambda: children(servers) - before, "a fresh child")
    return f"{child} was killed at work, {min(fresh)} is fresh"


def renderer_stopped(world: World, _: Random, stopwatch: Stopwatch) -> str:
    """Stop a child while it renders, for ever: the sandbox has to end it when its time is over."""
    servers = fork_servers(world)
    child = world.wait(lambda: at_work(servers), "a picture is being rendered", SEEN_WITHIN_S, EVERY_S)
    stopwatch.inject()
    os.kill(child, signal.SIGSTOP)
    try:
        world.wait(lambda: state(child) == GONE, "the stopped child is ended by the sandbox", GIVEN_UP_WITHIN_S)
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGCONT)
        stopwatch.end()
    return f"{child} was stopped at work, and ended after {stopwatch.ended - stopwatch.injected:.1f} s"


def fork_servers(world: World) -> list[int]:
    """Return the processes whose children render, one of each worker."""

    def look() -> list[int]:
        return [child for child in children(world.stage.workers()) if SERVER in _read(f"/proc/{child}/cmdline")]

    return world.wait(look, "a worker has a fork server")


def children(parents: list[int]) -> set[int]:
    """Return the processes that were started by these, by any of their threads."""
    lists = (file for parent in parents for file in Path(f"/proc/{parent}/task").glob("*/children"))
    return {int(pid) for file in lists for pid in _read(str(file)).split()}


def at_work(servers: list[int]) -> int | None:
    """Return one that uses the processor now; one that waits for a picture sleeps."""
    return next((child for child in children(servers) if state(child) == RUNNING), None)


def state(pid: int) -> str:
    """Return the kernel's letter for what a process does."""
    return _read(f"/proc/{pid}/stat").rpartition(") ")[2][:1]


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


KINDS = (
    Kind("rendering process killed", 6, renderer_killed),
    Kind("rendering process stopped", 3, renderer_stopped),
)
