"""The command `develop`: the same graph between two folders, in an embedded Flink, with nothing else installed."""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from darkroom.console import counting, output, printable, remarks, write_json
from darkroom.errors import OperatorError, UsageError
from darkroom.stack.preflight import java_problems
from schemas.errors import UndecodableError
from schemas.record_codecs import dead_letter_codec, event_codec, status_codec
from schemas.records import EventKind, ImageEvent, ImageStatus, Outcome, Source

STATUSES_FILE = "statuses.jsonl"
SOURCES, DERIVATIVES = "images", "derivatives"
SOFT_ENOUGH = {Outcome.READY, Outcome.DELETED, Outcome.SUPERSEDED}


def develop(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder of source images; its folders are searched too.", exists=True, file_okay=False),
    ],
    out: Annotated[
        Path, typer.Argument(help="Folder for the derivatives; statuses.jsonl appears in it.", file_okay=False)
    ],
    user: Annotated[str, typer.Option(help="Owner of the images, the first part of each key.")] = "demo",
    preset: Annotated[
        list[str] | None, typer.Option(help="Only this preset; may be repeated.", show_default="the default set")
    ] = None,
    presets_file: Annotated[
        Path | None,
        typer.Option(help="Presets to develop with.", exists=True, dir_okay=False, envvar="DARKROOM_PRESETS_FILE"),
    ] = None,
    parallelism: Annotated[
        int | None, typer.Option(min=1, help="Rendering slots.", show_default="the number of CPUs")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Develop a folder of images into a folder of derivatives: the sixty-second try.

    Runs the deployed job's own graph in an embedded Flink mini cluster; needs only Python and a JDK. Exit status 1 when
    an image was not developed.
    """
    if problems := java_problems(os.environ):
        raise UsageError("; ".join(problems))
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not path.is_relative_to(out)
    )
    if not files:
        message = f"{folder} has no files; name a folder of images"
        raise UsageError(message)
    out.mkdir(parents=True, exist_ok=True)
    outcomes: Counter[str] = Counter()
    with counting("developing", len(files)) as counter, (out / STATUSES_FILE).open("w", encoding="utf-8") as lines:
        records = list(_records(files, user, preset))
        for status in _run(records, folder, out, presets_file, parallelism or os.cpu_count() or 1):
            lines.write(status.model_dump_json() + "\n")
            outcomes[status.outcome] += 1
            counter.advance()
            for failure in status.failures:
                remarks().print(
                    f"{printable(status.image_id)}: {status.outcome} {failure.reason}: {printable(failure.message)}"
                )
    _report(outcomes, out, as_json)
    if set(outcomes) - SOFT_ENOUGH:
        raise typer.Exit(1)


def _records(files: list[Path], user: str, presets: list[str] | None) -> Iterator[bytes]:
    events = event_codec()
    now = datetime.now(UTC)
    for path in files:
        name = path.as_posix()
        try:
            event = ImageEvent(
                event_id=name,
                kind=EventKind.UPLOADED,
                user_id=user,
                image_id=name,
                version=0,
                source=Source(bucket=SOURCES, key=name),
                presets=tuple(presets) if presets else None,
                occurred_at=now,
            )
        except (ValidationError, UnicodeEncodeError) as error:
            message = (
                f"{printable(name)[:200]} cannot be an image's id; give it a name of at most 1024 UTF-8 characters"
            )
            raise UsageError(message) from error
        yield events.encode(event)


def _run(
    records: list[bytes], folder: Path, out: Path, presets_file: Path | None, parallelism: int
) -> Iterator[ImageStatus]:
    from pyflink.common import Configuration
    from pyflink.datastream import StreamExecutionEnvironment

    from jobs.derivatives import build
    from jobs.ends import FolderEnds
    from jobs.settings import SettingsError, read_settings

    logging.disable(logging.ERROR)  # PyFlink and Py4J log every interruption with a traceback
    unused = {"DARKROOM_KAFKA_BOOTSTRAP": "unused:0", "DARKROOM_S3_ENDPOINT": "http://unused"}
    unshaped = {"DARKROOM_USER_BURST": str(len(records) + 1)}  # a bounded input ends without waiting for what is held
    os.environ.update(unused, **unshaped, **({"DARKROOM_PRESETS_FILE": str(presets_file)} if presets_file else {}))
    try:
        settings = read_settings()
    except SettingsError as error:
        raise UsageError(str(error)) from error
    configuration = Configuration()
    configuration.set_string("python.executable", sys.executable)
    configuration.set_string("python.fn-execution.bundle.time", "50")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(parallelism)
    ends = FolderEnds(records, {SOURCES: folder, DERIVATIVES: out})
    build(env, ends, settings)
    statuses = status_codec()
    for value in ends.outcomes().execute_and_collect():
        try:
            yield statuses.decode(value)
        except UndecodableError:
            letter = dead_letter_codec().decode(value)
            if letter.event_id is None:
                message = f"an event was refused: {letter.message}"
                raise OperatorError(message) from None


def _report(outcomes: Counter[str], out: Path, as_json: bool) -> None:
    if as_json:
        write_json({"outcomes": outcomes, "statuses": str(out / STATUSES_FILE)})
    else:
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        output().print(f"{sum(outcomes.values())} images: {counts}; statuses in {out / STATUSES_FILE}")
