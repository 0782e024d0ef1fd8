"""Why Develop never raises, shown on PyFlink's own classes.

When one of these tests fails, PyFlink has changed: read the docstring of Develop again.
"""

import asyncio
import pickle
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pyflink.common import Row, Time
from pyflink.datastream import AsyncFunction, async_retry_strategies
from pyflink.datastream.functions import AsyncFunctionDescriptor
from pyflink.fn_execution.datastream.process.async_function.operation import AsyncOperation
from pyflink.fn_execution.flink_fn_execution_pb2 import UserDefinedDataStreamFunction

from tests.fakes import wait_for
from udfs.items import item

ELEMENT = [0, 0, item("u", event=b"event")]  # timestamp, watermark, record
OBSERVED_S = 0.3  # how long nothing has to happen


class Raises(AsyncFunction):
    async def async_invoke(self, value: Row) -> list[Row]:
        raise KeyError


class IsCancelled(AsyncFunction):
    async def async_invoke(self, value: Row) -> list[Row]:
        raise asyncio.CancelledError


class Outputs:
    """Keeps what the operation gives to the next one, and tells that an element was completed."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.completed = threading.Event()

    def process_outputs(self, windowed_value: object, results: Iterator[Any]) -> None:
        self.rows.extend(results)
        self.completed.set()


class Bundle:
    """An AsyncOperation as the worker runs it."""

    def __init__(self, function: AsyncFunction) -> None:
        descriptor = AsyncFunctionDescriptor(
            function,
            Time.seconds(0),
            10,
            async_retry_strategies.NO_RETRY_STRATEGY,
            AsyncFunctionDescriptor.OutputMode.UNORDERED,
        )
        self.operation = AsyncOperation(UserDefinedDataStreamFunction(payload=pickle.dumps(descriptor)), None)
        self.outputs = Outputs()
        self.operation.set_output_processor(self.outputs)
        self.operation.open()

    def process(self) -> None:
        self.operation.process_element(SimpleNamespace(), ELEMENT)

    def wait_until_empty(self) -> None:
        """The element is out of the queue once its emitter has left it."""
        wait_for(self.outputs.completed, "the element is completed")
        while not self.operation._queue.is_empty():
            self.operation._queue.wait_for_in_flight_elements_processed()


def test_an_element_whose_coroutine_raised_is_completed_with_nothing_and_the_bundle_ends_well() -> None:
    bundle = Bundle(Raises())
    try:
        bundle.process()
        bundle.wait_until_empty()
        bundle.operation.finish()  # a checkpoint is taken now, and its offsets lie behind the lost element
        assert bundle.outputs.rows == []
        with pytest.raises(Exception, match="Error happens inside the class") as error:
            bundle.process()  # only the next element tells
        assert isinstance(error.value.args[1], KeyError)
    finally:
        bundle.operation.close()


def test_an_element_whose_coroutine_was_cancelled_is_never_completed() -> None:
    bundle = Bundle(IsCancelled())
    try:
        bundle.process()
        assert not bundle.outputs.completed.wait(OBSERVED_S)
        assert not bundle.operation._queue.is_empty()  # the end of the bundle would wait for ever
    finally:
        bundle.operation.close()
