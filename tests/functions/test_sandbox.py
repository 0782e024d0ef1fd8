"""The sandbox on real processes: what a picture can do to its child, and what it cannot do to anything else."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.builders import PRESETS, a_picture
from tests.format_sources import CASES
from tests.golden.cases import FOCAL_POINT, cases
from tests.live_stack import eventually
from udfs.course import Course
from udfs.errors import (
    DecoderCrashError,
    MemoryBudgetError,
    RendererBrokenError,
    RenderingError,
    SandboxUnavailableError,
    TimeBudgetError,
)
from udfs.imaging.errors import CorruptImage, NotAnImage
from udfs.imaging.limits import DEFAULT_LIMITS
from udfs.imaging.presets import Preset, Presets, parse_presets
from udfs.imaging.render import Rendering, render
from udfs.sandbox.confinement import NICENESS, Protection
from udfs.sandbox.sandbox import Budget, Sandbox

P = parse_presets(PRESETS, "tests/builders.py")
PICTURE = a_picture()
BUDGET = Budget(memory_bytes=512 * 1024 * 1024, cpu_s=3, timeout_s=30)
BY_SOURCE = "tests.functions.renderers:by_source"
PLANTED = {"AWS_SECRET_ACCESS_KEY": "canary", "DARKROOM_S3_ENDPOINT": "http://canary", "ANYTHING": "canary"}


class World:
    """A sandbox and an event loop to ask it on."""

    def __init__(self, presets: Presets = P, budget: Budget = BUDGET, processes: int = 2) -> None:
        self.sandbox = Sandbox(presets, DEFAULT_LIMITS, processes, budget, BY_SOURCE)
        self.presets = presets.choose(None)
        self.course = Course()

    def render(self, source: bytes, focal_point: tuple[float, float] | None = None) -> Rendering:
        self.course = Course()
        return asyncio.run(self.sandbox.render(source, self.presets, focal_point, self.course))

    def all(self, *sources: bytes) -> Sequence[Any]:
        """Render at the same time; exceptions are results."""

        async def gathered() -> list[Any]:
            courses = [Course() for _ in sources]
            made = (self.sandbox.render(one, self.presets, None, c) for one, c in zip(sources, courses, strict=True))
            results = await asyncio.gather(*made, return_exceptions=True)
            return list(zip(results, (course.attempts for course in courses), strict=True))

        return asyncio.run(gathered())

    @property
    def server(self) -> psutil.Process:
        assert self.sandbox._nursery is not None
        return psutil.Process(self.sandbox._nursery.pid)

    def children(self) -> set[int]:
        return {child.pid for child in self.server.children() if not ended(child.pid)}


@pytest.fixture(scope="module")
def shared() -> Iterator[World]:
    world = World()
    yield world
    world.sandbox.close()


@pytest.fixture
def own() -> Iterator[World]:
    world = World()
    yield world
    world.sandbox.close()


@pytest.fixture
def impatient() -> Iterator[World]:
    world = World(budget=Budget(memory_bytes=512 * 1024 * 1024, cpu_s=30, timeout_s=3))
    yield world
    world.sandbox.close()


def ended(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until_ended(*pids: int) -> None:
    eventually(lambda: all(map(ended, pids)), f"{pids} have ended", lambda: [p for p in pids if not ended(p)], 30)


def in_background(call: Any, *arguments: Any) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call(*arguments))
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, results


# --- what comes out ---


def test_a_rendering_is_that_of_the_renderer_byte_for_byte(shared: World) -> None:
    assert shared.render(PICTURE) == render(PICTURE, P.choose(None))
    assert shared.course.attempts == 1


def test_every_format_is_read_without_files(shared: World) -> None:
    for case in CASES:
        source = case.source()
        assert shared.render(source) == render(source, P.choose(None)), case.name


@pytest.mark.parametrize("name", ["rocket", "badge", "small"])
def test_every_parameter_of_a_preset_works_without_files(golden: World, name: str) -> None:
    sources = {case.source_name: case.source for case in cases()} | {"small": a_picture("PNG")}
    source = sources[name]
    assert golden.render(source, FOCAL_POINT) == render(source, golden.presets, focal_point=FOCAL_POINT)


@pytest.fixture
def golden() -> Iterator[World]:
    file = Path(__file__).parents[1] / "golden" / "presets.yaml"
    every = parse_presets(file.read_text(), file.name).by_name
    world = World(Presets(every, {}, {"default": tuple(every)}), Budget(2**31, 60, 60), processes=1)
    yield world
    world.sandbox.close()


@pytest.mark.parametrize(("source", "error"), [(b"no picture", NotAnImage), (PICTURE[:400], CorruptImage)])
def test_a_rejection_comes_through_with_its_words_and_the_child_goes_on(
    shared: World, source: bytes, error: type[Exception]
) -> None:
    shared.render(PICTURE)
    before = shared.children()
    with pytest.raises(error) as raised:
        shared.render(source)
    with pytest.raises(error) as expected:
        render(source, P.choose(None))
    assert str(raised.value) == str(expected.value)
    assert (shared.course.attempts, shared.children()) == (1, before)


# --- budgets and crashes ---


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (b"spin", TimeBudgetError, "more than 3 s of CPU"),
        (b"hoard", MemoryBudgetError, "an allocation was refused"),
        (b"segfault", DecoderCrashError, "was ended by SIGSEGV"),
        (b"garbage", DecoderCrashError, "gave an answer that is none"),
        (b"other presets", DecoderCrashError, "gave an answer that is none"),
        (b"other reasons", DecoderCrashError, "gave an answer that is none"),
        (b"other format", DecoderCrashError, "gave an answer that is none"),
    ],
)
def test_a_broken_budget_or_child_is_a_typed_error_after_a_second_attempt_in_a_fresh_child(
    shared: World, source: bytes, error: type[RenderingError], words: str
) -> None:
    shared.render(PICTURE)
    before = shared.children()
    with pytest.raises(error, match=words):
        shared.render(source)
    assert shared.course.attempts == 2
    shared.render(PICTURE)
    assert len(before - shared.children()) >= 1
    assert len(shared.children()) <= 2


def test_a_child_that_hangs_is_ended_by_the_clock(impatient: World) -> None:
    began = time.monotonic()
    with pytest.raises(TimeBudgetError, match="longer than 3 s"):
        impatient.render(b"hang")
    assert 6 <= time.monotonic() - began < 30
    assert impatient.course.attempts == 2
    assert impatient.children() == set()


def test_a_stopped_child_is_ended_by_the_clock_and_the_picture_rendered_in_another(impatient: World) -> None:
    impatient.render(PICTURE)
    (child,) = impatient.children()
    os.kill(child, signal.SIGSTOP)
    assert impatient.render(PICTURE).derivatives
    assert (impatient.course.attempts, child in impatient.children()) == (2, False)


def test_a_child_killed_once_is_replaced_and_killed_twice_fails_its_picture(shared: World) -> None:
    for kills in (1, 2):
        thread, results = in_background(shared.render, b"nap" if kills == 1 else b"hang")
        killed: set[int] = set()
        for _ in range(kills):
            eventually(lambda: shared.children() - killed, "a child runs", shared.children, every_s=0.01)  # noqa: B023
            for child in shared.children():
                os.kill(child, signal.SIGKILL)
                killed.add(child)
        thread.join()
        if kills == 1:
            assert isinstance(results[0], Rendering)
        else:
            assert isinstance(results[0], DecoderCrashError)
            assert "SIGKILL" in str(results[0])
        assert shared.course.attempts == 2


def test_neighbours_of_a_killed_child_do_not_notice(impatient: World) -> None:
    sources = [b"hang", *[PICTURE] * 40, b"segfault", *[PICTURE] * 40]
    results = impatient.all(*sources)
    for source, (result, attempts) in zip(sources, results, strict=True):
        if source is PICTURE:
            assert isinstance(result, Rendering)
            assert attempts == 1
        else:
            assert isinstance(result, RenderingError)
            assert attempts == 2


def test_what_a_child_says_of_its_bytes_is_not_believed(shared: World) -> None:
    assert shared.render(b"other checksum") == render(PICTURE, P.choose(None))


def test_a_bug_in_the_renderer_is_told_on_one_line_and_fails_nothing_else(
    shared: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(RendererBrokenError, match="KeyError"):
        shared.render(b"bug")
    (told,) = [record.getMessage() for record in caplog.records]
    assert "forged" in told
    assert "\n" not in told
    assert shared.render(PICTURE).derivatives


# --- what a child has ---


@pytest.fixture(scope="module")
def escape() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PLANTED.items():
            patch.setenv(name, value)
        secret = open("/dev/null")  # a descriptor that a child might inherit
        os.set_inheritable(secret.fileno(), True)
        world = World()
    try:
        with pytest.raises(NotAnImage) as told:
            world.render(b"escape")
        assert world.sandbox.protection is Protection.SECCOMP
        processes = [world.server, *world.server.children()]
        environments = [Path(f"/proc/{one.pid}/environ").read_text() for one in processes]
        found: dict[str, Any] = json.loads(str(told.value))
        return {**found, "environments": environments}
    finally:
        world.sandbox.close()
        secret.close()


@pytest.mark.parametrize(
    "attempt",
    (
        "read a file, read an environment, write a file, unlink, chmod, pipe, tcp, udp, unix, netlink,"
        " fork, execute, signal init, ptrace, executable memory, raise a limit"
    ).split(", "),
)
def test_a_child_may_not(escape: dict[str, Any], attempt: str) -> None:
    assert escape[attempt] == "EPERM"


def test_a_child_has_nothing_but_its_channel_and_little_of_everything(escape: dict[str, Any]) -> None:
    assert escape["descriptors"] == [0, 1, 2, 3]
    assert escape["thread"] == ["ran"]
    assert escape["memory"] is True
    assert (escape["core"], escape["file size"], escape["files"]) == (0, 0, 4)


def test_children_give_way_to_their_worker(shared: World) -> None:
    shared.render(PICTURE)
    assert {one.nice() for one in shared.server.children()} == {min(19, psutil.Process().nice() + NICENESS)}


def test_neither_fork_server_nor_child_has_anything_of_the_workers_environment(escape: dict[str, Any]) -> None:
    assert len(escape["environments"]) >= 1
    for environment in escape["environments"]:
        assert "canary" not in environment
    assert not set(PLANTED) & set(escape["environment"])
    assert len(escape["environment"]) < 12


def test_without_libseccomp_there_is_a_network_namespace_and_no_new_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyseccomp.py").write_text("raise RuntimeError('Unable to find libseccomp')")
    monkeypatch.syspath_prepend(tmp_path)
    world = World()
    try:
        assert world.sandbox.protection is Protection.NETWORK_NAMESPACE
        with pytest.raises(NotAnImage) as told:
            world.render(b"reach")
        (child,) = world.children()
        assert os.readlink(f"/proc/{child}/ns/net") != os.readlink("/proc/self/ns/net")
        assert world.render(PICTURE) == render(PICTURE, P.choose(None))
    finally:
        world.sandbox.close()
    assert set(json.loads(str(told.value)).values()) == {"EMFILE"}


# --- what is left behind ---

WORKER = """
import asyncio, sys
from tests.functions.test_sandbox import World
world = World(processes=1)
world.render(b"nap")
(child,) = world.children()
print(world.server.pid, child, flush=True)
world.render(b"hang")
"""


def a_worker(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_worker_that_is_killed(way: signal.Signals, tmp_path: Path) -> None:
    with a_worker(tmp_path) as worker:
        assert worker.stdout is not None
        server, child = map(int, worker.stdout.readline().split())
        assert not ended(child)
        worker.send_signal(way)
        wait_until_ended(server, child)
        worker.kill()
    assert list(tmp_path.iterdir()) == []


def test_a_lost_fork_server_takes_its_children_along_and_blames_no_picture(own: World) -> None:
    own.render(PICTURE)
    children, server = own.children(), own.server.pid
    os.kill(server, signal.SIGKILL)
    wait_until_ended(server, *children)
    assert own.render(PICTURE).derivatives
    assert (own.course.attempts, own.server.pid != server) == (1, True)


def test_a_fork_server_lost_while_rendering_costs_no_attempt(own: World) -> None:
    thread, results = in_background(own.render, b"nap")
    eventually(own.children, "a child runs", own.children, every_s=0.01)
    os.kill(own.server.pid, signal.SIGKILL)
    thread.join()
    assert isinstance(results[0], Rendering)
    assert own.course.attempts == 1


def test_closing_ends_a_child_that_hangs_and_every_thread() -> None:
    threads = set(threading.enumerate())
    world = World()
    thread, results = in_background(world.render, b"hang")
    eventually(world.children, "a child runs", world.children, every_s=0.01)
    pids = [world.server.pid, *world.children()]
    world.sandbox.close()
    thread.join()
    wait_until_ended(*pids)
    assert isinstance(results[0], SandboxUnavailableError)
    assert not set(threading.enumerate()) - threads


def test_a_fork_server_that_does_not_start_is_nobodys_events_fault() -> None:
    with pytest.raises(SandboxUnavailableError):
        Sandbox(P, DEFAULT_LIMITS, 1, BUDGET, "tests.functions.no_such_module:render")


def test_presets_travel_to_the_children_once(own: World) -> None:
    asked: list[Preset] = [P.by_name["thumb"]]
    made = asyncio.run(own.sandbox.render(PICTURE, asked, None, Course()))
    assert made.derivatives[0].preset is asked[0]
