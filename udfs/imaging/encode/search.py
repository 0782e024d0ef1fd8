"""Finds the setting that reaches a likeness or fits into a budget, by bisection: at most 7 encodes for 95 qualities.

Likeness and bytes grow with the quality but not strictly; what is returned was tried and does reach or fit.
"""

from bisect import bisect_left
from collections.abc import Callable

Encode = Callable[[int], bytes]


def lowest_alike(steps: range, likeness: Callable[[int], float], at_least: float) -> int:
    """Return the first step that is at least so like the original; the last step where none is."""
    found = bisect_left(steps, True, key=lambda step: likeness(step) >= at_least)
    return steps[min(found, len(steps) - 1)]


def highest_within(steps: range, encode: Encode, max_bytes: int) -> int | None:
    """Return the last step whose bytes fit; None where not even the first does."""
    found = bisect_left(steps, True, key=lambda step: len(encode(step)) > max_bytes)
    return steps[found - 1] if found else None
