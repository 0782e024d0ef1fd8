"""Renders pictures in children, each in one at a time, and tries again once in a fresh one. Knows nothing of events."""

import asyncio
import logging
import signal
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from udfs.course import Course
from udfs.errors import (
    DecoderCrashError,
    MemoryBudgetError,
    RendererBrokenError,
    RenderingError,
    SandboxUnavailableError,
    TimeBudgetError,
)
from udfs.imaging.errors import ImagingError
from udfs.imaging.limits import Limits
from udfs.imaging.presets import Preset, Presets
from udfs.imaging.rendering import Rendering
from udfs.sandbox.believing import believed
from udfs.sandbox.confinement import Protection
from udfs.sandbox.messages import MAX_BODIES_BYTES, NOT_CONFINED, Request, Setup
from udfs.sandbox.nursery import Child, Nursery, ServerLostError

log = logging.getLogger(__name__)

RENDERER: Final = "udfs.imaging.render:render"
ATTEMPTS: Final = 2
SERVERS: Final = 3  # started for one picture before the job is told that there is no rendering


@dataclass(frozen=True, slots=True)
class Budget:
    """What rendering one picture may take; memory beyond what a child has when it starts."""

    memory_bytes: int
    cpu_s: int
    timeout_s: float


class Sandbox:
    """Up to `processes` children at once; what one does to itself, the others do not notice."""

    def __init__(
        self, presets: Presets, limits: Limits, processes: int, budget: Budget, renderer: str = RENDERER
    ) -> None:
        """Start the fork server; children are started when there are pictures.

        Raises:
            SandboxUnavailableError: it does not start.
        """
        self._setup = Setup(presets, limits, budget.memory_bytes, renderer)
        self._budget = budget
        self._threads = ThreadPoolExecutor(processes, "render")
        self._idle: deque[tuple[Nursery, Child]] = deque()
        self._starting = threading.Lock()
        self._nursery: Nursery | None = None
        self._closed = False
        self.protection = self._start()
        level = logging.WARNING if self.protection is Protection.NONE else logging.INFO
        log.log(level, "pictures are rendered in %d processes with limits and %s", processes, self.protection)

    def close(self) -> None:
        """End the children, whatever they do, and the threads."""
        with self._starting:
            self._closed = True
            if self._nursery:
                self._nursery.close()
        self._threads.shutdown(cancel_futures=True)
        for _, child in self._idle:
            child.close()

    async def render(
        self, source: bytes, presets: Sequence[Preset], focal_point: tuple[float, float] | None, course: Course
    ) -> Rendering:
        """Make every preset from one decode, as `udfs.imaging.render` does; count attempts in the course.

        Raises:
            ImagingError: nothing can be made of the picture.
            RenderingError: it broke its budget or its child, twice.
            SandboxUnavailableError: no child can be started, for a reason that the picture is not to blame for.
        """
        request = Request(presets=tuple(one.name for one in presets), focal_point=focal_point)
        attempts = range(1, ATTEMPTS + 1)
        for attempt in attempts:
            course.attempts = max(course.attempts, attempt)
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._render, request, source, presets, attempt > 1
                )
            except RenderingError as error:
                log.warning("rendering failed in attempt %d of %d: %s", attempt, ATTEMPTS, error)
                if attempt == attempts[-1]:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _start(self) -> Protection:
        try:
            return self._running_nursery().protection
        except ServerLostError as error:
            message = "the fork server of the rendering processes does not start; its words are above"
            raise SandboxUnavailableError(message) from error

    def _render(self, request: Request, source: bytes, presets: Sequence[Preset], fresh: bool) -> Rendering:
        for _ in range(SERVERS):
            nursery = self._running_nursery()
            try:
                return self._in_child(nursery, request, source, presets, fresh)
            except ServerLostError:
                log.warning("the fork server of the rendering processes is gone; starting another")
                self._discard(nursery)
        message = f"the fork server of the rendering processes was lost {SERVERS} times"
        raise SandboxUnavailableError(message)

    def _in_child(
        self, nursery: Nursery, request: Request, source: bytes, presets: Sequence[Preset], fresh: bool
    ) -> Rendering:
        """Render in an idle child or a fresh one; one that answers properly may go on."""
        child = self._child(nursery, fresh)
        budget = self._budget
        try:
            reply, bodies = child.ask(request, source, budget.cpu_s, budget.timeout_s, MAX_BODIES_BYTES)
            answer = believed(reply, bodies, presets)
        except (MemoryBudgetError, RendererBrokenError):
            nursery.end_child(child)
            raise
        except TimeoutError:
            nursery.end_child(child)
            message = f"rendering took longer than {budget.timeout_s:g} s"
            raise TimeBudgetError(message) from None
        except ValueError as error:
            nursery.end_child(child)
            message = "the rendering process gave an answer that is none"
            raise DecoderCrashError(message) from error
        except OSError:
            status = nursery.end_child(child)
            if status == NOT_CONFINED:
                message = "a rendering process cannot give up its rights on this machine; `darkroom doctor` says more"
                raise SandboxUnavailableError(message) from None
            raise _death(status, budget) from None
        self._idle.append((nursery, child))
        if isinstance(answer, ImagingError):
            raise answer
        return answer

    def _child(self, nursery: Nursery, fresh: bool) -> Child:
        while self._idle:
            home, child = self._idle.popleft()
            if home is not nursery:
                child.close()  # it died with its fork server
            elif fresh:
                nursery.end_child(child)
                break
            else:
                return child
        return nursery.start_child()

    def _running_nursery(self) -> Nursery:
        with self._starting:
            if self._closed:
                message = "the worker is closing"
                raise SandboxUnavailableError(message)
            if self._nursery is None:
                self._nursery = Nursery(self._setup)
            return self._nursery

    def _discard(self, lost: Nursery) -> None:
        with self._starting:
            if self._nursery is lost:  # else another thread was here first
                self._nursery = None
                lost.close()


def _death(status: int, budget: Budget) -> RenderingError:
    if status == -signal.SIGXCPU:
        return TimeBudgetError(f"rendering took more than {budget.cpu_s} s of CPU")
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return DecoderCrashError(f"the rendering process {how}")
