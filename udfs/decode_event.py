"""Decode: from the bytes of a record to an item that carries a valid event or a dead letter."""

from pyflink.common import Row
from pyflink.datastream import MapFunction, RuntimeContext

from schemas.codec import Schema
from schemas.errors import UndecodableError
from schemas.record_codecs import dead_letter_codec, event_codec
from schemas.records import DeadLetter, Stage
from udfs.items import item


class DecodeEvent(MapFunction):
    """Bytes of one record -> item. Never fails: what is not a valid event becomes a dead letter."""

    def __init__(self, writers: list[Schema], job_version: str) -> None:
        self._writers = writers
        self._job_version = job_version

    def open(self, runtime_context: RuntimeContext) -> None:
        self._events = event_codec(self._writers)
        self._dead_letters = dead_letter_codec()

    def map(self, value: bytes) -> Row:
        try:
            return item(self._events.decode(value).user_id, event=value)
        except UndecodableError as error:
            letter = DeadLetter.of(value, Stage.DECODE, error.reason, str(error), self._job_version)
            return item(letter.payload_sha256, dead_letter=self._dead_letters.encode(letter))
