"""What the operator sees: plain lines in a pipe, colour and progress on a terminal, one JSON value for scripts.

Results go to standard output, progress and remarks to standard error. Text that comes from events is untrusted.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

PLAIN_INTERVAL_SECONDS = 10.0
PIPE_COLUMNS = 1000  # a pipe has no width; tables are only as wide as their content
SHORT_CHARACTERS = 48

Item = TypeVar("Item")


class Counter(Protocol):
    """Takes the news of one piece of long work."""

    def advance(self, amount: int = 1) -> None:
        """That many more are done."""

    def describe(self, description: str) -> None:
        """What is being done now, or what is waited for."""


class Silent:
    """A counter that nobody looks at."""

    def advance(self, amount: int = 1) -> None:
        """Ignore it."""

    def describe(self, description: str) -> None:
        """Ignore it."""


def printable(text: str) -> str:
    r"""Return the text with every character that a terminal would act on, or not show, as an escape such as ``\x1b``.

    Escaped are control and format characters (so also those that reverse the direction of writing), separators
    other than the space, and surrogates.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def short(text: str, limit: int = SHORT_CHARACTERS) -> str:
    """Return the text, printable, cut to at most `limit` characters."""
    shown = printable(text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def cell(text: str, style: str = "", limit: int = SHORT_CHARACTERS) -> Text:
    """Return untrusted text for a table or a line: printable, short, and never read as markup."""
    return Text(short(text, limit), style=style)


def output() -> Console:
    """Return a console on standard output."""
    return _console(stderr=False)


def remarks() -> Console:
    """Return a console on standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = PIPE_COLUMNS
    return console


def write_json(value: Any) -> None:
    """Write one JSON value as one line, in ASCII, and at once."""
    sys.stdout.write(json.dumps(value, default=str) + "\n")
    sys.stdout.flush()


def plural(count: int, singular: str, plural_form: str | None = None) -> str:
    """Return a count with its noun: ``1 event``, ``1,234 events``."""
    return f"{count:,} {singular if count == 1 else plural_form or singular + 's'}"


@contextmanager
def counting(description: str, total: int | None = None) -> Iterator[Counter]:
    """Show how far a piece of long work is until the block ends; in a pipe, a line now and then."""
    console = remarks()
    if not console.is_terminal:
        yield _PlainCounter(console, description, total)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *((BarColumn(),) if total else ()),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _BarCounter(progress, description, total)


def counted(items: Iterable[Item], counter: Counter) -> Iterator[Item]:
    """Pass the items on and count them."""
    for item in items:
        yield item
        counter.advance()


class _BarCounter:
    def __init__(self, progress: Progress, description: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(description, total=total)

    def advance(self, amount: int = 1) -> None:
        self._progress.advance(self._task, amount)

    def describe(self, description: str) -> None:
        self._progress.update(self._task, description=printable(description))


class _PlainCounter:
    def __init__(self, console: Console, description: str, total: int | None) -> None:
        self._console = console
        self._description = description
        self._total = f" of {total:,}" if total else ""
        self._done = 0
        self._said_at = time.monotonic()

    def advance(self, amount: int = 1) -> None:
        self._done += amount
        self._say_now_and_then()

    def describe(self, description: str) -> None:
        self._description = printable(description)
        self._say_now_and_then()

    def _say_now_and_then(self) -> None:
        if time.monotonic() - self._said_at >= PLAIN_INTERVAL_SECONDS:
            self._said_at = time.monotonic()
            self._console.print(f"{self._description}: {self._done:,}{self._total} ...")
