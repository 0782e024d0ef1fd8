"""The command line: names the commands and turns errors into one sentence and an exit status."""

import sys

import typer
from rich.console import Console

from darkroom.demo import demo
from darkroom.develop import develop
from darkroom.doctor import doctor
from darkroom.errors import OperatorError
from darkroom.publish import publish
from darkroom.replay import replay
from darkroom.show import show
from darkroom.stack.commands import down, ps, up
from darkroom.submit import submit
from darkroom.verify.command import verify
from darkroom.watch import watch

app = typer.Typer(
    name="darkroom",
    help="Exactly-once image derivatives on Apache Flink: run the stack, feed it, watch it, prove it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,  # a traceback must not print credentials
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, down, ps, submit, publish, watch, show, verify, replay, develop, demo, doctor):
    app.command()(command)


def main() -> None:
    """Run the command line; Ctrl-C ends it with status 130."""
    try:
        app(standalone_mode=True)
    except OperatorError as error:
        Console(stderr=True).print(f"darkroom: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        sys.exit(130)
