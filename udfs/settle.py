"""Settle: an item's outcome goes to the status stream, the dead letters, or both; an outage ends the attempt."""

from collections.abc import Iterator

from pyflink.common import Row
from pyflink.datastream import ProcessFunction, RuntimeContext

from schemas.record_codecs import status_codec
from schemas.records import Outcome
from udfs.errors import OutageError
from udfs.items import DEAD_LETTERS


class Settle(ProcessFunction):
    """Item -> status (main output) and dead letter (side output), each as key and value of a Kafka record.

    Raises:
        OutageError: the store could not be reached; the job restarts from its checkpoint.
    """

    def open(self, runtime_context: RuntimeContext) -> None:
        """Register a counter per outcome."""
        self._statuses = status_codec()
        metrics = runtime_context.get_metrics_group()
        self._outcomes = {outcome: metrics.counter(outcome.lower()) for outcome in Outcome}
        self._dead_letters = metrics.counter("dead_letters")

    def process_element(self, value: Row, ctx: ProcessFunction.Context) -> Iterator[Row]:
        """Emit what the item ended in."""
        if value.outage is not None:
            raise OutageError(value.outage)
        key = value.key.encode()
        if value.status is not None:
            self._outcomes[self._statuses.decode(value.status).outcome].inc()
            yield Row(key=key, value=value.status)
        if value.dead_letter is not None:
            self._dead_letters.inc()
            yield DEAD_LETTERS, Row(key=key, value=value.dead_letter)
