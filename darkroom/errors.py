"""What the operator's tool says when it cannot do what was asked.

OperatorError               exit status 1: one sentence, and the remedy
└── UsageError              exit status 2: the command line or the environment has to be corrected
"""

from typing import ClassVar


class OperatorError(Exception):
    """Something failed that the operator can understand and mend; the message says how."""

    exit_status: ClassVar[int] = 1


class UsageError(OperatorError):
    """What was asked for cannot be right."""

    exit_status = 2
