"""The shapes that travel from step to step, and their Flink types.

An item gathers what the steps find out:

key          user_id; of bytes that are not an event, their SHA-256
event        the record as it was read; None when it is not a valid event
status       encoded ImageStatus, once the outcome is known
dead_letter  encoded DeadLetter, when there is one
outage       why the store could not be reached; such an item never leaves the job
"""

from pyflink.common import Row, Types
from pyflink.datastream import OutputTag

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())
ITEM = Types.ROW_NAMED(
    ["key", "event", "status", "dead_letter", "outage"], [Types.STRING(), BYTES, BYTES, BYTES, Types.STRING()]
)
KEY_VALUE = Types.ROW_NAMED(["key", "value"], [BYTES, BYTES])
DEAD_LETTERS = OutputTag("dead-letters", KEY_VALUE)


def item(
    key: str,
    event: bytes | None = None,
    status: bytes | None = None,
    dead_letter: bytes | None = None,
    outage: str | None = None,
) -> Row:
    """Return an item."""
    return Row(key=key, event=event, status=status, dead_letter=dead_letter, outage=outage)
