"""The clock that the TaskManager and its Python workers see, through libfaketime; the machine's own is never set.

Monotonic time stays true: what steps is the system's time, as it does when a machine's clock is corrected.
"""

import xmlrpc.client
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from supervisor.xmlrpc import SupervisorTransport

from darkroom.stack.layout import Home

PART = "taskmanager"
COMMAND = "command=/usr/bin/env "
LIBRARY = Path("vendor/libfaketime/src/libfaketime.so.1")
TRUE_TIME = "+0"


class NoClockError(Exception):
    """The clock cannot be set apart; the message says how to do without."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The offset of one part's clock, kept in a file that its processes read again every second."""

    file: Path

    def step(self, seconds: int) -> None:
        """Let the clock differ from the machine's."""
        self._write(f"{seconds:+d}")

    def correct(self) -> None:
        """Let the clock be right again."""
        self._write(TRUE_TIME)

    def _write(self, offset: str) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(offset + "\n")
        fresh.replace(self.file)


def own_clock(home: Home) -> Clock:
    """Start the TaskManager of a running stack again, with a clock of its own.

    Raises:
        NoClockError: libfaketime is not installed.
    """
    clock = Clock(home.run / "clock")
    clock.correct()
    given = {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": clock.file,
        "FAKETIME_CACHE_DURATION": 1,
        "FAKETIME_DONT_FAKE_MONOTONIC": 1,
        "FAKETIME_FORCE_MONOTONIC_FIX": 0,  # with the other way, Object.wait of a JVM returns at once
        "NO_FAKE_STAT": 1,
    }
    words = "".join(f"{name}={value} " for name, value in given.items())
    head, marker, tail = home.supervisor_conf.read_text().partition(f"[program:{PART}]")
    home.supervisor_conf.write_text(head + marker + tail.replace(COMMAND, COMMAND + words, 1))
    _replace_program(home)
    return clock


def library() -> Path:
    """Return the library that the package brings."""
    spec = find_spec("libfaketime")
    path = Path(spec.origin).parent / LIBRARY if spec and spec.origin else None
    if path is None or not path.exists():
        message = "libfaketime is not installed: `pip install libfaketime==3.0.1`, or --without clock"
        raise NoClockError(message)
    return path


def _replace_program(home: Home) -> None:
    transport = SupervisorTransport(serverurl=f"unix://{home.socket}")
    try:
        supervisor = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor
        supervisor.stopProcessGroup(PART)
        supervisor.removeProcessGroup(PART)
        supervisor.reloadConfig()
        supervisor.addProcessGroup(PART)
    finally:
        transport.close()
