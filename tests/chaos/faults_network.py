"""A bad network between the job and Kafka or MinIO, in either direction."""

from collections.abc import Callable
from random import Random
from typing import get_args

from tests.chaos.faults import Kind, World
from tests.chaos.recovery import Stopwatch
from tests.chaos.toxiproxy import Direction, Toxic, Toxiproxy

TITLES = {"kafka": "Kafka", "s3": "MinIO"}
SLOW_MS = 700
JITTER_MS = 400
NARROW_KB_PER_S = 2
CUT_BYTES = 150
LATE_CLOSE_MS = 1_500

Felt = Callable[[Toxiproxy, str], bool]


def slow(proxy: Toxiproxy, name: str) -> bool:
    """An answer takes as long as the toxic holds it."""
    return proxy.ask(name).last_s * 1000 >= SLOW_MS


def uneven(proxy: Toxiproxy, name: str) -> bool:
    """Answers take differently long."""
    seconds = [proxy.ask(name).last_s for _ in range(4)]
    return (max(seconds) - min(seconds)) * 1000 > JITTER_MS / 8


def reset(proxy: Toxiproxy, name: str) -> bool:
    """A question ends in a reset, or in a close before any answer."""
    answer = proxy.ask(name)
    return answer.end in ("reset", "closed") and answer.bytes == 0


def narrow(proxy: Toxiproxy, name: str) -> bool:
    """Question or answer needs the time of its bytes."""
    return proxy.ask(name).last_s * 1000 > 150 / NARROW_KB_PER_S


def silent(proxy: Toxiproxy, name: str) -> bool:
    """No answer at all."""
    answer = proxy.ask(name)
    return answer.end == "silent" and answer.bytes == 0


def cut(proxy: Toxiproxy, name: str) -> bool:
    """The connection ends before the answer is whole."""
    return proxy.ask(name).end in ("closed", "reset")


def late(proxy: Toxiproxy, name: str) -> bool:
    """A connection that was closed stays open."""
    return proxy.close(name).last_s * 1000 >= LATE_CLOSE_MS


TOXICS: dict[str, tuple[Toxic, Felt]] = {
    "latency": (Toxic("latency", {"latency": SLOW_MS, "jitter": 0}), slow),
    "jitter": (Toxic("latency", {"latency": JITTER_MS, "jitter": JITTER_MS}), uneven),
    "resets": (Toxic("reset_peer", {"timeout": 0}), reset),
    "bandwidth limit": (Toxic("bandwidth", {"rate": NARROW_KB_PER_S}), narrow),
    "black hole": (Toxic("timeout", {"timeout": 0}), silent),
    "half an answer": (Toxic("limit_data", {"bytes": CUT_BYTES}), cut),
    "slow close": (Toxic("slow_close", {"delay": LATE_CLOSE_MS}), late),
}


def troubled(name: str, toxic: Toxic, felt: Felt) -> Callable[[World, Random, Stopwatch], str]:
    """Return the strike that puts a toxic on one proxy and feels it there, until the job has felt it too."""

    def strike(world: World, chance: Random, stopwatch: Stopwatch) -> str:
        direction: Direction = chance.choice(get_args(Direction))
        proxy = Toxiproxy(world.stage.record)
        stopwatch.inject()
        try:
            with proxy.toxic(name, toxic, direction):
                world.wait(lambda: felt(proxy, name), f"{toxic} is felt {direction}", 20)
                seen = world.hold(chance.randint(3, 8))
        finally:
            stopwatch.end()
        return f"{direction}: felt, {seen}"

    return strike


KINDS = tuple(
    Kind(f"{toxic} before {TITLES[name]}", 2, troubled(name, *how)) for name in TITLES for toxic, how in TOXICS.items()
)
