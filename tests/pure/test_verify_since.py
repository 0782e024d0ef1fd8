from datetime import UTC, datetime

import pytest

from darkroom.errors import UsageError
from darkroom.moments import parse_moment

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", datetime(2026, 5, 4, 11, 58, 30, tzinfo=UTC)),
        ("30m", datetime(2026, 5, 4, 11, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("7d", datetime(2026, 4, 27, 12, tzinfo=UTC)),
        ("2026-05-04T12:00+02:00", datetime(2026, 5, 4, 10, tzinfo=UTC)),
        ("2026-05-04T10:00Z", datetime(2026, 5, 4, 10, tzinfo=UTC)),
    ],
)
def test_a_span_or_a_time_is_understood(text: str, moment: datetime) -> None:
    assert parse_moment(text, "--since", NOW) == moment


@pytest.mark.parametrize("text", ["", "2", "h", "yesterday", "-2h", "2h30m", "99999999999d"])
def test_anything_else_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--since"):
        parse_moment(text, "--since", NOW)
