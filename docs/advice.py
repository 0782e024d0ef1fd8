"""The chapters of the reference that no code can say: how schemas may change, and how to consume."""

EVOLUTION = """
## Changing a schema

A reader turns what any schema it knows wrote into its own schema, as the Avro specification says under "Schema
Resolution".

- *Add a field* with a default. Records written without it get the default; readers that do not have it skip it.
- *Remove a field* only if it has a default.
- *Add an enum symbol* at the end, to the Avro enum and to its Python enum. An older reader sees the enum's default if
  it has one: `Reason` has `UNSPECIFIED`. An event with a `kind` that this version does not have ends as a dead
  letter.
- *Never* rename a field, change its type or its meaning, or use a removed name again.

The fingerprint covers the names, the order and the types of the fields, not their `doc` and default.

Deploy the reader first. An event whose schema Darkroom does not have is not lost: it ends as a dead letter with the
reason `UNKNOWN_SCHEMA`. What earlier versions of Darkroom wrote is in `schemas/writers`. Otherwise put the producer's
`.avsc` file into the folder that `DARKROOM_SCHEMAS_DIR` names, submit the
job again, and publish the dead letter's `payload` to `image-events`. Keep each file as long as the topic keeps
records of its schema.
"""

CONSUMING = """
## Consuming statuses and dead letters

- Set `isolation.level=read_committed`. Kafka's default, `read_uncommitted`, also returns the statuses of aborted
  transactions and then those of their replay: duplicates that Darkroom never committed.
- A status becomes visible when the checkpoint that covers it is complete: after half a checkpoint interval in the
  median, and a whole one at worst.
- When a status is visible, the derivatives it names are stored and have the announced checksums.
- Of one image's statuses with `READY`, `PARTIAL` or `DELETED`, that of the highest `version` holds, and of equal
  versions the last. The other outcomes change nothing that is stored.
- Darkroom writes one status per distinct `event_id` within the window in which it remembers ids (24 hours unless set
  otherwise). Dedupe again only if your own processing repeats records.
- A dead letter's `payload` is the record as it was read, at most its first 512 KiB; a valid event is never cut. If it
  has an `event_id`, the event also has a status `FAILED`.
"""
