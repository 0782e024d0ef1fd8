"""The worker's side of the fork server and of one child; every method blocks, with a time limit."""

import contextlib
import os
import pickle
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Final, cast

from udfs.sandbox.confinement import Protection
from udfs.sandbox.messages import PACKET_BYTES, REPLY, Reply, Request, Setup, frame, read_frame

START_LIMIT_S: Final = 120  # loading the decoders takes 1 s of CPU, on a machine that may be starting everything else
ANSWER_LIMIT_S: Final = 30  # forking takes milliseconds

# One picture, one thread: a slot has its share of the cores. Up to 128 MiB of freed memory, in pieces of up to 32, stay
# for the next picture: getting it from the kernel again took 675 page faults and 7 % of the CPU of a small picture.
ENVIRONMENT: Final[Mapping[str, str]] = {
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024 * 1024),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
}
INHERITED: Final = ("LD_LIBRARY_PATH",)  # where an unusual installation has its libraries


class ServerLostError(Exception):
    """The fork server does not answer; its children are gone with it."""


class Child:
    """One child, and the worker's end of the channel to it."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel

    def ask(
        self, request: Request, source: bytes, cpu_s: int, timeout_s: float, max_bytes: int
    ) -> tuple[Reply, bytearray]:
        """Return the child's reply and the bytes that follow it.

        Raises:
            TimeoutError: it took longer than `timeout_s`.
            OSError: the channel broke: the child is dying or dead.
            ValueError: the answer is none.
        """
        deadline = time.monotonic() + timeout_s
        spent_s = time.clock_gettime(~self.pid << 3 | 2)  # CPU of all its threads. Source: clock_getcpuclockid(3)
        # That it is dead, reading its answer finds out; and where a lower hard limit is in force, that one holds.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(self.pid, resource.RLIMIT_CPU, (int(spent_s) + 1 + cpu_s, resource.RLIM_INFINITY))
        self._channel.settimeout(timeout_s)
        self._channel.sendall(frame(request, len(source)))
        self._channel.sendall(source)
        header, bodies = read_frame(lambda count: self._read(count, deadline), max_bytes)
        return REPLY.validate_json(header), bodies

    def close(self) -> None:
        """Close the channel; a child that waits for a picture ends."""
        self._channel.close()

    def _read(self, count: int, deadline: float) -> bytearray:
        data = bytearray(count)
        missing = memoryview(data)
        while missing:
            self._channel.settimeout(max(deadline - time.monotonic(), 0.001))
            got = self._channel.recv_into(missing)
            if not got:
                raise ConnectionResetError
            missing = missing[got:]
        return data


class Nursery:
    """A fork server of this process's own, which starts and ends children."""

    def __init__(self, setup: Setup) -> None:
        """Start the fork server.

        Raises:
            ServerLostError: it did not start.
        """
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "udfs.sandbox.server", str(theirs.fileno())],
                env=environment(os.environ),
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        try:
            self._hand_over(pickle.dumps(setup))
            self.protection = Protection(self._answer(START_LIMIT_S))
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process id of the fork server."""
        return self._process.pid

    def start_child(self) -> Child:
        """Return a fresh child.

        Raises:
            ServerLostError: the fork server does not answer.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                return Child(int(self._ask(b"start", theirs)), ours)
            except BaseException:
                ours.close()
                raise

    def end_child(self, child: Child) -> int:
        """Kill a child, unless it has died already; return its exit status, or minus the signal that it died of first.

        Raises:
            ServerLostError: the fork server does not answer.
        """
        child.close()
        return int(self._ask(str(child.pid).encode()))

    def close(self) -> None:
        """End the fork server and with it every child."""
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _hand_over(self, setup: bytes) -> None:
        pipe = cast(IO[bytes], self._process.stdin)
        with contextlib.suppress(BrokenPipeError), pipe:  # its answer will be missing
            pipe.write(setup)

    def _ask(self, question: bytes, *given: socket.socket) -> str:
        with self._lock:
            try:
                socket.send_fds(self._control, [question], [one.fileno() for one in given])
            except OSError as error:
                raise ServerLostError from error
            return self._answer(ANSWER_LIMIT_S)

    def _answer(self, limit_s: float) -> str:
        try:
            self._control.settimeout(limit_s)
            answer = self._control.recv(PACKET_BYTES).decode()
        except OSError as error:
            raise ServerLostError from error
        if not answer:
            raise ServerLostError
        return answer


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the fork server: nothing of this process but where its modules and libraries are."""
    path = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
    kept = {name: own[name] for name in INHERITED if name in own}
    return {**ENVIRONMENT, **kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
