"""Avro single-object encoding: two marker bytes, the fingerprint of the writer's schema, the body.

Source: Apache Avro 1.12 specification, "Single-object encoding" and "Schema fingerprints".
"""

import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastavro
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from schemas.errors import NotAvroError, SchemaFolderError, UnknownSchemaError

MARKER = b"\xc3\x01"
HEADER_BYTES = 10

Schema = dict[str, Any]


def schema_fingerprint(schema: Schema) -> bytes:
    """Return the CRC-64-AVRO fingerprint of a schema's parsing canonical form: 8 bytes, little-endian."""
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


class _WholeReads(io.BytesIO):
    """Bytes that end in an error: fastavro skips a field the reader does not have without seeing that it is cut."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if len(data) != size:
            raise EOFError
        return data


class Codec:
    """Encodes records of one schema, and decodes what that schema or any known writer's schema wrote.

    Known are the schema itself, what earlier versions shipped (the folder ``writers``) and those given.
    """

    def __init__(self, reader: Schema, writers: list[Schema] | None = None) -> None:
        self._reader = parse_schema(reader)
        self._header = MARKER + schema_fingerprint(reader)
        earlier = [schema for schema in earlier_schemas() if schema["name"] == reader["name"]]
        self._writers = {schema_fingerprint(schema): parse_schema(schema) for schema in [*earlier, *(writers or [])]}
        self._writers[schema_fingerprint(reader)] = self._reader

    def encode(self, record: dict[str, Any]) -> bytes:
        """Return the single-object encoding of a record that fits the schema."""
        body = io.BytesIO()
        body.write(self._header)
        # without tuple notation: fastavro takes a tuple of two strings for a tagged union, not for an array
        fastavro.schemaless_writer(body, self._reader, record, disable_tuple_notation=True)
        return body.getvalue()

    def decode(self, data: bytes) -> dict[str, Any]:
        """Return the record as the reader's schema sees it, whichever known schema wrote it.

        Raises:
            NotAvroError: no marker, a body cut short or not of the named schema, or bytes left over.
            UnknownSchemaError: no known schema has the fingerprint.
        """
        if len(data) < HEADER_BYTES or not data.startswith(MARKER):
            message = f"the record ({len(data)} bytes) does not begin with the Avro marker C3 01 and a fingerprint"
            raise NotAvroError(message)
        writer = self._writers.get(data[2:HEADER_BYTES])
        if writer is None:
            message = f"no known schema has the fingerprint {data[2:HEADER_BYTES].hex()}; add the producer's schema"
            raise UnknownSchemaError(message)
        return self._decode_body(data, writer)

    def _decode_body(self, data: bytes, writer: Schema) -> dict[str, Any]:
        body = io.BytesIO(data) if writer is self._reader else _WholeReads(data)
        body.seek(HEADER_BYTES)
        try:
            record: dict[str, Any] = fastavro.schemaless_reader(body, writer, self._reader)
        except Exception as error:  # hostile bytes make the reader raise nearly anything
            message = f"the Avro body of {len(data) - HEADER_BYTES} bytes cannot be read: {type(error).__name__}"
            raise NotAvroError(message) from error
        if left := len(data) - body.tell():
            message = f"{left} bytes are left over behind the Avro body"
            raise NotAvroError(message)
        return record


def load_schema(name: str) -> Schema:
    """Return one of the schemas shipped with Darkroom, such as ``image-event``."""
    schema: Schema = json.loads(files("schemas").joinpath(f"{name}.avsc").read_text("utf-8"))
    return schema


def earlier_schemas() -> list[Schema]:
    """Return the schemas that earlier versions of Darkroom wrote with."""
    folder = files("schemas").joinpath("writers")
    return [json.loads(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".avsc")]


def load_folder(folder: Path) -> list[Schema]:
    """Return every ``*.avsc`` schema of a folder: what older or newer producers write.

    Raises:
        SchemaFolderError: the folder is missing, or a file in it is not an Avro schema.
    """
    if not folder.is_dir():
        message = f"{folder} is not a folder of Avro schemas; create it or correct the setting"
        raise SchemaFolderError(message)
    return [_load_file(path) for path in sorted(folder.glob("*.avsc"))]


def _load_file(path: Path) -> Schema:
    try:
        schema: Schema = json.loads(path.read_text("utf-8"))
        parse_schema(schema)
    except Exception as error:
        message = f"{path} is not an Avro schema: {error}"
        raise SchemaFolderError(message) from error
    return schema
