"""The commands `up`, `down` and `ps`: options in, lines and an exit status out."""

import json
import logging
import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from darkroom.stack.inspection import PartStatus, inspect_stack
from darkroom.stack.layout import cache_from, home_from
from darkroom.stack.lifecycle import start_stack, stop_stack
from darkroom.stack.plan import DEFAULT_PARTITIONS, Options
from darkroom.stack.progress import Reporter
from darkroom.stack.record import read_record
from darkroom.target import (
    DEFAULT_FLINK_PORT,
    DEFAULT_KAFKA_PORT,
    DEFAULT_S3_CONSOLE_PORT,
    DEFAULT_S3_PORT,
    job_environment,
    resolve_target,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def up(
    kafka_port: Annotated[
        int | None,
        typer.Option(
            help="Port of Kafka.", envvar="DARKROOM_KAFKA_PORT", min=1, max=65535, show_default=str(DEFAULT_KAFKA_PORT)
        ),
    ] = None,
    s3_port: Annotated[
        int | None,
        typer.Option(
            help="Port of MinIO.", envvar="DARKROOM_S3_PORT", min=1, max=65535, show_default=str(DEFAULT_S3_PORT)
        ),
    ] = None,
    s3_console_port: Annotated[
        int | None,
        typer.Option(
            help="Port of MinIO's web console.",
            envvar="DARKROOM_S3_CONSOLE_PORT",
            min=1,
            max=65535,
            show_default=str(DEFAULT_S3_CONSOLE_PORT),
        ),
    ] = None,
    flink_port: Annotated[
        int | None,
        typer.Option(
            help="Port of Flink's web interface.",
            envvar="DARKROOM_FLINK_PORT",
            min=1,
            max=65535,
            show_default=str(DEFAULT_FLINK_PORT),
        ),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(
            help="Slots of the TaskManager; each is one Python worker.",
            envvar="DARKROOM_SLOTS",
            min=1,
            show_default="the number of CPUs",
        ),
    ] = None,
    partitions: Annotated[
        int | None,
        typer.Option(
            help="Partitions of topics that are created.",
            envvar="DARKROOM_PARTITIONS",
            min=1,
            show_default=str(DEFAULT_PARTITIONS),
        ),
    ] = None,
    high_availability: Annotated[
        bool,
        typer.Option(
            "--high-availability", help="Also start ZooKeeper, so that the job outlives the death of the JobManager."
        ),
    ] = False,
    proxied: Annotated[
        bool,
        typer.Option(
            "--proxied", help="Also start Toxiproxy, and let the job reach Kafka and MinIO only through it; for tests."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start Kafka, MinIO and Flink on this machine, or what is missing of them.

    A part whose address is set (DARKROOM_KAFKA_BOOTSTRAP, DARKROOM_S3_ENDPOINT, DARKROOM_FLINK_URL) is used, not
    started, and has a minute to answer. Data is kept in DARKROOM_HOME, downloads in DARKROOM_CACHE.
    """
    _prepare_process()
    options = Options(kafka_port, s3_port, s3_console_port, flink_port, slots, partitions, high_availability, proxied)
    home = home_from(os.environ)
    record = start_stack(home, cache_from(os.environ), options, os.environ, Reporter(Console(stderr=as_json)))
    statuses = inspect_stack(record, home)
    if as_json:
        environment = job_environment(resolve_target())
        _print_json({"home": str(home.path), "parts": [s.as_json() for s in statuses], "environment": environment})
        return
    console = _output()
    console.print(_table(statuses))
    for label, place in (("Flink", record.flink_url), ("MinIO console", record.s3_console_url), ("Logs", home.logs)):
        if place is not None:
            console.print(f"{label}: {place}", highlight=False, soft_wrap=True)


def down(
    wipe: Annotated[bool, typer.Option(help="Also delete the stack's data, logs and credentials.")] = False,
) -> None:
    """Stop the local stack and every process it left anywhere; data is kept unless --wipe is given."""
    _prepare_process()
    console = Console()
    reporter = Reporter(console)
    home = home_from(os.environ)
    with reporter.step("Stopping the stack"):
        leftovers = stop_stack(home, reporter, wipe=wipe)
    if leftovers:
        reporter.say(f"Ended {leftovers} leftover processes")
    reporter.say("The data was deleted." if wipe else f"The data is kept in {home.data}.")


def ps(as_json: AsJson = False) -> None:
    """Show every part of the stack; exit status 0 if all are healthy, 1 otherwise."""
    _prepare_process()
    home = home_from(os.environ)
    record = read_record(home)
    statuses = inspect_stack(record, home) if record else []
    healthy = bool(statuses) and all(status.healthy for status in statuses)
    if as_json:
        _print_json({"home": str(home.path), "healthy": healthy, "parts": [status.as_json() for status in statuses]})
    elif statuses:
        _output().print(_table(statuses))
    else:
        Console().print("No stack is running here: start one with `darkroom up`.", highlight=False)
    if not healthy:
        raise typer.Exit(1)


def _table(statuses: Sequence[PartStatus]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "state", "pid", "address", "uptime", "health"):
        table.add_column(heading, no_wrap=heading != "health", overflow="fold")
    for status in statuses:
        style = "green" if status.healthy else "red"
        uptime = "" if status.uptime_seconds is None else f"{status.uptime_seconds} s"
        row = (status.part, status.state, str(status.pid or ""), status.address, uptime, status.problem or "healthy")
        table.add_row(*row, style=style)
    return table


def _output() -> Console:
    """Return standard output; a pipe has no width that a table would have to fit."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _print_json(document: dict[str, object]) -> None:
    typer.echo(json.dumps(document, indent=2))


def _prepare_process() -> None:
    """Let SIGTERM clean up like Ctrl-C, and keep the clients' own log lines off the terminal."""
    signal.signal(signal.SIGTERM, _interrupt)
    for name in ("kafka", "urllib3"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
