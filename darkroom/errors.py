"""What the operator's tool says when it cannot do what was asked.

OperatorError               exit status 1: one sentence, and the remedy
├── FlinkUnavailableError   Flink gives no answer now; a later one may be good
└── UsageError              exit status 2: the command line or the environment has to be corrected
"""

from typing import ClassVar


class OperatorError(Exception):
    """Something failed that the operator can understand and mend; the message says how."""

    exit_status: ClassVar[int] = 1


class FlinkUnavailableError(OperatorError):
    """Flink does not answer, or not with what was asked for; it may later."""


class UsageError(OperatorError):
    """What was asked for cannot be right."""

    exit_status = 2
