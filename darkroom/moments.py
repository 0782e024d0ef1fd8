"""Times that an operator names: a span back from now, or an ISO time."""

import re
from datetime import UTC, datetime, timedelta

from darkroom.errors import UsageError

SPAN = re.compile(r"(\d+)([smhd])")
SPAN_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_moment(text: str, option: str, now: datetime | None = None) -> datetime:
    """Return the time that `text` names: a span back from now, or an ISO time.

    Raises:
        UsageError: it is neither.
    """
    try:
        if SPAN.fullmatch(text.strip()):
            return (now or datetime.now(UTC)) - parse_span(text, option)
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        message = f"{option} {text!r} is neither a span such as 2h nor an ISO time such as 2026-05-04T12:00"
        raise UsageError(message) from error


def parse_span(text: str, option: str) -> timedelta:
    """Return the length of a span such as `90s`, `30m`, `2h` or `7d`.

    Raises:
        UsageError: it is none.
    """
    span = SPAN.fullmatch(text.strip())
    if span is None:
        message = f"{option} {text!r} is no span such as 30m, 2h or 7d"
        raise UsageError(message)
    return timedelta(**{SPAN_UNITS[span[2]]: int(span[1])})


def epoch_ms(moment: datetime) -> int:
    """Return a time as milliseconds since the epoch; one before it is the epoch."""
    return max(0, int(moment.timestamp() * 1000))
