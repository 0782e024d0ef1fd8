"""Small real classes in the place of Flink's runtime and of the store; what goes wrong is data."""

import copy
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyflink.common import Row
from pyflink.datastream import KeyedProcessFunction

from udfs.errors import SourceBucketMissingError, SourceChangedError, SourceMissingError, StoreUnavailableError

WAIT_LIMIT_S = 30


def wait_for(event: threading.Event, what: str) -> None:
    """Wait until the event is set; AssertionError after 30 s."""
    assert event.wait(WAIT_LIMIT_S), f"not within {WAIT_LIMIT_S} s: {what}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the store: its name, bucket and key; for a list the prefix, for a removal each key."""

    name: str
    bucket: str
    key: str


@dataclass(slots=True)
class Hold:
    """Stops a call of the store: `entered` tells that it came, and it goes on when `released` is set."""

    entered: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def pass_through(self, call: Call) -> None:
        """Stop the caller."""
        self.entered.set()
        wait_for(self.released, f"the release of {call}")


class FakeStore:
    """An ObjectStore in memory; entity tags are MD5 as on S3.

    `fails` names for each method what its next calls raise, None for a call that works. Threads may share it.
    """

    def __init__(
        self,
        objects: Mapping[tuple[str, str], bytes] | None = None,
        buckets: Sequence[str] = ("images", "derivatives"),
        fails: Mapping[str, Sequence[Exception | None]] | None = None,
    ) -> None:
        self.objects = dict(objects or {})
        self.headers: dict[tuple[str, str], dict[str, str]] = {}
        self.calls: list[Call] = []
        self.read_keys: list[str] = []
        self.closed_keys: list[str] = []
        self._buckets = set(buckets)
        self._fails = {name: list(errors) for name, errors in (fails or {}).items()}
        self._holds: dict[tuple[str, str], Hold] = {}
        self._lock = threading.Lock()

    def hold(self, name: str, key: str) -> Hold:
        """Stop every call of that name whose key begins with `key`, and that does not fail."""
        return self._holds.setdefault((name, key), Hold())

    def keys(self, bucket: str = "derivatives") -> list[str]:
        """Every key of a bucket."""
        return sorted(key for where, key in list(self.objects) if where == bucket)  # a thread may put one meanwhile

    def names(self) -> list[str]:
        """The names of all calls, in their order."""
        return [call.name for call in self.calls]

    def open_source(self, bucket: str, key: str, etag: str | None) -> "FakeSource":
        self._enter(Call("open_source", bucket, key))
        if bucket not in self._buckets:
            raise SourceBucketMissingError(bucket)
        data = self.objects.get((bucket, key))
        if data is None:
            raise SourceMissingError(key)
        if etag is not None and etag != _etag(data):
            raise SourceChangedError(key)
        return FakeSource(self, Call("read", bucket, key), data)

    def put(self, bucket: str, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        self._enter(Call("put", bucket, key))
        self._check_bucket(bucket)
        with self._lock:
            self.objects[bucket, key] = data
            self.headers[bucket, key] = dict(headers)

    def list_keys(self, bucket: str, prefix: str) -> list[str]:
        self._enter(Call("list_keys", bucket, prefix))
        self._check_bucket(bucket)
        with self._lock:
            return [key for key in self.keys(bucket) if key.startswith(prefix)]

    def remove(self, bucket: str, keys: Sequence[str]) -> None:
        for key in keys or [""]:
            self._enter(Call("remove", bucket, key))
        self._check_bucket(bucket)
        with self._lock:
            for key in keys:
                self.objects.pop((bucket, key), None)

    def _check_bucket(self, bucket: str) -> None:
        if bucket not in self._buckets:
            message = f"no bucket {bucket}"
            raise StoreUnavailableError(message)

    def _enter(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
            errors = self._fails.get(call.name)
            error = errors.pop(0) if errors else None
            hold = next(
                (h for (name, key), h in self._holds.items() if call.name == name and call.key.startswith(key)), None
            )
        if error is not None:
            raise error
        if hold is not None:
            hold.pass_through(call)


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class FakeSource:
    """An opened source of a FakeStore, which notes whether it is read or closed."""

    def __init__(self, store: FakeStore, call: Call, data: bytes) -> None:
        self._store, self._call, self._data = store, call, data
        self.size = len(data)
        self.etag = _etag(data)

    def read(self) -> bytes:
        self._store._enter(self._call)
        self._store.read_keys.append(self._call.key)
        return self._data

    def close(self) -> None:
        self._store.closed_keys.append(self._call.key)


class FakeCounter:
    """A counter of Flink's metrics."""

    def __init__(self) -> None:
        self.count = 0

    def inc(self, n: int = 1) -> None:
        self.count += n


class FakeMetrics:
    """A metric group that keeps its counters and gauges by name; a name is registered once."""

    def __init__(self) -> None:
        self.counters: dict[str, FakeCounter] = {}
        self.gauges: dict[str, Callable[[], int]] = {}

    def counter(self, name: str) -> FakeCounter:
        assert name not in self.counters, f"the counter {name} is registered twice"
        self.counters[name] = FakeCounter()
        return self.counters[name]

    def gauge(self, name: str, obtain: Callable[[], int]) -> None:
        assert name not in self.gauges, f"the gauge {name} is registered twice"
        self.gauges[name] = obtain

    def counts(self) -> dict[str, int]:
        """Every counter that is not zero."""
        return {name: counter.count for name, counter in self.counters.items() if counter.count}


class FakeTimers:
    """Processing-time timers per key and a clock that only the test moves; equal timers of a key are one."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.key = ""
        self.pending: set[tuple[int, str]] = set()

    def current_processing_time(self) -> int:
        return self.now

    def register_processing_time_timer(self, timestamp: int) -> None:
        self.pending.add((timestamp, self.key))

    def delete_processing_time_timer(self, timestamp: int) -> None:
        self.pending.discard((timestamp, self.key))


class FakeValueState:
    """One value per key; a value that is cleared leaves nothing behind."""

    def __init__(self, timers: FakeTimers) -> None:
        self.values: dict[str, Any] = {}
        self.updates = 0
        self._timers = timers

    def value(self) -> Any:
        return self.values.get(self._timers.key)

    def update(self, value: Any) -> None:
        self.updates += 1
        self.values[self._timers.key] = value

    def clear(self) -> None:
        self.values.pop(self._timers.key, None)


class FakeMapState:
    """One map per key; a map whose last entry is removed leaves nothing behind."""

    def __init__(self, timers: FakeTimers) -> None:
        self.values: dict[str, dict[Any, Any]] = {}
        self._timers = timers

    def get(self, key: Any) -> Any:
        return self.values.get(self._timers.key, {}).get(key)

    def put(self, key: Any, value: Any) -> None:
        self.values.setdefault(self._timers.key, {})[key] = value

    def remove(self, key: Any) -> None:
        entries = self.values[self._timers.key]
        del entries[key]
        if not entries:
            del self.values[self._timers.key]


class FakeRuntimeContext:
    """What a function gets in `open`: states by name, and metrics."""

    def __init__(self, timers: FakeTimers | None = None) -> None:
        self.metrics = FakeMetrics()
        self.states: dict[str, FakeValueState] = {}
        self.map_states: dict[str, FakeMapState] = {}
        self._timers = timers or FakeTimers(0)

    def get_state(self, descriptor: Any) -> FakeValueState:
        return self.states.setdefault(descriptor.name, FakeValueState(self._timers))

    def get_map_state(self, descriptor: Any) -> FakeMapState:
        return self.map_states.setdefault(descriptor.name, FakeMapState(self._timers))

    def get_metrics_group(self) -> FakeMetrics:
        return self.metrics


@dataclass(frozen=True, slots=True)
class FakeTimerContext:
    """The context of one element or one timer."""

    timers: FakeTimers

    def timer_service(self) -> FakeTimers:
        return self.timers

    def get_current_key(self) -> str:
        return self.timers.key


class FakeKeyedOperator:
    """Runs a keyed function as Flink would: its state and its timers by key, fired in their order.

    `released` is what came out of timers, each with its time.
    """

    def __init__(self, function: KeyedProcessFunction, now: int) -> None:
        self._function = function
        self.timers = FakeTimers(now)
        self.context = FakeRuntimeContext(self.timers)
        self.fired = 0
        self.released: list[tuple[int, Row]] = []
        function.open(self.context)

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """Every state that holds something: value by key."""
        states = {**self.context.states, **self.context.map_states}
        return {name: state.values for name, state in states.items() if state.values}

    def process(self, *items: Row) -> list[Row]:
        """Process items, and return what comes out."""
        return [out for item in items for out in self._process(item)]

    def advance_to(self, time: int) -> None:
        """Move the clock, firing each timer at its own time."""
        while due := sorted(timer for timer in self.timers.pending if timer[0] <= time):
            self.timers.now = max(self.timers.now, due[0][0])
            self._fire(due[0])
        self.timers.now = time

    def take_over(self, stopped: "FakeKeyedOperator") -> None:
        """Start with the state and the timers of another, as a restart from its checkpoint does."""
        self.timers.pending = set(stopped.timers.pending)
        for name, values in stopped.state.items():
            {**self.context.states, **self.context.map_states}[name].values = copy.deepcopy(values)

    def run_out(self) -> None:
        """Fire timers until none is pending; AssertionError when they never end."""
        for _ in range(10_000):
            if not self.timers.pending:
                return
            self.advance_to(min(self.timers.pending)[0])
        message = f"timers are still pending after 10000: {self.timers.pending}"
        raise AssertionError(message)

    def _process(self, item: Row) -> Iterator[Row]:
        self.timers.key = item.key
        return self._function.process_element(item, FakeTimerContext(self.timers))

    def _fire(self, timer: tuple[int, str]) -> None:
        self.timers.pending.remove(timer)
        self.timers.key = timer[1]
        self.fired += 1
        released = self._function.on_timer(timer[0], FakeTimerContext(self.timers))
        self.released += [(self.timers.now, out) for out in released]
