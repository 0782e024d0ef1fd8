"""What `publish` makes of files, and what its Publisher does when Kafka does not take an event."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from kafka.future import Future

from darkroom import publish as publish_module
from darkroom import publisher as publisher_module
from darkroom.errors import OperatorError, UsageError
from darkroom.originals import Item, file_items, synthetic_items
from darkroom.publish import UNFINISHED, EventMaker, Mode, Skipped, publish
from darkroom.publisher import Publisher, next_version, paced, source_key
from darkroom.target import resolve_target
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source


class FakePublisher:
    """Keeps sources in memory, by user and image, and events; `fails` holds an error or None for each flush."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], dict[int, Source]] = {}
        self.events: list[ImageEvent] = []
        self.fails: list[BaseException | None] = []

    def __call__(self, _: object) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def event(self, event: ImageEvent) -> None:
        self.events.append(event)

    def flush(self) -> None:
        if self.fails and (error := self.fails.pop(0)) is not None:
            self.events.clear()
            raise error

    def sources(self, user_id: str, image_id: str) -> dict[int, Source]:
        return dict(self.stored.get((user_id, image_id), {}))

    def upload(self, user_id: str, image_id: str, data: bytes, version: int | None = None) -> Source:
        source = Source(bucket="images", key=source_key(user_id, image_id, version or 0), etag="e")
        self.stored.setdefault((user_id, image_id), {})[version or 0] = source
        return source


class FakeProducer:
    """Takes records; `failures` holds one error or None per record."""

    def __init__(self, failures: list[Exception | None]) -> None:
        self.failures = failures
        self.sent: list[tuple[bytes | None, bytes]] = []
        self.closed = False

    def send(self, topic: str, key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]) -> Future:
        self.sent.append((key, value))
        error = self.failures.pop(0) if self.failures else None
        return Future().failure(error) if error else Future().success(None)

    def flush(self) -> None:
        pass

    def close(self, timeout: float) -> None:
        self.closed = True


@pytest.fixture
def fake() -> FakePublisher:
    return FakePublisher()


def make(fake: FakePublisher, mode: Mode, item: Item, users: tuple[str, ...] = ("ann",)) -> ImageEvent | Skipped:
    return EventMaker(fake, mode, list(users), None)(item)  # type: ignore[arg-type]  # a fake


def item(image_id: str = "cat.jpg", user_id: str = "ann") -> Item:
    return Item(image_id, user_id, lambda: b"pixels")


def event(image_id: str = "cat.jpg") -> ImageEvent:
    return ImageEvent(
        event_id="e", kind=EventKind.DELETED, user_id="änn", image_id=image_id, version=1, occurred_at=datetime.now(UTC)
    )


def test_an_upload_names_the_source_it_stored_and_a_second_one_is_skipped(fake: FakePublisher) -> None:
    made = make(fake, Mode.UPLOAD, item())
    assert isinstance(made, ImageEvent)
    assert (made.kind, made.source) == (EventKind.UPLOADED, fake.sources("ann", "cat.jpg")[made.version])
    again = make(fake, Mode.UPLOAD, item())
    assert isinstance(again, Skipped)
    assert "--replace" in again.why
    assert not again.is_failure


