"""The ends of the graph: where events come from, where statuses and dead letters go, where images lie.

The same graph runs between Kafka and S3, and between two folders.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pyflink.common import WatermarkStrategy
from pyflink.common.serialization import ByteArraySchema, RowFieldExtractorSchema
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)

from jobs.settings import Settings
from udfs.folder_store import FolderAddress
from udfs.items import BYTES
from udfs.object_store import ObjectStore
from udfs.s3_store import S3Address


class Ends(Protocol):
    """What the graph is wired between."""

    open_store: Callable[[], ObjectStore]

    def events(self, env: StreamExecutionEnvironment) -> DataStream:
        """Return the stream of records: bytes."""

    def statuses(self, stream: DataStream) -> None:
        """Take the stream of statuses: rows of key and value."""

    def dead_letters(self, stream: DataStream) -> None:
        """Take the stream of dead letters: rows of key and value."""


class KafkaEnds:
    """Kafka topics and an S3 store.

    Guarantee: records are read from the checkpointed offsets; statuses and dead letters become visible to
    ``read_committed`` readers in the transaction that the checkpoint commits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.open_store: Callable[[], ObjectStore] = S3Address(
            settings.s3_endpoint,
            settings.s3_region,
            connections=settings.images_in_flight,
            ca_file=str(settings.s3_ca_file) if settings.s3_ca_file else None,
        )

    def events(self, env: StreamExecutionEnvironment) -> DataStream:
        """Return the records of the events topic, from the checkpoint's offsets or, without one, the beginning."""
        settings = self._settings
        builder = (
            KafkaSource.builder()
            .set_bootstrap_servers(settings.kafka_bootstrap)
            .set_topics(settings.events_topic)
            .set_group_id(settings.consumer_group)
            .set_starting_offsets(KafkaOffsetsInitializer.earliest())
            .set_property("isolation.level", "read_committed")
            .set_property("partition.discovery.interval.ms", "30000")
            .set_value_only_deserializer(ByteArraySchema())
        )
        for name, value in settings.java_properties().items():
            builder.set_property(name, value)
        name = f"read {settings.events_topic}"
        watermarks = WatermarkStrategy.no_watermarks()
        stream = env.from_source(builder.build(), watermarks, name, BYTES).uid("events")
        return stream.set_description(
            f"{settings.events_topic}: one Avro record per event, from the checkpoint's offsets"
        )

    def statuses(self, stream: DataStream) -> None:
        """Write the statuses in transactions of their own."""
        topic = self._settings.status_topic
        stream.sink_to(self._sink(topic, "status")).name(f"write {topic}").uid("statuses").set_description(
            f"{topic}: one status per event, visible when its checkpoint commits"
        )

    def dead_letters(self, stream: DataStream) -> None:
        """Write the dead letters in transactions of their own."""
        topic = self._settings.dead_letters_topic
        stream.sink_to(self._sink(topic, "dead-letters")).name(f"write {topic}").uid("dead-letters").set_description(
            f"{topic}: bytes that are not an event, and events that were given up, for replay"
        )

    def _sink(self, topic: str, purpose: str) -> KafkaSink:
        settings = self._settings
        exactly_once = settings.delivery == "exactly-once"
        record = (
            KafkaRecordSerializationSchema.builder()
            .set_topic(topic)
            .set_key_serialization_schema(RowFieldExtractorSchema(0))
            .set_value_serialization_schema(RowFieldExtractorSchema(1))
            .build()
        )
        builder = (
            KafkaSink.builder()
            .set_bootstrap_servers(settings.kafka_bootstrap)
            .set_record_serializer(record)
            .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE if exactly_once else DeliveryGuarantee.AT_LEAST_ONCE)
            .set_transactional_id_prefix(f"{settings.transactional_id_prefix}-{purpose}")
            .set_property("transaction.timeout.ms", str(settings.transaction_timeout_s * 1000))
        )
        for key, value in settings.java_properties().items():
            builder.set_property(key, value)
        return builder.build()


class FolderEnds:
    """A list of records and two folders; bounded. The outcomes are read with :meth:`outcomes`.

    Guarantee: none across a failure of the process; a second run makes the same files again.
    """

    def __init__(self, records: Sequence[bytes], buckets: dict[str, Path]) -> None:
        self._records = records
        self._outcomes: list[DataStream] = []
        self.open_store: Callable[[], ObjectStore] = FolderAddress(buckets)

    def events(self, env: StreamExecutionEnvironment) -> DataStream:
        """Return the records, in their order."""
        pickled = env.from_collection(list(self._records)).name("read the folder").uid("events")
        return pickled.map(lambda record: record, BYTES).name("unpickle the record").uid("events-unpickled")

    def statuses(self, stream: DataStream) -> None:
        """Keep the stream for :meth:`outcomes`."""
        self._outcomes.append(stream)

    def dead_letters(self, stream: DataStream) -> None:
        """Keep the stream for :meth:`outcomes`."""
        self._outcomes.append(stream)

    def outcomes(self) -> DataStream:
        """Return statuses and dead letters as one stream of values: bytes, pickled for the client."""
        first, *others = self._outcomes
        return first.union(*others).map(lambda row: row.value).name("collect outcomes").uid("outcomes")
