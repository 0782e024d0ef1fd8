"""Renders one hostile file within the budget, in a process that may be lost, and says what came of it."""

import io
import math
import os
import resource
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from PIL import Image

from tests.hostile.attack import Accept, Attack
from udfs.imaging.errors import SourceRejected
from udfs.imaging.limits import DEFAULT_LIMITS
from udfs.imaging.presets import parse_presets
from udfs.imaging.render import Derivative, Rendering, render

MEBIBYTE: Final = 1 << 20

# A picture at the limit of 100 megapixels, with alpha, takes 835 MiB and about 3 s when nothing is wrong with it.
CPU_SECONDS: Final = 20  # the dearest file takes 8 on an idle machine of 2026; twice that is not yet a hang
MEMORY_BYTES: Final = 1024 * MEBIBYTE

# Decoders in C call a refused allocation a damaged picture, so memory is measured; it is refused to save the machine.
LAST_RESORT_BYTES: Final = 4 * MEMORY_BYTES

# The smallest takes what decoders know of reduced decoding, the largest keeps them from it.
PRESETS: Final = parse_presets(
    """
version: 1
presets:
  - {name: dot, geometry: cover, width: 16, height: 16, format: jpeg, quality: 80}
  - {name: small, geometry: fit, width: 32, height: 32, format: webp, quality: 80}
  - {name: large, geometry: fit, width: 2000, height: 2000, format: jpeg, quality: 80}
  - {name: moving, geometry: fit, width: 32, height: 32, format: webp, quality: 80, animation: keep}
sets:
  default: [dot, small, large, moving]
""",
    "tests/hostile/judge.py",
).choose(None)


class Came(StrEnum):
    """What came of a file; the first two are as they should be where the attack accepts them."""

    PICTURE = "picture"
    REJECTED = "rejected"
    UNTYPED = "untyped error"
    WRONG = "wrong picture"
    MEMORY = "too much memory"
    TIME = "too much time"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one file; `detail` is a reason code, an error or a signal."""

    came: Came
    detail: str = ""
    source_bytes: int = 0
    cpu_seconds: float = 0.0
    peak_mebibytes: float = 0.0


def judge(attack: Attack) -> Verdict:
    """Make the file and render it, counting only the rendering; its process may be ended by it."""
    source = attack.make()
    resident_before = _reset_peak()
    _limit_memory(LAST_RESORT_BYTES)
    _limit_cpu(CPU_SECONDS + 1)
    began = time.process_time()
    came, detail = outcome(source)
    spent = time.process_time() - began
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    peak = (_status_bytes("VmHWM") - resident_before) / MEBIBYTE
    if came in (Came.PICTURE, Came.REJECTED) and spent > CPU_SECONDS:
        came, detail = Came.TIME, f"{spent:.1f} s of CPU; {detail}"
    elif came in (Came.PICTURE, Came.REJECTED) and peak > MEMORY_BYTES / MEBIBYTE:
        came, detail = Came.MEMORY, f"{peak:.0f} MiB; {detail}"
    return Verdict(came, detail, len(source), spent, peak)


def outcome(source: bytes) -> tuple[Came, str]:
    """Render a source with the default limits."""
    try:
        rendering = render(source, PRESETS, DEFAULT_LIMITS)
    except SourceRejected as error:
        return Came.REJECTED, error.reason
    except MemoryError:
        return Came.MEMORY, "an allocation was refused"
    except Exception as error:
        return Came.UNTYPED, f"{type(error).__name__}: {error}"
    problem = wrong(rendering)
    failed = sorted({failure.reason for failure in rendering.failures})
    return (Came.WRONG, problem) if problem else (Came.PICTURE, " ".join(failed))


def wrong(rendering: Rendering) -> str:
    """Name the first thing in a rendering that is not as announced; empty when all is right or failed by name."""
    made = len(rendering.derivatives) + len(rendering.failures)
    if made != len(PRESETS):
        return f"{made} outcomes for {len(PRESETS)} presets"
    return next((problem for derivative in rendering.derivatives if (problem := _wrong_derivative(derivative))), "")


def _wrong_derivative(derivative: Derivative) -> str:
    announced = (derivative.format.upper(), derivative.width, derivative.height)
    with Image.open(io.BytesIO(derivative.data)) as image:
        image.load()
        found = (image.format, *image.size)
    return "" if found == announced else f"announced {announced}, opened {found}"


def fault(attack: Attack, verdict: Verdict) -> str:
    """Say in one line what is not acceptable; empty when the verdict is."""
    line = f"{attack.name}: {verdict.came} ({verdict.detail})"
    if verdict.came not in (Came.PICTURE, Came.REJECTED):
        return line
    if attack.accept is not Accept.EITHER and verdict.came != attack.accept.value:
        return f"{line}, where it must be {attack.accept}"
    if attack.accept is Accept.PICTURE and verdict.detail:
        return f"{line}, where every preset must be made"
    if verdict.came is Came.REJECTED and attack.reasons and verdict.detail not in attack.reasons:
        return f"{line}, where the reason must be one of {', '.join(sorted(attack.reasons))}"
    return ""


def _limit_memory(growth_bytes: int) -> None:
    limit = _status_bytes("VmSize") + growth_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))


def _limit_cpu(more_seconds: int) -> None:
    """End the process by SIGXCPU after so many seconds more than it has spent."""
    limit = math.ceil(time.process_time()) + more_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _reset_peak() -> int:
    """Forget the highest resident size so far and return the present one. Source: proc(5), clear_refs."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status_bytes("VmRSS")


def _status_bytes(field: str) -> int:
    for line in Path(f"/proc/{os.getpid()}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)
