"""Waiting for what can be seen, with a limit; knows nothing of what is waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


class NotSeenError(Exception):
    """Something that had to be seen was not, within its limit; the message says what was seen instead."""


def eventually(
    look: Callable[[], Seen | None],
    what: str,
    limit_s: float,
    instead: Callable[[], object] = lambda: "nothing of it",
    every_s: float = 0.1,
) -> Seen:
    """Look again and again until there is something, and return it.

    Raises:
        NotSeenError: there was nothing within `limit_s` seconds.
    """
    limit = time.monotonic() + limit_s
    while not (seen := look()):
        if time.monotonic() > limit:
            message = f"not within {limit_s:.0f} s: {what}; seen: {instead()}"
            raise NotSeenError(message)
        time.sleep(every_s)
    return seen
