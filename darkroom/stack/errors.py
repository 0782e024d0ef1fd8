"""What can go wrong with the local stack, each told in a sentence with its remedy.

OperatorError
├── StackError              exit status 1: the stack could not be brought into the state asked for
│   ├── FetchError          a part could not be downloaded or built
│   ├── UnhealthyError      a part did not answer in time
│   └── LeftoverError       processes of the stack survived being killed
└── UsageError
    └── PreflightError      exit status 2: something about this machine or the settings has to be corrected first
"""

from collections.abc import Sequence

from darkroom.errors import OperatorError, UsageError


class StackError(OperatorError):
    """The stack could not be brought into the state asked for."""


class FetchError(StackError):
    """A part could not be downloaded or built."""


class UnhealthyError(StackError):
    """A part did not answer in time."""


class LeftoverError(StackError):
    """Processes of the stack survived being killed."""


class PreflightError(UsageError):
    """Everything that has to be corrected first, told together; nothing was changed."""

    def __init__(self, problems: Sequence[str], headline: str = "the stack was not started:") -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join((headline, *(f"  - {problem}" for problem in problems))))
