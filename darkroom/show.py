"""`darkroom show`: everything known of one image, from the topics and both buckets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from darkroom.console import Counter, cell, counted, counting, output, plural, write_json
from darkroom.errors import OperatorError
from darkroom.kafka import KafkaTopic
from darkroom.picture import markup
from darkroom.ports import Objects, StoredObject, TopicRecord
from darkroom.storage import S3Objects
from darkroom.target import Target, resolve_target
from darkroom.verify.fold import Announced, fold
from darkroom.watch import COLOURS, letter_json, letter_line, moment, status_line
from darkroom.writers import writer_schemas
from schemas.errors import UndecodableError
from schemas.keys import MANIFEST, image_prefix
from schemas.record_codecs import dead_letter_codec, event_codec, status_codec
from schemas.records import DeadLetter, ImageEvent, ImageStatus

FACTS_CHARACTERS = 400


@dataclass(slots=True)
class Image:
    """What is known of one image of one user; events and statuses in the order of their topics."""

    user_id: str
    image_id: str
    events: list[tuple[ImageEvent, TopicRecord]] = field(default_factory=list)
    statuses: list[tuple[ImageStatus, TopicRecord]] = field(default_factory=list)
    letters: list[tuple[DeadLetter, TopicRecord]] = field(default_factory=list)
    sources: list[StoredObject] = field(default_factory=list)
    stored: list[StoredObject] = field(default_factory=list)
    checks: dict[str, str] = field(default_factory=dict)

    def current(self) -> dict[str, Announced]:
        """Return what must be stored now, by key, as the statuses say."""
        remembered: dict[str, Announced] = {}
        told: set[str] = set()
        for status, _ in self.statuses:
            if status.event_id not in told:
                remembered = fold(remembered, status)
            told.add(status.event_id)
        return {one.key: one for one in remembered.values()}

    def manifest(self) -> Announced | None:
        """Return the list of its responsive derivatives that must be stored now, if there is one."""
        return next((one for one in self.current().values() if one.preset == MANIFEST), None)


def show(
    image: Annotated[str, typer.Argument(help="Image id: for published files, the file's name.", show_default=False)],
    user: Annotated[
        str | None, typer.Option(help="Its owner.  [default: every user who has an image of that id]")
    ] = None,
    picture: Annotated[
        str | None,
        typer.Option(
            metavar="BASE_URL",
            help="Write only the `picture` markup of its responsive derivatives, ready for a page, with addresses "
            "under this one, such as https://cdn.example.com/derivatives.",
        ),
    ] = None,
    alt: Annotated[str, typer.Option(help="The text alternative in the markup.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Write one JSON object per user.")] = False,
) -> None:
    """Show everything known of one image: events, statuses, dead letters, sources, derivatives and what is current.

    Reads the three topics from their beginning, and the bytes of the image's derivatives to compare their checksums.
    Exit status 1 when nothing is known of it.
    """
    target = resolve_target()
    with counting("reading") as counter:
        images = gather(target, image, user, counter)
    if not images:
        message = f"nothing is known of image {image!r}{f' of user {user!r}' if user else ''}"
        raise OperatorError(message)
    console = output()
    for one in images:
        if picture is not None:
            console.print(markup(one.manifest(), S3Objects(target), picture, alt), soft_wrap=True)
        else:
            write_json(as_json(one)) if json_ else _print(console, one)


def gather(target: Target, image_id: str, user_id: str | None, counter: Counter) -> list[Image]:
    """Return what is known of the image, for one user or for each who has it."""
    images: dict[str, Image] = {}

    def of(event: ImageEvent | ImageStatus) -> Image | None:
        if event.image_id != image_id or user_id not in (None, event.user_id):
            return None
        return images.setdefault(event.user_id, Image(event.user_id, image_id))

    events = event_codec(writer_schemas())
    for record in _naming(target, target.topics.events, image_id, counter):
        if (event := _decoded(events, record.value)) and (found := of(event)):
            found.events.append((event, record))
    for record in _naming(target, target.topics.status, image_id, counter):
        if (status := _decoded(status_codec(), record.value)) and (found := of(status)):
            found.statuses.append((status, record))
    for record in _naming(target, target.topics.dead_letters, image_id, counter):
        letter = _decoded(dead_letter_codec(), record.value)
        if letter and (event := _decoded(events, letter.payload)) and (found := of(event)):
            found.letters.append((letter, record))
    objects = S3Objects(target)
    for found in images.values():
        _add_objects(found, objects, target)
    return sorted(images.values(), key=lambda one: one.user_id)


def _naming(target: Target, topic: str, image_id: str, counter: Counter) -> Iterator[TopicRecord]:
    """Yield a topic's records that may name the image: Avro keeps strings as plain UTF-8, so most need no decoding."""
    needle = image_id.encode("utf-8", "surrogateescape")
    counter.describe(f"reading {topic}")
    with KafkaTopic(target.kafka_bootstrap, topic) as reader:
        yield from (record for record in counted(reader.read(), counter) if record.value and needle in record.value)


