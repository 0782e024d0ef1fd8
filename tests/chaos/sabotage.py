"""The job with one guarantee taken out of it: `flink run --python tests/chaos/sabotage.py dedupe|ordering|checksum`.

The graph is the job's own. Only what the controls need is replaced, and it is replaced here, so that no setting of the
product can ever do it.
"""

import sys
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any

from pyflink.datastream import RuntimeContext, StreamExecutionEnvironment

from jobs import derivatives
from jobs.ends import KafkaEnds
from jobs.settings import Settings
from udfs.develop import Develop
from udfs.ledger import Memory
from udfs.object_store import ObjectStore

EVERY_DAMAGED = 5


class WithoutDedupe(Settings):
    """Admit forgets an event id at once."""

    @property
    def memory(self) -> Memory:
        return replace(super().memory, event_ms=-1)


class WithoutOrder(Settings):
    """Admit forgets an image's newest version at once."""

    @property
    def memory(self) -> Memory:
        return replace(super().memory, image_ms=-1)


class NoTurns:
    """Lets everybody in at once."""

    def turn(self, _: Hashable) -> AbstractAsyncContextManager[None]:
        return nullcontext()


class HastyDevelop(Develop):
    """Develops the events of one image side by side."""

    def open(self, runtime_context: RuntimeContext) -> None:
        super().open(runtime_context)
        if not hasattr(self._developer, "_turns"):
            message = "develop has no turns any more: this sabotage would be harmless, and nobody would see it"
            raise AttributeError(message)
        self._developer._turns = NoTurns()  # type: ignore[assignment]  # what is sabotaged is private


class DamagingStore:
    """Flips a bit of every few objects on their way, and reports them as stored."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._puts = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, bucket: str, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        self._puts += 1
        if self._puts % EVERY_DAMAGED == 0:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        self._store.put(bucket, key, data, headers)


class DamagingEnds(KafkaEnds):
    """The job's own ends, with a store that damages."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        address = self.open_store
        self.open_store = lambda: DamagingStore(address())


def without_order(env: StreamExecutionEnvironment) -> None:
    """No newest version, no turns."""
    derivatives.Develop = HastyDevelop  # type: ignore[attr-defined]  # the map imports it for itself
    settings = WithoutOrder()
    derivatives.build(env, KafkaEnds(settings), settings)


def without_dedupe(env: StreamExecutionEnvironment) -> None:
    """No event id is ever known."""
    settings = WithoutDedupe()
    derivatives.build(env, KafkaEnds(settings), settings)


def without_checksum(env: StreamExecutionEnvironment) -> None:
    """What is stored is not what is announced."""
    settings = Settings()
    derivatives.build(env, DamagingEnds(settings), settings)


SABOTAGES: dict[str, Callable[[StreamExecutionEnvironment], None]] = {
    "dedupe": without_dedupe,
    "ordering": without_order,
    "checksum": without_checksum,
}

if __name__ == "__main__":
    environment = StreamExecutionEnvironment.get_execution_environment()
    SABOTAGES[sys.argv[1]](environment)
    environment.execute(f"{derivatives.JOB_NAME}, without {sys.argv[1]}")
