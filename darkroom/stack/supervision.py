"""Supervisord: its generated configuration, its start and end, and what it says of the programs.

It restarts a part that dies, keeps the parts' output in files and rolls them. It is the process that carries the
stack's marker and hands it down; it gets no more of the user's environment than it needs, so that neither foreign
credentials nor settings leak into the stack.
"""

import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from darkroom.stack.errors import StackError
from darkroom.stack.layout import Home
from darkroom.stack.processes import PART_MARKER, STACK_MARKER
from darkroom.stack.program import Program

INHERITED = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH")
ENV = "/usr/bin/env"  # supervisord's own `environment=` has no way to write a value with quotes in it
STEADY_SECONDS = 1  # a part that lived this long is started again at once; before, with a second more each time
RETRIES = 1_000_000  # none is given up: what keeps it from starting, such as a full disk, may end
START_SECONDS = 20.0
STOP_SECONDS = 90.0  # the parts' own limits together, one after the other

SUPERVISORD_CONF = """\
[supervisord]
logfile=logs/supervisord.log
pidfile=run/supervisord.pid
childlogdir=logs
umask=077

[unix_http_server]
file={socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM_CONF = """
[program:{part}]
command={command}
priority={priority}
autostart=true
autorestart=true
startsecs={steady}
startretries={retries}
stopsignal=TERM
stopasgroup=true
killasgroup=true
stopwaitsecs={stop_wait}
redirect_stderr=true
stdout_logfile=logs/{part}.log
stdout_logfile_maxbytes=50MB
stdout_logfile_backups=3
"""


@dataclass(frozen=True, slots=True)
class ProgramState:
    """What supervisord says of one program."""

    name: str  # RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL
    pid: int | None
    started_at: float | None  # seconds since the epoch


def write_configuration(home: Home, programs: Iterable[Program]) -> None:
    """Write the configuration of supervisord and its programs."""
    home.run.mkdir(parents=True, exist_ok=True)
    home.logs.mkdir(parents=True, exist_ok=True)
    text = SUPERVISORD_CONF.format(socket=_escaped(str(home.socket)))
    for program in programs:
        assignments = [f"{name}={value}" for name, value in {PART_MARKER: program.part, **program.environment}.items()]
        text += PROGRAM_CONF.format(
            part=program.part,
            command=_escaped(shlex.join((ENV, *assignments, *program.command))),
            priority=program.priority,
            stop_wait=program.stop_wait_seconds,
            steady=STEADY_SECONDS,
            retries=RETRIES,
        )
    home.supervisor_conf.write_text(text)


def start_supervisor(home: Home, environment: Mapping[str, str]) -> None:
    """Start supervisord as a daemon; it starts every program."""
    home.socket.unlink(missing_ok=True)
    inherited = {name: environment[name] for name in INHERITED if name in environment}
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(home.supervisor_conf)]
    told = subprocess.run(
        command,
        cwd=home.path,  # paths in the configuration are relative: supervisord expands some of them twice
        env={**inherited, STACK_MARKER: str(home.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    deadline = time.monotonic() + START_SECONDS
    while told.returncode == 0 and time.monotonic() < deadline:
        if is_supervised(home):
            return
        time.sleep(0.1)
    message = f"supervisord did not start: {told.stderr.strip() or f'see {home.logs}/supervisord.log'}"
    raise StackError(message)


def is_supervised(home: Home) -> bool:
    """Tell whether the stack's supervisord answers."""
    try:
        _call(home, "getState")
    except OSError:
        return False
    return True


def program_states(home: Home) -> dict[str, ProgramState]:
    """Return the state of every program by part; empty when supervisord does not run."""
    try:
        told = _call(home, "getAllProcessInfo")
    except OSError:
        return {}
    return {
        info["name"]: ProgramState(info["statename"], info["pid"] or None, info["start"] if info["pid"] else None)
        for info in told
    }


def start_programs(home: Home, parts: Iterable[str]) -> None:
    """Start programs that are stopped or have failed."""
    for part in parts:
        _call(home, "startProcess", part, False)


def stop_programs(home: Home, parts: Iterable[str]) -> None:
    """Stop programs and wait for their end."""
    for part in parts:
        _call(home, "stopProcess", part)


def stop_supervisor(home: Home) -> None:
    """Stop every program, the TaskManager first, then supervisord itself; wait for its end."""
    try:
        pid = _call(home, "getPID")
        _call(home, "shutdown")
    except OSError:
        return
    try:
        psutil.Process(pid).wait(STOP_SECONDS)
    except psutil.Error:
        pass  # ended already, or the caller ends what is left


def _call(home: Home, method: str, *arguments: object) -> Any:
    """Call supervisord; raises OSError when it does not answer."""
    transport = SupervisorTransport(serverurl=f"unix://{home.socket}")
    try:
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        return getattr(proxy.supervisor, method)(*arguments)
    except xmlrpc.client.Fault as fault:
        message = f"supervisord refuses {method}: {fault.faultString}"
        raise StackError(message) from fault
    finally:
        transport.close()


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