@pytest.mark.parametrize("error", [OperatorError("1 event did not reach Kafka; publish again"), KeyboardInterrupt()])
def test_a_run_that_failed_says_that_the_next_one_needs_replace_which_publishes_the_event(
    error: BaseException,
    fake: FakePublisher,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(publish_module, "Publisher", fake)
    (tmp_path / "cat.jpg").write_bytes(b"pixels")
    fake.fails = [error]
    with pytest.raises(type(error)):
        publish([tmp_path / "cat.jpg"], 0)
    assert UNFINISHED in capsys.readouterr().err

    publish([tmp_path / "cat.jpg"], 0)
    assert "skipped cat.jpg: its source is stored for demo; --replace publishes it again" in capsys.readouterr().err
    assert fake.events == []

    fake.fails = [error]
    with pytest.raises(type(error)):
        publish([tmp_path / "cat.jpg"], 0, replace=True)
    assert UNFINISHED not in capsys.readouterr().err

    publish([tmp_path / "cat.jpg"], 0, replace=True)
    assert [one.kind for one in fake.events] == [EventKind.UPLOADED]


def test_a_replacement_and_a_deletion_are_newer_and_a_rederive_is_not(fake: FakePublisher) -> None:
    first = make(fake, Mode.UPLOAD, item())
    second = make(fake, Mode.REPLACE, item())
    again = make(fake, Mode.REDERIVE, item())
    gone = make(fake, Mode.DELETE, item())
    assert isinstance(first, ImageEvent)
    assert isinstance(second, ImageEvent)
    assert isinstance(again, ImageEvent)
    assert isinstance(gone, ImageEvent)
    assert first.version < second.version == again.version < gone.version
    assert (again.kind, again.source) == (EventKind.REDERIVE, second.source)
    assert (gone.kind, gone.source) == (EventKind.DELETED, None)


@pytest.mark.parametrize("mode", [Mode.DELETE, Mode.REDERIVE])
def test_what_was_never_published_can_be_neither_deleted_nor_rederived(fake: FakePublisher, mode: Mode) -> None:
    made = make(fake, mode, item())
    assert isinstance(made, Skipped)
    assert made.is_failure


def test_an_unreadable_file_is_a_failure_that_stops_no_other(fake: FakePublisher, tmp_path: Path) -> None:
    made = make(fake, Mode.UPLOAD, Item("cat.jpg", "ann", (tmp_path / "gone.jpg").read_bytes))
    assert made == Skipped("cat.jpg", "cannot be read: No such file or directory", is_failure=True)


def test_an_id_that_no_event_may_have_is_told_in_words(fake: FakePublisher) -> None:
    with pytest.raises(OperatorError, match=r"user_id: .*at most 1024"):
        make(fake, Mode.UPLOAD, item(user_id="x" * 1025))


def test_files_are_dealt_to_users_in_turn_and_folders_give_their_pictures(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.JPG", "a.webp", "notes.txt", ".hidden.png", "in/c.png"):
        (tmp_path / name).write_bytes(b"")
    items = file_items([tmp_path], ["ann", "bob"], everyone=False)
    assert [(one.image_id, one.user_id) for one in items] == [("a.webp", "ann"), ("b.JPG", "bob"), ("in/c.png", "ann")]
    named = file_items([tmp_path / "notes.txt"], ["ann", "bob"], everyone=True)
    assert [(one.image_id, one.user_id) for one in named] == [("notes.txt", "ann"), ("notes.txt", "bob")]


def test_files_that_cannot_be_published_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not there"):
        file_items([tmp_path / "gone.jpg"], ["ann"], everyone=False)
    assert len(file_items([tmp_path / "gone.jpg"], ["ann"], everyone=True)) == 1
    with pytest.raises(UsageError, match="no files with an image's suffix"):
        file_items([tmp_path], ["ann"], everyone=False)
    (tmp_path / "in").mkdir()
    for name in ("a.png", "in/a.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match=r"two files would be image a\.png of user ann"):
        file_items([tmp_path / "a.png", tmp_path / "in" / "a.png"], ["ann"], everyone=False)


def test_made_up_pictures_repeat_their_bytes_and_not_their_ids() -> None:
    items = synthetic_items(5, 2, ["ann", "bob"])
    assert len({one.image_id for one in items}) == 5
    assert [one.user_id for one in items] == ["ann", "bob", "ann", "bob", "ann"]
    assert items[0].read() is items[2].read()
    assert items[0].read() != items[1].read()


def test_a_version_is_the_time_and_above_every_known_one() -> None:
    assert next_version({}, now=1000) == 1000
    assert next_version({5: None, 2000: None}, now=1000) == 2001


def test_a_rate_is_kept() -> None:
    started = datetime.now(UTC)
    assert list(paced(range(6), rate=50)) == list(range(6))
    assert (datetime.now(UTC) - started).total_seconds() >= 0.1


def publisher_on(producer: FakeProducer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Publisher:
    monkeypatch.setattr(publisher_module, "connect_producer", lambda _: producer)
    return Publisher(resolve_target({"DARKROOM_HOME": str(tmp_path)}))


def test_an_event_goes_out_under_its_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    producer = FakeProducer([])
    with publisher_on(producer, monkeypatch, tmp_path) as publisher:
        publisher.event(event())
        publisher.raw(None, b"no event")
    assert [key for key, _ in producer.sent] == ["änn".encode(), None]
    assert event_codec().decode(producer.sent[0][1]).image_id == "cat.jpg"
    assert producer.closed


def test_an_event_that_did_not_arrive_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    producer = FakeProducer([])
    publisher = publisher_on(producer, monkeypatch, tmp_path)
    with publisher:
        publisher.event(event())
    producer.failures = [KafkaTimeoutError("late")]
    publisher.event(event())
    with pytest.raises(OperatorError, match=r"1 event did not reach image-events .* KafkaTimeoutError"):
        publisher.flush()
    assert producer.closed


def test_what_kafka_refuses_at_once_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    producer = FakeProducer([])
    monkeypatch.setattr(producer, "send", lambda *_, **__: (_ for _ in ()).throw(MessageSizeTooLargeError("big")))
    publisher = publisher_on(producer, monkeypatch, tmp_path)
    with pytest.raises(OperatorError, match=r"refuses: .*MessageSizeTooLargeError"), publisher:
        publisher.raw(None, b"too much")
