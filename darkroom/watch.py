"""`darkroom watch`: outcomes as they are committed, one line each."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.text import Text

from darkroom.console import cell, output, plural, printable, remarks, write_json
from darkroom.kafka import follow
from darkroom.ports import TopicRecord
from darkroom.target import Target, resolve_target
from darkroom.writers import writer_schemas
from schemas.errors import UndecodableError
from schemas.record_codecs import RecordCodec, dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, ImageEvent, ImageStatus, Outcome

COLOURS = {
    Outcome.READY: "green",
    Outcome.PARTIAL: "yellow",
    Outcome.REJECTED: "red",
    Outcome.FAILED: "bold red",
    Outcome.DELETED: "cyan",
    Outcome.SUPERSEDED: "bright_black",
}
ID_CHARACTERS = 40
REASON_CHARACTERS = 120


def watch(
    user: Annotated[str | None, typer.Option(help="Show the outcomes of this user only.")] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Begin with the oldest outcome that Kafka still has.")
    ] = False,
    until: Annotated[
        int, typer.Option(min=0, metavar="N", help="End after N statuses.  [default: end with Ctrl-C]")
    ] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Write one JSON object per outcome.")] = False,
) -> None:
    """Show statuses and dead letters live, as soon as their transaction is committed.

    Each line: time of the event, user, image, version, outcome, number and size of the derivatives, milliseconds of
    work, and the reason when something went wrong.
    """
    watcher = Watcher(resolve_target(), user=user, as_json=json_)
    try:
        watcher.run(from_beginning=from_beginning, until=until)
    except KeyboardInterrupt:
        pass  # how a person ends it
    remarks().print(f"{plural(watcher.statuses, 'status', 'statuses')}, {plural(watcher.letters, 'dead letter')} seen")


class Watcher:
    """Follows both topics and counts what it shows."""

    def __init__(self, target: Target, *, user: str | None, as_json: bool) -> None:
        self._target = target
        self._user = user
        self._as_json = as_json
        self._console = output()
        self._status, self._letter, self._event = status_codec(), dead_letter_codec(), event_codec(writer_schemas())
        self.statuses = 0
        self.letters = 0

    def run(self, *, from_beginning: bool, until: int) -> None:
        """Show outcomes until there were `until` statuses; 0 for ever."""
        topics = [self._target.topics.status, self._target.topics.dead_letters]
        for news in follow(self._target.kafka_bootstrap, topics, from_beginning=from_beginning):
            if news is not None:
                self._show(*news)
            if until and self.statuses >= until:
                return

    def _show(self, topic: str, record: TopicRecord) -> None:
        is_status = topic == self._target.topics.status
        try:
            if is_status:
                self._show_status(self._status.decode(record.value or b""), record)
            else:
                self._show_letter(self._letter.decode(record.value or b""), record)
        except UndecodableError as error:
            remarks().print(printable(f"{topic} partition {record.partition} offset {record.offset}: {error}"))

    def _show_status(self, status: ImageStatus, record: TopicRecord) -> None:
        if self._user not in (None, status.user_id):
            return
        self.statuses += 1
        if self._as_json:
            write_json({"type": "status", "time": moment(record), **status.model_dump(mode="json")})
        else:
            self._console.print(status_line(status, record), soft_wrap=True)

    def _show_letter(self, letter: DeadLetter, record: TopicRecord) -> None:
        event = _event_in(letter, self._event)
        if self._user is not None and (event is None or event.user_id != self._user):
            return
        self.letters += 1
        if self._as_json:
            write_json({"type": "dead letter", "time": moment(record), **letter_json(letter)})
        else:
            self._console.print(letter_line(letter, record), soft_wrap=True)


def _event_in(letter: DeadLetter, codec: RecordCodec[ImageEvent]) -> ImageEvent | None:
    try:
        return codec.decode(letter.payload)
    except UndecodableError:
        return None


def moment(record: TopicRecord) -> str:
    """Return a record's time as ISO 8601 in UTC, with milliseconds."""
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")


def clock(record: TopicRecord) -> str:
    """Return a record's local time of day, with milliseconds."""
    return datetime.fromtimestamp(record.timestamp_ms / 1000, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def status_line(status: ImageStatus, record: TopicRecord) -> Text:
    """Return one line about a status."""
    timings = status.timings
    parts = [
        Text(clock(record), style="dim"),
        cell(status.user_id, limit=ID_CHARACTERS),
        cell(status.image_id, limit=ID_CHARACTERS),
        Text(f"v{status.version}"),
        Text(status.outcome.value, style=COLOURS[status.outcome]),
    ]
    if status.derivatives:
        size = decimal(sum(one.bytes for one in status.derivatives))
        parts.append(Text(f"{plural(len(status.derivatives), 'derivative')} {size}"))
    parts.append(Text(f"{timings.fetch_ms + timings.render_ms + timings.store_ms} ms", style="dim"))
    for failure in status.failures:
        preset = f"{failure.preset}: " if failure.preset else ""
        parts.append(cell(f"{preset}{failure.reason}: {failure.message}", "red", REASON_CHARACTERS))
    return Text("  ").join(parts)


def letter_line(letter: DeadLetter, record: TopicRecord) -> Text:
    """Return one line about a dead letter."""
    parts = [
        Text(clock(record), style="dim"),
        Text("DEAD LETTER", style="bold red"),
        Text(f"{letter.reason} at {letter.stage}", style="red"),
        Text(f"{letter.payload_bytes:,} bytes"),
        *([cell(letter.event_id, limit=ID_CHARACTERS)] if letter.event_id else []),
        cell(letter.message, limit=REASON_CHARACTERS),
    ]
    return Text("  ").join(parts)


def letter_json(letter: DeadLetter) -> dict[str, Any]:
    """Return a dead letter's fields without its bytes, which may be large and are in the topic."""
    return letter.model_dump(mode="json", exclude={"payload"})
