from typing import Any

import pytest
from pyflink.common import Row

from schemas.record_codecs import status_codec
from schemas.records import EventKind, ImageStatus, Outcome
from tests.fakes import FakeRuntimeContext
from udfs.errors import OutageError
from udfs.items import DEAD_LETTERS, item
from udfs.settle import Settle


def settled(value: Row) -> tuple[list[Any], dict[str, int]]:
    """What comes out for an item, and the counts."""
    function, context = Settle(), FakeRuntimeContext()
    function.open(context)
    return list(function.process_element(value, None)), context.metrics.counts()


def a_status(outcome: Outcome) -> bytes:
    return status_codec().encode(
        ImageStatus(
            event_id="e",
            kind=EventKind.UPLOADED,
            user_id="u",
            image_id="i",
            version=1,
            outcome=outcome,
            job_version="9.9.9",
        )
    )


@pytest.mark.parametrize("outcome", Outcome)
def test_a_status_goes_to_the_main_output_under_its_user_and_is_counted(outcome: Outcome) -> None:
    status = a_status(outcome)
    assert settled(item("Zoë", b"event", status)) == (
        [Row(key="Zoë".encode(), value=status)],
        {outcome.lower(): 1},
    )


def test_a_dead_letter_goes_to_the_side_output() -> None:
    (out,), counts = settled(item("digest", dead_letter=b"letter"))
    assert out == (DEAD_LETTERS, Row(key=b"digest", value=b"letter"))
    assert counts == {"dead_letters": 1}


def test_an_event_that_was_given_up_has_both() -> None:
    status = a_status(Outcome.FAILED)
    out, counts = settled(item("u", b"event", status, b"letter"))
    assert out == [Row(key=b"u", value=status), (DEAD_LETTERS, Row(key=b"u", value=b"letter"))]
    assert counts == {"failed": 1, "dead_letters": 1}


def test_an_outage_is_raised_and_nothing_comes_out() -> None:
    function, context = Settle(), FakeRuntimeContext()
    function.open(context)
    outputs = function.process_element(item("u", b"event", outage="the store is away"), None)
    with pytest.raises(OutageError, match="the store is away"):
        next(outputs)
    assert context.metrics.counts() == {}
