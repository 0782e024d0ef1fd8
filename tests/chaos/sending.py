"""Sends records to Kafka until each is acknowledged, through any outage; at least once, and never in silence."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from kafka import KafkaProducer
from kafka.errors import KafkaError

from darkroom.errors import OperatorError
from darkroom.kafka import connect_producer
from darkroom.target import Target
from tests.chaos.steps import Message

MAX_UNACKNOWLEDGED = 500
RETRY_S = 0.5
GOODBYE_S = 2.0

log = logging.getLogger(__name__)


class Sending:
    """One producer at a time; a record whose delivery fails is sent again, behind those sent meanwhile.

    Not for several threads; `acknowledged` is called from the producer's thread.
    """

    def __init__(self, target: Target, acknowledged: Callable[[Message], None]) -> None:
        self._target = target
        self._acknowledged = acknowledged
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()
        self._open = 0
        self._failed: list[Message] = []

    @property
    def unacknowledged(self) -> int:
        """How many records are on their way."""
        with self._lock:
            return self._open

    def send(self, message: Message) -> None:
        """Send one record; waits while many are on their way."""
        with self._lock:
            self._open += 1
        self._submit(message)
        while self.unacknowledged >= MAX_UNACKNOWLEDGED:
            self.settle(RETRY_S)

    def settle(self, seconds: float) -> None:
        """Give Kafka some time to acknowledge, then send again what failed."""
        limit = time.monotonic() + seconds
        while self.unacknowledged and not self._failed and time.monotonic() < limit:
            time.sleep(0.02)
        with self._lock:
            again, self._failed = self._failed, []
        if again:
            self._send_again(again)

    def close(self) -> None:
        """Wait until everything is acknowledged, however long that takes."""
        while self.unacknowledged:
            self.settle(RETRY_S)
        self._end_producer()

    def _send_again(self, failed: list[Message]) -> None:
        """Send with a new producer: after a failed delivery an idempotent one may refuse every further record."""
        self._end_producer()
        time.sleep(RETRY_S)
        for number, message in enumerate(failed):
            self._submit(message)
            if self._producer is None:  # Kafka is away; to ask again for every record would take ten seconds each
                with self._lock:
                    self._failed += failed[number + 1 :]
                return

    def _submit(self, message: Message) -> None:
        try:
            if self._producer is None:
                self._producer = connect_producer(self._target.kafka_bootstrap)
            future = self._producer.send(self._target.topics.events, key=message.key, value=message.value)
        except (KafkaError, OperatorError) as error:
            self._end_producer()
            self._fail(message, error)
        else:
            future.add_callback(partial(self._succeed, message)).add_errback(partial(self._fail, message))

    def _succeed(self, message: Message, _: object) -> None:
        self._acknowledged(message)
        with self._lock:
            self._open -= 1

    def _fail(self, message: Message, error: BaseException) -> None:
        log.info("a record is sent again: %s", error)
        with self._lock:
            self._failed.append(message)

    def _end_producer(self) -> None:
        if self._producer is not None:
            with suppress(KafkaError):
                self._producer.close(timeout=GOODBYE_S)
        self._producer = None
