"""When the events of one user may go on, as pure functions: a token bucket and a queue's numbers; no Flink, no clock.

Times are epoch milliseconds. An allowance counts in 1/60,000 of an event, so that every whole number of events per
minute adds a whole number each millisecond and nothing is ever rounded.
"""

from dataclasses import dataclass, fields
from enum import Enum, auto

from schemas.codec import Codec, Schema, load_schema

EVENT = 60_000  # the allowance that one event takes
GUARD_MS = 10_000


class Turn(Enum):
    """What becomes of an event that arrives."""

    PASS = auto()
    HOLD = auto()
    REJECT = auto()


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of one user is developed, and how much is held back."""

    events_per_minute: int
    burst: int
    max_held: int


@dataclass(slots=True)
class Shaping:
    """The token bucket of one user and the numbers of the events held back, oldest first."""

    allowance: int
    filled_at: int
    oldest: int = 0
    next: int = 0
    release_at: int = 0
    guard_at: int = 0

    @property
    def held(self) -> int:
        """How many events are held."""
        return self.next - self.oldest

    def arrive(self, now: int, rate: Rate) -> Turn:
        """Decide about an event that arrives; one behind a held event is never let past it."""
        if not self.held and self._take(now, rate):
            return Turn.PASS
        return Turn.HOLD if self.held < rate.max_held else Turn.REJECT

    def hold(self) -> int:
        """Return the number of the event that is held now."""
        self.next += 1
        return self.next - 1

    def release(self, now: int, rate: Rate) -> int | None:
        """Return the number of the oldest held event if it may go on now."""
        if not self.held or not self._take(now, rate):
            return None
        self.oldest += 1
        return self.oldest - 1

    def next_release(self, now: int, rate: Rate) -> int:
        """Return when the next event may go on, at the earliest in a millisecond."""
        self._fill(now, rate)
        missing = EVENT - self.allowance
        return now + max(1, -(-missing // rate.events_per_minute))

    def set_guards(self, now: int) -> list[int]:
        """Return at which times to look again whatever became of the timers, as far as they are not noted yet.

        Two of them lie ahead at any time, in 20 s: the nearer one was set at least 10 s before it is needed.
        """
        ahead = [(now // GUARD_MS + step) * GUARD_MS for step in (1, 2)]
        noted = self.guard_at if self.guard_at <= ahead[-1] else 0  # the clock was set back
        self.guard_at = ahead[-1]
        return [at for at in ahead if at > noted]

    def is_idle(self, now: int, rate: Rate) -> bool:
        """Whether nothing is held and the bucket is full: the user is like one who was never seen."""
        self._fill(now, rate)
        return not self.held and self.allowance == rate.burst * EVENT

    def _take(self, now: int, rate: Rate) -> bool:
        self._fill(now, rate)
        if self.allowance < EVENT:
            return False
        self.allowance -= EVENT
        return True

    def _fill(self, now: int, rate: Rate) -> None:
        """Add what has come in since; a clock that was set back adds nothing and takes nothing."""
        gained = max(0, now - self.filled_at) * rate.events_per_minute
        self.allowance = min(rate.burst * EVENT, self.allowance + gained)
        self.filled_at = now


FIELDS = tuple(field.name for field in fields(Shaping))


class ShapingCodec:
    """Shapings as versioned bytes: Avro with the writer schema's fingerprint in front, as on the wire.

    ``writers`` are the schemas of other versions of the job, whose state is to be read.
    """

    def __init__(self, writers: list[Schema] | None = None) -> None:
        self._codec = Codec(load_schema("user-shaping"), writers)

    def encode(self, shaping: Shaping) -> bytes:
        """Return the shaping as bytes."""
        return self._codec.encode({name: getattr(shaping, name) for name in FIELDS})

    def decode(self, data: bytes | None, now: int, rate: Rate) -> Shaping:
        """Return the shaping that the bytes encode; for None that of a user with the whole burst to use."""
        return Shaping(rate.burst * EVENT, now) if data is None else Shaping(**self._codec.decode(data))
