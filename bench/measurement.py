"""Runs a measurement as a command: an expected failure is one sentence and its exit status, Ctrl-C is status 130."""

import sys
from collections.abc import Callable

import typer

from darkroom.console import remarks
from darkroom.errors import OperatorError


def run_measurement(name: str, measure: Callable[..., None]) -> None:
    """Run it with the options on the command line."""
    try:
        typer.run(measure)
    except OperatorError as error:
        remarks().print(f"{name}: {error}", style="red", soft_wrap=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
