"""`darkroom publish`: from files, or from made-up pictures, to sources and events."""

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from darkroom.console import counting, output, plural, printable, remarks, write_json
from darkroom.errors import OperatorError, UsageError
from darkroom.originals import Item, file_items, synthetic_items
from darkroom.parallel import parallel_map
from darkroom.publisher import Publisher, next_version, paced
from darkroom.target import resolve_target
from schemas.records import EventKind, ImageEvent, Source

UPLOAD_THREADS = 4
UNFINISHED = "a file whose source is stored is skipped next time, even if its event did not arrive: add --replace"


class Mode(Enum):
    """What is published for a file."""

    UPLOAD = "upload"
    REPLACE = "replace"
    DELETE = "delete"
    REDERIVE = "rederive"


OF_KNOWN_IMAGES = (Mode.DELETE, Mode.REDERIVE)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why nothing was published for an image; a failure makes the exit status 1."""

    image_id: str
    why: str
    is_failure: bool = False


@dataclass(slots=True)
class Summary:
    """What was published."""

    events: int = 0
    users: set[str] = field(default_factory=set)
    images: set[tuple[str, str]] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the figures, and each image that was skipped with its reason."""
        return {
            "events": self.events,
            "images": len(self.images),
            "users": len(self.users),
            "seconds": round(self.seconds, 3),
            "skipped": [{"image_id": one.image_id, "why": one.why} for one in self.skipped],
        }


def publish(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILES|FOLDER",
            help="Pictures, or folders of them. A file's name is its image id; below a folder, its path in the folder."
            " Of a folder's files, those with an image's suffix are taken.",
            show_default=False,
        ),
    ] = None,
    synthetic: Annotated[
        int, typer.Option(min=0, metavar="N", help="Publish N made-up pictures instead, each a new image.")
    ] = 0,
    distinct: Annotated[
        int, typer.Option(min=1, help="How many different made-up pictures to draw; the others repeat their bytes.")
    ] = 50,
    user: Annotated[
        list[str] | None,
        typer.Option(help="Owner of the images; give it several times to deal them out in turn.  [default: demo]"),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Publish images that were published before again, with a newer version."),
    ] = False,
    delete: Annotated[
        bool,
        typer.Option(
            "--delete",
            help="Publish a deletion for each named image of the given users that was published before. The file need"
            " not be there any more; the stored sources stay, as an event on its way may still need them.",
        ),
    ] = False,
    rederive: Annotated[
        bool,
        typer.Option(
            "--rederive", help="Ask for the derivatives of images that were published before to be made again."
        ),
    ] = False,
    preset: Annotated[
        list[str] | None,
        typer.Option(help="Ask for this preset; may be given several times.  [default: the job's default set]"),
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.001, metavar="EVENTS/S", help="Publish no faster than this.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Write the figures as one JSON object.")] = False,
) -> None:
    """Upload sources to the images bucket and publish an event for each, after its source is stored.

    A version is the time in milliseconds, so that a later upload always replaces an earlier one. An image whose source
    is stored is skipped, even if its event did not arrive, unless --replace, --delete or --rederive says what to do
    with it; so publish again with --replace what failed or was stopped.
    """
    mode = _mode(replace=replace, delete=delete, rederive=rederive)
    users = user or ["demo"]
    if bool(paths) == bool(synthetic):
        message = "name either files or folders, or --synthetic N"
        raise UsageError(message)
    if synthetic and mode is not Mode.UPLOAD:
        message = "--synthetic makes new images; --replace, --delete and --rederive need files"
        raise UsageError(message)
    items = (
        synthetic_items(synthetic, distinct, users)
        if synthetic
        else file_items(paths or [], users, everyone=mode in OF_KNOWN_IMAGES)
    )
    with Publisher(resolve_target()) as publisher:
        maker = EventMaker(publisher, mode, users, tuple(preset) if preset else None)
        try:
            summary = _run(publisher, maker, items, rate)
        except (OperatorError, KeyboardInterrupt):
            if paths and mode is Mode.UPLOAD:
                remarks().print(UNFINISHED, soft_wrap=True)
            raise
    _tell(summary, as_json=json_)
    if any(one.is_failure for one in summary.skipped):
        raise typer.Exit(1)


