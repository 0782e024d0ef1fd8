"""What can be wrong with bytes that should be an Avro record.

UndecodableError            permanent, bad data; carries its reason code
├── NotAvroError            NOT_AVRO
├── UnknownSchemaError      UNKNOWN_SCHEMA
└── InvalidRecordError      INVALID_EVENT
SchemaFolderError           a folder of schemas cannot be used; an error of the operator, not of an event
"""

from typing import ClassVar

from schemas.reasons import Reason


class UndecodableError(Exception):
    """Bytes that are not a valid record."""

    reason: ClassVar[Reason]


class NotAvroError(UndecodableError):
    """No single-object encoding, cut short, or followed by other bytes."""

    reason = Reason.NOT_AVRO


class UnknownSchemaError(UndecodableError):
    """No known schema has the fingerprint that the bytes name."""

    reason = Reason.UNKNOWN_SCHEMA


class InvalidRecordError(UndecodableError):
    """Decodes, but a field has a value that no record may have."""

    reason = Reason.INVALID_EVENT


class SchemaFolderError(Exception):
    """A file in a folder of schemas is not a usable Avro schema."""
