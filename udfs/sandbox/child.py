"""What a child does: render one picture after the other, until the channel ends."""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Final

from pydantic import BaseModel

from udfs.imaging.errors import ImagingError
from udfs.imaging.limits import Limits
from udfs.imaging.presets import Preset, Presets
from udfs.imaging.rendering import Rendering
from udfs.sandbox.messages import Broken, OutOfMemory, Rejected, Rendered, Request, frame, read_frame

Render = Callable[[bytes, tuple[Preset, ...], Limits, tuple[float, float] | None], Rendering]

MAX_WORDS: Final = 2000  # as a status holds


def serve(channel: int, render: Render, presets: Presets, limits: Limits) -> None:
    """Answer requests until the other side closes the channel."""

    def read(count: int) -> bytearray:
        return _read(channel, count)

    while True:
        try:
            header, source = read_frame(read, sys.maxsize)  # how large a source may be is the renderer's to say
        except EOFError:
            return
        request = Request.model_validate_json(header)
        reply, bodies = _answer(bytes(source), request, render, presets, limits)
        _write(channel, frame(reply, sum(map(len, bodies))))
        for body in bodies:
            _write(channel, body)


def _answer(
    source: bytes, request: Request, render: Render, presets: Presets, limits: Limits
) -> tuple[BaseModel, tuple[bytes, ...]]:
    try:
        chosen = tuple(presets.by_name[name] for name in request.presets)
        rendering = render(source, chosen, limits, request.focal_point)
    except ImagingError as error:
        return Rejected(reason=error.reason, message=str(error)[:MAX_WORDS]), ()
    except MemoryError:
        return OutOfMemory(), ()
    except Exception as error:
        return Broken(error=type(error).__name__, traceback=traceback.format_exc()[-MAX_WORDS:]), ()
    return Rendered.of(rendering), tuple(one.data for one in rendering.derivatives)


def _read(channel: int, count: int) -> bytearray:
    data = bytearray(count)
    missing = memoryview(data)
    while missing:
        got = os.readv(channel, [missing])
        if not got:
            raise EOFError
        missing = missing[got:]
    return data


def _write(channel: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(channel, rest) :]
