"""The chaos load's way to Kafka: every record is acknowledged in the end, whatever fails on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from darkroom.errors import OperatorError
from tests.chaos import sending
from tests.chaos.sending import Sending
from tests.chaos.steps import Message

MESSAGES = [Message(b"ada", bytes([number])) for number in range(6)]


class Names:
    """The only names of a target that sending asks for."""

    kafka_bootstrap = "nowhere:1"
    topics = type("Topics", (), {"events": "events"})


@dataclass
class FakeFuture:
    error: Exception | None

    def add_callback(self, told: Callable[[object], None]) -> "FakeFuture":
        if self.error is None:
            told(None)
        return self

    def add_errback(self, told: Callable[[Exception], None]) -> "FakeFuture":
        if self.error is not None:
            told(self.error)
        return self


@dataclass
class FakeKafka:
    """Connecting fails as often as said; each record of `lost` is lost once, by whichever producer has it."""

    away: int = 0
    lost: set[bytes] = field(default_factory=set)
    refused: set[bytes] = field(default_factory=set)
    connections: int = 0
    arrived: list[bytes] = field(default_factory=list)

    def connect(self, _: str) -> "FakeKafka":
        self.connections += 1
        if self.away:
            self.away -= 1
            message = "Kafka does not answer"
            raise OperatorError(message)
        return self

    def send(self, topic: str, key: bytes, value: bytes) -> FakeFuture:
        if value in self.refused:
            self.refused.remove(value)
            raise KafkaTimeoutError
        if value in self.lost:
            self.lost.remove(value)
            return FakeFuture(KafkaTimeoutError())
        self.arrived.append(value)
        return FakeFuture(None)

    def close(self, timeout: float) -> None:
        pass


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "RETRY_S", 0.001)


def sent_through(kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Send every message, close, and return what was told to be acknowledged."""
    told: list[bytes] = []
    monkeypatch.setattr(sending, "connect_producer", kafka.connect)
    target: Any = Names
    way = Sending(target, lambda message: told.append(message.value))
    for message in MESSAGES:
        way.send(message)
        way.settle(0)
    way.close()
    assert way.unacknowledged == 0
    return told


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(
    "kafka",
    [
        FakeKafka(),
        FakeKafka(away=9),
        FakeKafka(lost={MESSAGES[0].value, MESSAGES[5].value}),
        FakeKafka(refused={MESSAGES[2].value}),
        FakeKafka(away=3, lost={MESSAGES[1].value}, refused={MESSAGES[1].value}),
    ],
    ids=["calm", "away", "lost", "refused", "all"],
)
def test_every_record_is_acknowledged_once(kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    told = sent_through(kafka, monkeypatch)
    assert sorted(told) == sorted(kafka.arrived) == [message.value for message in MESSAGES]


@pytest.mark.usefixtures("fast")
def test_while_kafka_is_away_it_is_asked_once_a_round_and_not_once_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = FakeKafka()
    monkeypatch.setattr(sending, "connect_producer", kafka.connect)
    target: Any = Names
    way = Sending(target, lambda _: None)
    kafka.away = 6
    for message in MESSAGES:
        way.send(message)
    kafka.away, before = 1, kafka.connections
    way.settle(0)
    assert kafka.connections == before + 1
    assert way.unacknowledged == len(MESSAGES)
    way.close()
