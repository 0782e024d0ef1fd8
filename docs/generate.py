"""Writes docs/events-and-statuses.md from the schemas, so that the page cannot drift from the code.

python docs/generate.py           writes the page
python docs/generate.py --check   exits 1 and says how to regenerate when the page is not current
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from advice import CONSUMING, EVOLUTION
from in_words import field_table, hex_lines, in_json, inner_records, table

from schemas.codec import HEADER_BYTES, Codec, load_schema, schema_fingerprint
from schemas.keys import PART_MAX_BYTES, derivative_key, key_part
from schemas.outcomes import OUTCOMES
from schemas.reasons import REASONS
from schemas.record_codecs import event_codec
from schemas.records import EventKind, ImageEvent, Source

PAGE = Path(__file__).parent / "events-and-statuses.md"
COMMAND = "python docs/generate.py"

RECORDS = ["image-event", "image-status", "dead-letter"]

EXAMPLE = ImageEvent(
    event_id="e-1",
    kind=EventKind.UPLOADED,
    user_id="ada",
    image_id="cat",
    version=1,
    source=Source(bucket="images", key="ada/cat.jpg"),
    occurred_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
)

KEY_EXAMPLES = ["cat", "a/b", "..", "", "~", "Zoë", "x" * 1024]
CELL_CHARACTERS = 20


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [introduction(), topics(), wire_format()]
    parts += [record("Event", "image-event"), record("Status", "image-status"), outcomes(), reasons()]
    parts += [record("Dead letter", "dead-letter"), object_keys(), EVOLUTION, CONSUMING]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def introduction() -> str:
    """Return the title and what the page is."""
    return f"""
# Events, statuses and dead letters

<!-- Generated from schemas/ by `{COMMAND}`: edit the schemas or the generator, not this page. -->

Darkroom reads *events* and writes one *status* for each. What is not a valid event, or has to be given up, becomes a
*dead letter*. All three are Avro records; their schemas are in `schemas/`.
"""


def topics() -> str:
    """Return the table of topics and their keys."""
    fallback = "`user_id`; the payload's SHA-256 when it is not a valid event"
    rows = [
        ["`image-events`", "`user_id`", "[event](#event)", "producers"],
        ["`image-status`", "`user_id`", "[status](#status)", "Darkroom, exactly once"],
        ["`image-dead-letters`", fallback, "[dead letter](#dead-letter)", "Darkroom, exactly once"],
    ]
    return f"""
## Topics

{table(["topic", "key (UTF-8)", "value", "written by"], rows)}

The key decides the partition, and Kafka keeps order only within a partition: a producer that does not key its events by
`user_id` gives up their order. An event that a newer version of its image has overtaken ends as `SUPERSEDED`.
"""


def wire_format() -> str:
    """Return how a record is encoded, with an example made by the codec itself."""
    fingerprints = [[f"`{name}.avsc`", f"`{schema_fingerprint(load_schema(name)).hex(' ')}`"] for name in RECORDS]
    return f"""
## Wire format

The value of a Kafka record is one Avro *single-object encoding*:

| bytes | content |
|---|---|
| 2 | the marker `c3 01` |
| 8 | the CRC-64-AVRO fingerprint of the writer's schema in its parsing canonical form, little-endian |
| the rest | the record in Avro's binary encoding, and nothing behind it |

The fingerprint says which schema wrote the record, so producers, Darkroom and consumers need not change together.

{table(["schema", "fingerprint on the wire"], fingerprints)}

An event of {len(event_codec().encode(EXAMPLE))} bytes:

```
{annotated_example()}
```

Apache Avro for Java writes and reads this with `BinaryMessageEncoder` and `BinaryMessageDecoder`. JSON, Avro
container files and other framings end as dead letters with the reason `NOT_AVRO`.
"""


def annotated_example() -> str:
    """Return the example event as lines of hexadecimal bytes, each with the field it holds."""
    data = event_codec().encode(EXAMPLE)
    values = EXAMPLE.model_dump()
    pieces = [(data[:2], "marker"), (data[2:HEADER_BYTES], "fingerprint of image-event.avsc")]
    for field in load_schema("image-event")["fields"]:
        alone = Codec({"type": "record", "name": "Alone", "fields": [field]}).encode(values)
        pieces.append((alone[HEADER_BYTES:], f"{field['name']} = {in_json(values[field['name']])}"))
    if b"".join(piece for piece, _ in pieces) != data:
        message = "the annotated pieces are not the encoded event"
        raise AssertionError(message)
    return "\n".join(line for piece, note in pieces for line in hex_lines(piece, note))


def record(title: str, name: str) -> str:
    """Return the chapter of one record: its own table, then one for each record inside it."""
    schema = load_schema(name)
    chapters = [f"## {title}\n\n{schema['doc']} Schema: `schemas/{name}.avsc`.\n\n{field_table(schema)}"]
    chapters += [f"### {inner['name']}\n\n{inner['doc']}\n\n{field_table(inner)}" for inner in inner_records(schema)]
    return "\n\n".join(chapters)


def outcomes() -> str:
    """Return the table of outcomes."""
    rows = [[f"`{outcome}`", doc.meaning, doc.consumer] for outcome, doc in OUTCOMES.items()]
    return f"""
## Outcomes

Every event ends in exactly one outcome.

{table(["outcome", "meaning", "what a consumer does"], rows)}
"""


def reasons() -> str:
    """Return the table of reason codes."""
    rows = [[f"`{reason}`", doc.ends_as, doc.meaning, doc.remedy] for reason, doc in REASONS.items()]
    return f"""
## Reason codes

The list is closed: a code comes with a new version of the schema, and a reader with an older one sees `UNSPECIFIED`.

{table(["code", "ends as", "meaning", "remedy"], rows)}
"""


def object_keys() -> str:
    """Return the rules of object keys, with examples made by the code itself."""
    return f"""
## Object keys

A derivative's key has four parts:

```
user / image / version / preset - recipe fingerprint . extension
{derivative_key("ada", "cat", 1, "thumb-256", "9f86d081884c7d65", "jpg")}
```

The key follows from the event and the presets file alone: a replay writes the same key. The recipe fingerprint covers
every parameter that changes bytes, so two recipes never share a key. A newer version removes the older versions'
objects, and a deletion removes everything under `user/image/`. The manifest, where there is one, lies beside them as
`manifest-recipe.json`; it lists what the newest event with responsive presets has stored.

User, image and preset are untrusted text. Each is percent-encoded as in RFC 3986 (UTF-8; letters, digits, `-`, `.`
and `_` stay as they are); in a part of dots alone the dots are encoded too. Empty text, and text whose part would be
longer than {PART_MAX_BYTES} bytes, becomes `~` and its SHA-256. No two texts share a part. Take keys from a status
instead of building them.

{table(["text", "part"], [key_example(text) for text in KEY_EXAMPLES])}
"""


def key_example(text: str) -> list[str]:
    """Return a row of text and its key part, long ones shortened."""
    part = key_part(text)
    in_words = f"`{text}`" if 0 < len(text) <= CELL_CHARACTERS else f"{len(text)} characters"
    return [in_words, f"`{part}`" if len(part) <= CELL_CHARACTERS else f"`{part[:9]}…{part[-4:]}`"]


def main(arguments: list[str]) -> int:
    """Write the page, or compare it with ``--check``; return the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {COMMAND} [--check]", file=sys.stderr)
        return 2
    if not arguments:
        PAGE.write_text(page(), "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != page():
        print(f"docs/{PAGE.name} is not what schemas/ says; run: {COMMAND}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
