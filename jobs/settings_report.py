"""Puts what is wrong with settings into words: one line a problem, naming the environment variable."""

import re
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from udfs.imaging.errors import PresetsError

PREFIX = "DARKROOM_"
PASSWORD = re.compile(r"(?<=//)[^/@]*(?=@)")


class ContradictionsError(Exception):
    """Settings that are each right and do not go together."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def refuse_contradictions(problems: Iterable[str]) -> None:
    """Raise, from a validator of pydantic, one error that carries all problems, if there are any."""
    found = ContradictionsError(problems)
    if found.problems:
        raise ValueError(str(found)) from found


def problems_in(error: ValidationError, settings: type[BaseModel]) -> Iterator[str]:
    """Yield a line for each problem that the settings' validation found."""
    for problem in error.errors(include_url=False):
        cause = getattr(problem.get("ctx", {}).get("error"), "__cause__", None)
        if isinstance(cause, PresetsError | ContradictionsError):  # each of its lines says where itself
            yield from cause.problems
        else:
            yield _in_words(problem, settings)


def listed(problems: Iterable[str]) -> str:
    """Return all problems as one message."""
    return "the settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems)


def _in_words(problem: ErrorDetails, settings: type[BaseModel]) -> str:
    words = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return words
    name = str(problem["loc"][0])
    variable = PREFIX + name.upper()
    about = settings.model_fields[name].description
    if problem["type"] == "missing":
        return f"{variable} is not set ({about})"
    value = PASSWORD.sub("***", repr(problem["input"]))
    return f"{variable} is {value}: {words} ({about})"
