"""The fork server: has the decoders in memory, forks a child when asked, and ends with the worker that started it.

`python -m udfs.sandbox.server FD`, with a Setup pickled on standard input. It answers one question at a time, in
packets on the socket FD; only the worker asks. Its children are its own, so that a process id in a question always
means the child it meant when it was given out.
"""

import gc
import importlib
import os
import pickle
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from typing import cast

from udfs.sandbox.child import Render, serve
from udfs.sandbox.confinement import CHANNEL_FD, Protection, confine, confined_network, load_filter
from udfs.sandbox.messages import NOT_CONFINED, PACKET_BYTES, Setup
from udfs.sandbox.rehearsal import rehearse


def main() -> None:
    """Prepare, say so, and answer until the worker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides when this ends
    control = socket.socket(fileno=int(sys.argv[1]))
    setup: Setup = pickle.load(sys.stdin.buffer)  # noqa: S301 - the worker's own, through a pipe of its own
    warnings.simplefilter("ignore")  # Pillow tells one per bad tag of a TIFF
    render = _named(setup.renderer)
    rehearse()
    install_filter = load_filter()
    protection = Protection.SECCOMP if install_filter else confined_network()
    gc.collect()
    gc.freeze()  # children share what is in memory, as long as the collector does not write to it
    control.send(protection.encode())
    while True:
        question, channels, _, _ = socket.recv_fds(control, PACKET_BYTES, 1)
        if not question:  # the worker is gone
            return
        if channels:
            answer = _fork(control, channels[0], setup, render, install_filter)
        else:
            answer = _end(int(question))
        control.send(str(answer).encode())


def _fork(
    control: socket.socket, channel: int, setup: Setup, render: Render, install_filter: Callable[[], None] | None
) -> int:
    """Return the id of a new child, which talks on the channel."""
    child = os.fork()
    if child:
        os.close(channel)
        return child
    try:
        control.detach()
        _confined(channel, setup.memory_bytes, install_filter)
        serve(CHANNEL_FD, render, setup.presets, setup.limits)
    finally:
        os._exit(1)


def _confined(channel: int, memory_bytes: int, install_filter: Callable[[], None] | None) -> None:
    try:
        confine(channel, memory_bytes, install_filter)
    except BaseException:
        os._exit(NOT_CONFINED)


def _end(child: int) -> int:
    """End a child, if it has not ended yet; return its exit status, or minus the signal that it died of first."""
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _named(renderer: str) -> Render:
    module, _, function = renderer.partition(":")
    return cast(Render, getattr(importlib.import_module(module), function))


if __name__ == "__main__":
    main()
