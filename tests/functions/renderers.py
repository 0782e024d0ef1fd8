"""A renderer that behaves as its source says, for the tests of the sandbox; other sources it renders."""

import ctypes
import errno
import json
import os
import resource
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tests.builders import a_picture
from udfs.imaging.errors import NotAnImage
from udfs.imaging.limits import Limits
from udfs.imaging.preset import Preset
from udfs.imaging.render import render
from udfs.imaging.rendering import RenderFailure, Rendering

NAP_S = 3.0
libc = ctypes.CDLL(None, use_errno=True)
hoarded: list[Any] = []


def by_source(
    source: bytes, presets: Sequence[Preset], limits: Limits, focal_point: tuple[float, float] | None
) -> Rendering:
    behaviour = BEHAVIOURS.get(bytes(source[:20]).decode("latin-1"))
    return behaviour(presets) if behaviour else render(source, presets, limits, focal_point)


def _picture(presets: Sequence[Preset]) -> Rendering:
    return render(a_picture(), presets)


def _nap(presets: Sequence[Preset]) -> Rendering:
    time.sleep(NAP_S)
    return _picture(presets)


def _hang(presets: Sequence[Preset]) -> Rendering:
    while True:
        time.sleep(60)


def _spin(presets: Sequence[Preset]) -> Rendering:
    while True:
        pass


def _hoard(presets: Sequence[Preset]) -> Rendering:
    while True:
        hoarded.append(bytearray(32 * 1024 * 1024))


def _segfault(presets: Sequence[Preset]) -> Rendering:
    ctypes.string_at(0)
    raise AssertionError


def _other_presets(presets: Sequence[Preset]) -> Rendering:
    made = _picture(presets)
    return replace(made, derivatives=made.derivatives[1:])


def _other_reasons(presets: Sequence[Preset]) -> Rendering:
    made = _picture(presets)
    failure = RenderFailure(presets[0].name, "NOTHING_WE_KNOW", "words")
    return replace(made, derivatives=made.derivatives[1:], failures=(failure,))


def _other_format(presets: Sequence[Preset]) -> Rendering:
    made = _picture(presets)
    first = replace(made.derivatives[0], format="html", content_type="text/html")
    return replace(made, derivatives=(first, *made.derivatives[1:]))


def _other_checksum(presets: Sequence[Preset]) -> Rendering:
    made = _picture(presets)
    first = replace(made.derivatives[0], sha256="0" * 64, content_type="text/html", extension="html")
    return replace(made, derivatives=(first, *made.derivatives[1:]))


def _garbage(presets: Sequence[Preset]) -> Rendering:
    os.write(3, b"\x00\x00\x00\x05" + b"\xff" * 60)
    return _hang(presets)


def _bug(presets: Sequence[Preset]) -> Rendering:
    message = "forged\nline"
    raise KeyError(message)


def _escape(presets: Sequence[Preset]) -> Rendering:
    """Try everything that a picture must not, and tell what came of it."""
    raise NotAnImage(json.dumps({name: _came_of(attempt) for name, attempt in ESCAPES.items()}))


def _reach(presets: Sequence[Preset]) -> Rendering:
    """Try what needs a new descriptor, and tell what came of it."""
    names = ("read a file", "read an environment", "write a file", "tcp", "udp", "unix", "netlink", "pipe")
    raise NotAnImage(json.dumps({name: _came_of(ESCAPES[name]) for name in names}))


def _came_of(attempt: Callable[[], object]) -> object:
    try:
        return attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except ValueError:  # what Python makes of a limit that may not be raised
        return "EPERM"


def _call(name: str, *arguments: Any) -> object:
    ctypes.set_errno(0)
    result = getattr(libc, name)(*arguments)
    return errno.errorcode[ctypes.get_errno()] if result == -1 else f"{name} succeeded"


def _in_thread() -> object:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append("ran"))
    thread.start()
    thread.join()
    return found


def _open_descriptors() -> list[int]:
    def is_open(number: int) -> bool:
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:
            return error.errno != errno.EBADF
        return True

    return [number for number in range(1024) if is_open(number)]


ESCAPES: dict[str, Callable[[], object]] = {
    "environment": lambda: sorted(os.environ),
    "descriptors": _open_descriptors,
    "thread": _in_thread,
    "read a file": lambda: open("/etc/passwd").read(),
    "read an environment": lambda: open("/proc/1/environ").read(),
    "write a file": lambda: os.open("/escaped-from-the-sandbox", os.O_WRONLY | os.O_CREAT),
    "tcp": lambda: str(socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "udp": lambda: str(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    "unix": lambda: str(socket.socket(socket.AF_UNIX)),
    "netlink": lambda: str(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    "fork": lambda: str(os.fork()),
    "execute": lambda: os.execv("/bin/true", ["/bin/true"]),  # noqa: S606
    "signal init": lambda: os.kill(1, 0),
    "ptrace": lambda: _call("ptrace", 0, 0, 0, 0),
    "pipe": lambda: str(os.pipe()),
    "unlink": lambda: os.unlink("/nothing-there"),
    "chmod": lambda: os.chmod("/nothing-there", 0o600),
    "executable memory": lambda: _call("mmap", None, 4096, 7, 0x22, -1, 0),
    "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    "memory": lambda: resource.getrlimit(resource.RLIMIT_AS)[1] < 2**40,
    "core": lambda: resource.getrlimit(resource.RLIMIT_CORE)[1],
    "file size": lambda: resource.getrlimit(resource.RLIMIT_FSIZE)[1],
    "files": lambda: resource.getrlimit(resource.RLIMIT_NOFILE)[1],
}

BEHAVIOURS: dict[str, Callable[[Sequence[Preset]], Rendering]] = {
    "nap": _nap,
    "hang": _hang,
    "spin": _spin,
    "hoard": _hoard,
    "segfault": _segfault,
    "other presets": _other_presets,
    "other reasons": _other_reasons,
    "other format": _other_format,
    "other checksum": _other_checksum,
    "garbage": _garbage,
    "bug": _bug,
    "escape": _escape,
    "reach": _reach,
}
