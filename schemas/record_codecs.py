"""The records as Avro bytes and back; an event that breaks a rule is told in words, field by field."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.codec import Codec, Schema, load_schema
from schemas.errors import InvalidRecordError
from schemas.records import DeadLetter, ImageEvent, ImageStatus

EXCERPT_MAX_CHARACTERS = 80

Record = TypeVar("Record", bound=BaseModel)


class RecordCodec(Generic[Record]):
    """Encodes and decodes one kind of record; ``writers`` are further schemas that producers may use."""

    def __init__(self, model: type[Record], schema: str, writers: list[Schema] | None = None) -> None:
        self._model = model
        self._codec = Codec(load_schema(schema), writers)

    def encode(self, record: Record) -> bytes:
        """Return the record's single-object encoding."""
        return self._codec.encode(record.model_dump())

    def decode(self, data: bytes) -> Record:
        """Return the record that the bytes encode.

        Raises:
            UndecodableError: NotAvroError, UnknownSchemaError, or InvalidRecordError naming every wrong field.
        """
        try:
            return self._model.model_validate(self._codec.decode(data))
        except ValidationError as error:
            raise InvalidRecordError(_in_words(error)) from None


def event_codec(writers: list[Schema] | None = None) -> RecordCodec[ImageEvent]:
    """Return the codec of the topic image-events."""
    return RecordCodec(ImageEvent, "image-event", writers)


def status_codec() -> RecordCodec[ImageStatus]:
    """Return the codec of the topic image-status."""
    return RecordCodec(ImageStatus, "image-status")


def dead_letter_codec() -> RecordCodec[DeadLetter]:
    """Return the codec of the topic image-dead-letters."""
    return RecordCodec(DeadLetter, "dead-letter")


def _in_words(error: ValidationError) -> str:
    return "; ".join(_problem(problem) for problem in error.errors(include_url=False))


def _problem(problem: Mapping[str, Any]) -> str:
    field = ".".join(str(part) for part in problem["loc"])
    words = str(problem["msg"]).removeprefix("Value error, ")
    return f"{field}: {words} (got {_excerpt(problem['input'])})" if field else words


def _excerpt(value: object) -> str:
    text = repr(value)
    return text if len(text) <= EXCERPT_MAX_CHARACTERS else text[:EXCERPT_MAX_CHARACTERS] + "…"
