"""Measures what admit's memory of one user costs per event at its bound: decode, judge, encode of 570 kB."""

import time
from datetime import UTC, datetime
from itertools import count, repeat
from statistics import median

from schemas.records import EventKind, ImageEvent, Source
from udfs.ledger import Ledger, LedgerCodec, Memory

BOUND = 10_000
EVENTS = 2_000
HOUR_MS = 60 * 60 * 1000
MEMORY = Memory(event_ms=24 * HOUR_MS, image_ms=30 * 24 * HOUR_MS, max_events=BOUND, max_images=BOUND)


def main() -> None:
    """Print the median time per event: of a new image, and of one image that is uploaded again and again."""
    codec, numbers = LedgerCodec(), count()
    ledger = Ledger({}, {})
    for number in range(BOUND):
        ledger.admit(_event(next(numbers), f"image {number}"), number, MEMORY)
    state = codec.encode(ledger)
    print(f"one user, {BOUND:,} event ids and {BOUND:,} images: {len(state):,} bytes of state")
    for name, images in (
        ("a new image", map(str, numbers)),
        ("the same image", repeat(f"image {BOUND // 2}")),
    ):
        times = []
        for _ in range(EVENTS):
            event = _event(next(numbers), next(images))
            started = time.perf_counter()
            admitted = codec.decode(state)
            admitted.admit(event, BOUND, MEMORY)
            state = codec.encode(admitted)
            times.append(time.perf_counter() - started)
        print(f"{name}: {median(times) * 1000:.3f} ms per event")


def _event(number: int, image: str) -> ImageEvent:
    return ImageEvent(
        event_id=f"event {number}",
        kind=EventKind.UPLOADED,
        user_id="user",
        image_id=image,
        version=number,
        source=Source(bucket="images", key="picture.jpg"),
        occurred_at=datetime.now(UTC),
    )


if __name__ == "__main__":
    main()