def _decoded(codec: Any, value: bytes | None) -> Any:
    try:
        return codec.decode(value or b"")
    except UndecodableError:
        return None


def _add_objects(image: Image, objects: Objects, target: Target) -> None:
    prefix = image_prefix(image.user_id, image.image_id)
    image.sources = list(objects.list(target.buckets.images, prefix))
    image.stored = list(objects.list(target.buckets.derivatives, prefix))
    current = image.current()
    unaccounted = {stored.key: "orphaned" for stored in image.stored if stored.key not in current}
    image.checks = {key: _check(announced, objects) for key, announced in current.items()} | unaccounted


def _check(announced: Announced, objects: Objects) -> str:
    found = objects.sha256(announced.bucket, announced.key)
    return "missing" if found is None else "ok" if found == announced.sha256 else "corrupt"


def as_json(image: Image) -> dict[str, Any]:
    """Return everything known of an image as plain values."""
    current = image.current()
    return {
        "user_id": image.user_id,
        "image_id": image.image_id,
        "events": [{"time": moment(r), **event.model_dump(mode="json")} for event, r in image.events],
        "statuses": [{"time": moment(r), **status.model_dump(mode="json")} for status, r in image.statuses],
        "dead_letters": [{"time": moment(r), **letter_json(letter)} for letter, r in image.letters],
        "sources": [{"key": s.key, "bytes": s.size, "etag": s.etag} for s in image.sources],
        "derivatives": [
            {"key": s.key, "bytes": s.size, "etag": s.etag, "check": image.checks[s.key]} for s in image.stored
        ],
        "current": [
            {"key": a.key, "version": a.version, "preset": a.preset, "bytes": a.size, "sha256": a.sha256}
            | {"check": image.checks[a.key]}
            for a in current.values()
        ],
    }


def _print(console: Console, image: Image) -> None:
    console.print(Text.assemble(cell(image.image_id, "bold"), " of ", cell(image.user_id, "bold")), soft_wrap=True)
    outcomes = {status.event_id: status.outcome for status, _ in image.statuses}
    for event, record in image.events:
        outcome = outcomes.get(event.event_id)
        ending = Text(outcome.value, style=COLOURS[outcome]) if outcome else Text("no status yet", style="yellow")
        line = Text.assemble(f"  event   {moment(record)}  {event.kind} v{event.version}  ", cell(event.event_id))
        console.print(line.append("  ").append(ending), soft_wrap=True)
    for status, record in image.statuses:
        console.print(Text("  status  ").append(status_line(status, record)), soft_wrap=True)
    for line in _looks(image):
        console.print(line, soft_wrap=True)
    for letter, record in image.letters:
        console.print(Text("  letter  ").append(letter_line(letter, record)), soft_wrap=True)
    console.print(_objects_table(image))


def _looks(image: Image) -> Iterator[Text]:
    """Yield what the newest developed source turned out to be, and what it looks like."""
    developed = [status for status, _ in image.statuses if status.source is not None]
    if not developed or (source := developed[-1].source) is None:
        return
    camera = " ".join(filter(None, (source.camera_make, source.camera_model)))
    facts = [source.format, f"{source.width}x{source.height}", decimal(source.bytes), source.color_profile]
    facts += [plural(source.frames, "frame") if source.frames > 1 else None, source.captured_at, camera]
    yield Text("  source  ").append_text(cell(", ".join(filter(None, facts)), limit=FACTS_CHARACTERS))
    if signals := developed[-1].signals:
        swatches = (
            Text("  ", style=f"on {color}").append(f" {color} ", style="default on default")
            for color in signals.palette
        )
        yield Text.assemble("  looks   ", *swatches, f" blurhash {signals.blurhash}  phash {signals.perceptual_hash}")


def _objects_table(image: Image) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for column in ("object", "bytes", "etag", "state"):
        table.add_column(column, overflow="fold")
    for source in image.sources:
        table.add_row(cell(source.key, limit=120), decimal(source.size), cell(source.etag), "source")
    sizes = {stored.key: stored for stored in image.stored}
    for key, check in sorted(image.checks.items()):
        stored = sizes.get(key)
        state = Text("current" if check == "ok" else check, style="green" if check == "ok" else "red")
        size, etag = (decimal(stored.size), stored.etag) if stored else ("-", "-")
        table.add_row(cell(key, limit=120), size, cell(etag), state)
    return table
