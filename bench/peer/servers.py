"""Image servers over HTTP: two processes on ports of their own, and a client that opens a connection per request.

Two requests are in flight at each server, so that one is read while the other is rendered. The client is a part of the
measurement: its CPU, about a millisecond per request, is the price of an answer over HTTP.
"""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from queue import Empty, SimpleQueue

from equivalence import Made

from darkroom.errors import OperatorError
from peer.peer import Developed
from udfs.imaging.preset import Preset

HOST = "127.0.0.1"
PROCESSES = 2
IN_FLIGHT_PER_PROCESS = 2
START_SECONDS = 30.0
ANSWER_SECONDS = 60.0
END_SECONDS = 10.0

Request = tuple[str, str]  # key of the source, name of the preset


@dataclass(frozen=True, slots=True)
class Servers:
    """Running servers of one kind; `path` is that of a request for one derivative of the source with that key."""

    name: str
    ports: tuple[int, ...]
    path: Callable[[str, Preset], str]

    def develop(self, keys: Sequence[str], presets: Sequence[Preset]) -> Developed:
        """Ask for every derivative.

        Raises:
            OperatorError: an answer is not status 200.
        """
        started = time.monotonic()
        self.made(keys, presets)
        return Developed(len(keys), len(keys) / (time.monotonic() - started))

    def made(self, keys: Sequence[str], presets: Sequence[Preset]) -> Made:
        """Ask for every derivative and return the answers."""
        return self._ask([(self.path(key, preset), (key, preset.name)) for key, preset in product(keys, presets)])

    def _ask(self, requests: Sequence[tuple[str, Request]]) -> dict[Request, bytes]:
        waiting: SimpleQueue[tuple[str, Request]] = SimpleQueue()
        for one in requests:
            waiting.put(one)
        answers: dict[Request, bytes] = {}

        def take(port: int) -> None:
            with contextlib.suppress(Empty):
                while True:
                    path, request = waiting.get_nowait()
                    answers[request] = _answer(self.name, port, path)

        with ThreadPoolExecutor(PROCESSES * IN_FLIGHT_PER_PROCESS) as threads:
            list(threads.map(take, self.ports * IN_FLIGHT_PER_PROCESS))
        return answers


@contextlib.contextmanager
def serving(
    name: str,
    command: Callable[[int], Sequence[str]],
    path: Callable[[str, Preset], str],
    log: Path,
    environment: Callable[[int], Mapping[str, str]] = lambda _: {},
) -> Iterator[Servers]:
    """Start a server on each of two free ports, yield them when all listen, and end them.

    `command` and `environment` take the port.

    Raises:
        OperatorError: one ends early or does not listen in time.
    """
    ports = tuple(_free_port() for _ in range(PROCESSES))
    with log.open("wb") as words, contextlib.ExitStack() as stack:
        for port in ports:
            process = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env={**os.environ, **environment(port)},
            )
            stack.callback(_end, process)
            _wait_until_it_listens(name, process, port, log)
        yield Servers(name, ports, path)


def _answer(name: str, port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        message = f"{name} does not answer {path}: {type(error).__name__}"
        raise OperatorError(message) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        message = f"{name} answers {answer.status} to {path}"
        raise OperatorError(message)
    return body


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < limit:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(0.1)
    message = f"{name} does not listen: {log.read_text('utf-8', 'replace').strip()[-500:]}"
    raise OperatorError(message)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
