"""What admit keeps of one user, in one value of keyed state: reading one and writing one are a round trip each."""

from dataclasses import dataclass

from schemas.codec import Codec, Schema, load_schema
from udfs.ledger import Ledger, LedgerCodec
from udfs.shaping import Rate, Shaping, ShapingCodec


@dataclass(frozen=True, slots=True)
class UserState:
    """What is known of one user."""

    ledger: Ledger
    shaping: Shaping


class UserStateCodec:
    """The state of users as versioned bytes: Avro with the writer schema's fingerprint in front, as on the wire.

    ``writers`` are the schemas of other versions of the job, whose state is to be read.
    """

    def __init__(self, writers: list[Schema] | None = None) -> None:
        self._codec = Codec(load_schema("user-state"), writers)
        self._ledgers = LedgerCodec(writers)
        self._shapings = ShapingCodec(writers)

    def encode(self, user: UserState, *, idle: bool) -> bytes:
        """Return the state as bytes; of an idle user's shaping there is nothing to keep."""
        shaping = b"" if idle else self._shapings.encode(user.shaping)
        return self._codec.encode({"ledger": self._ledgers.encode(user.ledger), "shaping": shaping})

    def decode(self, data: bytes | None, now: int, rate: Rate) -> UserState:
        """Return the state that the bytes encode; for None that of a user who was never seen."""
        record = {"ledger": None, "shaping": None} if data is None else self._codec.decode(data)
        ledger = self._ledgers.decode(record["ledger"])
        return UserState(ledger, self._shapings.decode(record["shaping"] or None, now, rate))
