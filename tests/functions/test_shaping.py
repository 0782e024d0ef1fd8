from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import MARKER
from udfs.shaping import EVENT, Rate, Shaping, ShapingCodec, Turn

MINUTE = 60_000
NOW = 1_700_000_000_000
CODEC = ShapingCodec()


@dataclass
class Run:
    """Arrivals of one user, numbered, and what became of each; the state goes through its bytes at every step."""

    rate: Rate
    now: int = NOW
    data: bytes | None = None
    queue: dict[int, int] = field(default_factory=dict)
    passed: list[tuple[int, int]] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)
    largest_queue: int = 0

    def arrive(self, number: int) -> Turn:
        shaping = self._read()
        turn = shaping.arrive(self.now, self.rate)
        if turn is Turn.PASS:
            self.passed.append((self.now, number))
        elif turn is Turn.HOLD:
            self.queue[shaping.hold()] = number
        else:
            self.rejected.append(number)
        self._write(shaping)
        return turn

    def advance_to(self, time: int) -> None:
        """Let the timers fire, each at its time."""
        while self.queue and (at := self._read().next_release(self.now, self.rate)) <= time:
            self.now, before = at, len(self.passed)
            self.release()
            assert len(self.passed) > before, "the timer fired in vain"
        self.now = time

    def release(self) -> None:
        shaping = self._read()
        while (number := shaping.release(self.now, self.rate)) is not None:
            self.passed.append((self.now, self.queue.pop(number)))
        self._write(shaping)

    def _read(self) -> Shaping:
        return CODEC.decode(self.data, self.now, self.rate)

    def _write(self, shaping: Shaping) -> None:
        assert shaping.held == len(self.queue)
        self.largest_queue = max(self.largest_queue, shaping.held)
        idle = shaping.is_idle(self.now, self.rate)
        self.data = None if idle else CODEC.encode(shaping)


rates = st.builds(Rate, st.integers(1, 100_000), st.integers(1, 20), st.integers(1, 20))
gaps = st.lists(st.one_of(st.just(0), st.integers(0, 5000), st.integers(0, 10 * MINUTE)), max_size=60)


@given(rates, gaps)
def test_whatever_the_arrivals_their_order_stays_and_neither_rate_nor_bound_is_exceeded(
    rate: Rate, gaps: list[int]
) -> None:
    run = Run(rate)
    for number, gap in enumerate(gaps):
        run.advance_to(run.now + gap)
        run.arrive(number)
    last = run.now
    run.advance_to(last + rate.max_held * MINUTE)

    numbers = [number for _, number in run.passed]
    assert numbers == sorted(numbers)
    assert sorted([*numbers, *run.rejected]) == list(range(len(gaps)))  # so nothing is held for ever
    assert run.largest_queue <= rate.max_held
    for first, (start, _) in enumerate(run.passed):
        for count, (end, _) in enumerate(run.passed[first:], start=1):
            assert count * MINUTE <= rate.burst * MINUTE + (end - start) * rate.events_per_minute


@given(rates, gaps)
def test_an_event_that_comes_when_the_rate_allows_it_and_nothing_is_held_passes_at_once(
    rate: Rate, gaps: list[int]
) -> None:
    run = Run(rate)
    interval = -(-MINUTE // rate.events_per_minute)
    for number, gap in enumerate(gaps):
        run.advance_to(run.now + interval + gap)
        assert run.arrive(number) is Turn.PASS


@given(rates, st.integers(0, 10 * MINUTE), st.lists(st.integers(-MINUTE, MINUTE), max_size=30))
def test_a_clock_that_jumps_leaves_nothing_held_longer_than_its_place_in_the_queue_asks(
    rate: Rate, start: int, jumps: list[int]
) -> None:
    run = Run(rate, now=NOW + start)
    for number in range(rate.burst + rate.max_held):
        run.arrive(number)
    for jump in jumps:
        run.now += jump
        shaping = CODEC.decode(run.data, run.now, rate)
        assert run.now < shaping.next_release(run.now, rate) <= run.now + -(-MINUTE // rate.events_per_minute)
        run.release()
    run.advance_to(run.now + rate.max_held * MINUTE)
    assert [number for _, number in run.passed] == list(range(rate.burst + rate.max_held))


@pytest.mark.parametrize(
    ("per_minute", "expected"),
    [
        (60, [1000, 2000, 3000]),
        (7, [8572, 17143, 25715]),  # 60,000 / 7 = 8571.4: never too early, and what is left over counts
        (60_000, [1, 2, 3]),
        (1_000_000, [1, 1, 2]),  # no more than the burst at once
    ],
)
def test_held_events_go_on_at_the_rate_to_the_millisecond(per_minute: int, expected: list[int]) -> None:
    run = Run(Rate(per_minute, burst=2, max_held=3))
    assert [run.arrive(number) for number in range(6)] == [*[Turn.PASS] * 2, *[Turn.HOLD] * 3, Turn.REJECT]
    run.advance_to(NOW + MINUTE)
    assert [time - NOW for time, _ in run.passed[2:]] == expected


def test_a_lower_burst_takes_effect_on_a_bucket_that_was_fuller() -> None:
    shaping = CODEC.decode(None, NOW, Rate(60, burst=10, max_held=5))
    lower = Rate(60, burst=2, max_held=5)
    assert [shaping.arrive(NOW, lower) for _ in range(3)] == [Turn.PASS, Turn.PASS, Turn.HOLD]


def test_the_next_release_is_never_now() -> None:
    assert Shaping(allowance=5 * EVENT, filled_at=NOW).next_release(NOW, Rate(60, 5, 5)) == NOW + 1


def test_the_state_is_read_back_as_it_was_and_names_its_schema() -> None:
    shaping = Shaping(allowance=5, filled_at=6, oldest=7, next=2**40, release_at=9, guard_at=11)
    data = CODEC.encode(shaping)
    assert data.startswith(MARKER + bytes.fromhex("e786acbc627bef1c"))
    assert CODEC.decode(data, NOW, Rate(1, 1, 1)) == shaping
