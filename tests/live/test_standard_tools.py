"""Kafka's own console consumer reads what the job writes: nothing before the commit, every status after it."""

import re
import subprocess

import pytest

from darkroom.stack.record import read_record
from schemas.record_codecs import status_codec
from schemas.records import ImageStatus, Outcome
from tests.live_stack import NEVER, PHOTOS, Scenario, event

pytestmark = pytest.mark.timeout(420)

EVENTS = 3
CONSOLE_CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
LOGS_OFF = "-Dlog4j2.level=OFF"  # without a configuration Log4j writes to standard output, between the records
PRINTABLE_BYTES = "org.apache.kafka.common.serialization.BytesDeserializer"
ESCAPED = re.compile(rb"\\x([0-9A-F]{2})")


def console_consumer(scenario: Scenario, *options: str) -> list[ImageStatus]:
    """Run Kafka's tool from the stack's own jars and decode each line it prints with our codec."""
    stack = read_record(scenario.stack.home)
    assert stack is not None
    command = ["java", LOGS_OFF, "-cp", f"{stack.kafka_home}/*", CONSOLE_CONSUMER]
    command += ["--bootstrap-server", scenario.target.kafka_bootstrap, "--topic", scenario.target.topics.status]
    command += ["--from-beginning", "--formatter-property", f"value.deserializer={PRINTABLE_BYTES}", *options]
    told = subprocess.run(command, capture_output=True, timeout=120, check=False)
    codec = status_codec()
    return [codec.decode(unescaped(line)) for line in told.stdout.splitlines()]


def unescaped(line: bytes) -> bytes:
    return ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), line)


def committed(scenario: Scenario) -> list[ImageStatus]:
    return console_consumer(scenario, "--isolation-level", "read_committed", "--timeout-ms", "20000")


def test_a_status_is_shown_to_read_committed_only_after_its_checkpoint(scenario: Scenario) -> None:
    scenario.submit(interval=NEVER)
    with scenario.publisher() as publisher:
        source = publisher.upload("anna", "rocket.jpg", (PHOTOS / "rocket.jpg").read_bytes(), 1)
        events = [event(f"rocket-{number}", source) for number in range(EVENTS)]
        for published in events:
            publisher.event(published)

    written = console_consumer(scenario, "--max-messages", str(EVENTS), "--timeout-ms", "60000")
    assert len(written) == EVENTS
    assert committed(scenario) == []

    scenario.stop_with_savepoint()
    shown = committed(scenario)
    assert sorted(status.event_id for status in shown) == sorted(published.event_id for published in events)
    assert {status.outcome for status in shown} == {Outcome.READY}
    assert {status.event_id for status in shown} == {status.event_id for status in written}