def _mode(*, replace: bool, delete: bool, rederive: bool) -> Mode:
    asked = [mode for mode, on in ((Mode.REPLACE, replace), (Mode.DELETE, delete), (Mode.REDERIVE, rederive)) if on]
    if len(asked) > 1:
        message = f"--{asked[0].value} and --{asked[1].value} exclude each other; publish twice"
        raise UsageError(message)
    return asked[0] if asked else Mode.UPLOAD


class EventMaker:
    """Stores an image's source where there is one to store, and makes its event."""

    def __init__(self, publisher: Publisher, mode: Mode, users: list[str], presets: tuple[str, ...] | None) -> None:
        self._publisher = publisher
        self._mode = mode
        self._users = users
        self._presets = presets

    def __call__(self, item: Item) -> ImageEvent | Skipped:
        """Return the event to publish, or why there is none."""
        known = {} if item.is_new else self._publisher.sources(item.user_id, item.image_id)
        if self._mode in OF_KNOWN_IMAGES:
            return self._of_known(item, known)
        if known and self._mode is Mode.UPLOAD:
            return Skipped(item.image_id, f"its source is stored for {item.user_id}; --replace publishes it again")
        try:
            data = item.read()
        except OSError as error:
            return Skipped(item.image_id, f"cannot be read: {error.strerror}", is_failure=True)
        version = next_version(known)
        source = self._publisher.upload(item.user_id, item.image_id, data, version)
        return self._event(item, EventKind.UPLOADED, version, source)

    def _of_known(self, item: Item, known: dict[int, Source]) -> ImageEvent | Skipped:
        if not known:
            return Skipped(item.image_id, f"was never published for {item.user_id}", is_failure=len(self._users) == 1)
        newest = max(known)
        if self._mode is Mode.DELETE:
            return self._event(item, EventKind.DELETED, next_version(known), None)
        return self._event(item, EventKind.REDERIVE, newest, known[newest])

    def _event(self, item: Item, kind: EventKind, version: int, source: Source | None) -> ImageEvent:
        try:
            return ImageEvent(
                event_id=str(uuid.uuid4()),
                kind=kind,
                user_id=item.user_id,
                image_id=item.image_id,
                version=version,
                source=source,
                presets=self._presets,
                occurred_at=datetime.now(UTC),
            )
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field_name = ".".join(str(part) for part in first["loc"])
            message = f"no event can be made for {printable(item.image_id)}: {field_name}: {first['msg']}"
            raise OperatorError(message) from error


def _run(publisher: Publisher, maker: EventMaker, items: list[Item], rate: float | None) -> Summary:
    summary = Summary()
    started = time.monotonic()

    def publish_one(item: Item) -> ImageEvent | Skipped:
        made = maker(item)
        if isinstance(made, ImageEvent):
            publisher.event(made)  # here, so that Ctrl-C leaves no source without its event
        return made

    with counting("publishing", len(items)) as counter:
        for made in parallel_map(publish_one, paced(items, rate), UPLOAD_THREADS):
            if isinstance(made, Skipped):
                summary.skipped.append(made)
            else:
                summary.events += 1
                summary.users.add(made.user_id)
                summary.images.add((made.user_id, made.image_id))
            counter.advance()
        publisher.flush()
    summary.seconds = time.monotonic() - started
    return summary


def _tell(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        write_json(summary.as_json())
        return
    for one in summary.skipped:
        remarks().print(f"skipped {printable(one.image_id)}: {printable(one.why)}", soft_wrap=True)
    output().print(
        f"{plural(summary.events, 'event')} for {plural(len(summary.images), 'image')} of"
        f" {plural(len(summary.users), 'user')} published in {summary.seconds:.1f} s",
        soft_wrap=True,
    )
