"""When the derivatives of each event were stored, by the store's own clock; and the rate in the middle of a run."""

from collections.abc import Sequence
from datetime import datetime

from load import Load, user_of
from own_place import empty_bucket

from darkroom.errors import OperatorError
from darkroom.storage import connect
from darkroom.target import Target
from jobs.presets_reading import read_presets
from jobs.settings import DEFAULT_PRESETS

DERIVATIVES = len(read_presets(DEFAULT_PRESETS).choose(None))  # of an event that names no presets
EDGE = 0.1  # of the events, at the beginning and at the end, does not count: not all processes are at work there


def backlog_rate(load: Load, target: Target, events: int, limit_s: float) -> float:
    """Send a backlog and return how many events of it are stored per second; its bucket is emptied before and after.

    Statuses would not tell: they come in bunches, one per checkpoint, and a small backlog is one bunch.
    """
    empty_bucket(connect(target), target.buckets.derivatives)
    load.wait_for(load.send_at([0.0] * events, user_of), limit_s)
    return middle_rate(take_stored(target, events, DERIVATIVES))


def take_stored(target: Target, events: int, derivatives: int) -> list[float]:
    """Return when the last derivative of each event was stored, in epoch seconds, sorted; empty the bucket.

    Raises:
        OperatorError: there are not as many events, or not as many derivatives of each.
    """
    store, bucket = connect(target), target.buckets.derivatives
    moments: dict[str, list[datetime]] = {}
    for found in store.list_objects(bucket, recursive=True):
        if found.object_name and found.last_modified:
            moments.setdefault(found.object_name.rpartition("/")[0], []).append(found.last_modified)
    incomplete = sum(len(one) != derivatives for one in moments.values())
    if len(moments) != events or incomplete:
        message = f"{len(moments)} events of {events} are stored, {incomplete} of them not with {derivatives} objects"
        raise OperatorError(message)
    empty_bucket(connect(target), target.buckets.derivatives)
    return sorted(max(one).timestamp() for one in moments.values())


def middle(moments: Sequence[float]) -> tuple[float, float]:
    """Return the moments of the events at a tenth and at nine tenths of the run."""
    first, last = _middle(moments)
    return moments[first], moments[last]


def middle_rate(moments: Sequence[float]) -> float:
    """Return events per second between those two."""
    first, last = _middle(moments)
    return (last - first) / (moments[last] - moments[first])


def _middle(moments: Sequence[float]) -> tuple[int, int]:
    return int(len(moments) * EDGE), int(len(moments) * (1 - EDGE))
