"""Tells a waiting person what is going on: a spinner on a terminal, a plain line now and then in a pipe."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_INTERVAL_SECONDS = 15.0


class Reporter:
    """Reports the steps of a command to one console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, line: str) -> None:
        """Print one line."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show that `title` is under way until the block ends, then how long it took."""
        started = time.monotonic()
        with self._spinner(title) if self._console.is_terminal else self._plain_lines(title, started):
            yield
        self.say(f"{title}: done in {time.monotonic() - started:.0f} s")

    @contextmanager
    def _spinner(self, title: str) -> Iterator[None]:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            progress.add_task(title, total=None)
            yield

    @contextmanager
    def _plain_lines(self, title: str, started: float) -> Iterator[None]:
        finished = threading.Event()

        def repeat() -> None:
            while not finished.wait(PLAIN_INTERVAL_SECONDS):
                self.say(f"{title}: {time.monotonic() - started:.0f} s ...")

        self.say(f"{title} ...")
        thread = threading.Thread(target=repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            finished.set()
            thread.join()
