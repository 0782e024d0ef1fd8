"""The README's Python producer writes an event that Darkroom reads."""

import re
from pathlib import Path

import kafka
import pytest

from schemas.record_codecs import event_codec
from schemas.records import Source

PROJECT = Path(__file__).parents[2]


class Producer:
    """Keeps what it is told to send."""

    sent: list[bytes] = []  # noqa: RUF012  (the example makes the instance)

    def __init__(self, bootstrap_servers: str, acks: str) -> None:
        assert (bootstrap_servers, acks) == ("127.0.0.1:9092", "all")

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        assert (topic, key) == ("image-events", b"anna")
        self.sent.append(value)

    def flush(self) -> None:
        assert self.sent


def test_the_python_example_is_short_and_its_event_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    assert len(blocks[0].strip().splitlines()) <= 15
    monkeypatch.setattr(kafka, "KafkaProducer", Producer)
    monkeypatch.chdir(PROJECT)
    exec(blocks[0], {})
    (record,) = Producer.sent
    assert event_codec().decode(record).source == Source(bucket="images", key="anna/sunset.jpg")
