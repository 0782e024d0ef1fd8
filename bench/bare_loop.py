"""The yardstick: processes that each get a source, render it, put its derivatives, and take the next. Nothing more.

No Kafka, no Flink, no sandbox and no promise. The client of the store, the rendering and the keys are the job's own.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

from darkroom.target import Target
from schemas.keys import derivative_key
from schemas.records import Source
from udfs.imaging.preset import Preset
from udfs.imaging.render import render
from udfs.s3_store import S3Address

CONNECTIONS = 1
USERS = 1000


@dataclass(frozen=True, slots=True)
class Work:
    """What every process does to event number n: the n-th source, from the start again after the last."""

    address: S3Address
    sources: tuple[Source, ...]
    presets: tuple[Preset, ...]
    bucket: str


class BareLoop:
    """As many processes as given, warm from their first run on; leaving the context ends them."""

    def __init__(self, target: Target, sources: Sequence[Source], presets: Sequence[Preset], processes: int) -> None:
        address = S3Address(
            target.s3_endpoint, target.s3_region, CONNECTIONS, str(target.s3_ca_file) if target.s3_ca_file else None
        )
        work = Work(address, tuple(sources), tuple(presets), target.buckets.derivatives)
        context = multiprocessing.get_context("spawn")  # a copy of this process would have its threads' locks
        self._next = context.Value("i", 0)
        self._processes = processes
        self._pool = ProcessPoolExecutor(
            processes, context, _open, (work, str(target.job_credentials_file), self._next)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self, name: str, events: int) -> None:
        """Do that many events; `name` begins the names of their users."""
        self._next.value = 0
        runs = [self._pool.submit(_run, name, events) for _ in range(self._processes)]
        for run in runs:
            run.result()


_work: Work
_store: Any
_numbers: Any


def _open(work: Work, credentials: str, numbers: Any) -> None:
    global _work, _store, _numbers
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = credentials
    _work, _store, _numbers = work, work.address(), numbers


def _run(name: str, events: int) -> None:
    while (number := _take()) < events:
        source = _work.sources[number % len(_work.sources)]
        data = _store.open_source(source.bucket, source.key, source.etag).read()
        for made in render(data, _work.presets).derivatives:
            preset = made.preset
            user, image = f"{name}-{number % USERS}", f"{number}"
            key = derivative_key(user, image, 1, preset.name, preset.recipe_fingerprint, made.extension)
            _store.put(_work.bucket, key, made.data, {"Content-Type": made.content_type})


def _take() -> int:
    with _numbers.get_lock():
        number = _numbers.value
        _numbers.value += 1
        return int(number)
