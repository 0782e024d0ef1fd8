"""Everything that can be set, as one frozen object read from the environment in ``main`` and nowhere else.

SettingsError lists every problem at once, naming the variables.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from jobs import __version__
from jobs.cluster_limits import ClusterLimits
from jobs.kafka_access import KafkaAccess, authorities
from jobs.presets_reading import read_presets
from jobs.settings_report import PREFIX, listed, problems_in, refuse_contradictions
from schemas.codec import Schema, load_folder
from schemas.errors import SchemaFolderError
from udfs.developer import DevelopSettings
from udfs.imaging.errors import PresetsError
from udfs.imaging.limits import Limits
from udfs.ledger import Memory
from udfs.shaping import Rate

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
DEFAULT_PRESETS = Path(__file__).with_name("presets.yaml")

Positive = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
BUCKET = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
Bucket = Annotated[str, Field(pattern=f"^{BUCKET}$")]


class SettingsError(Exception):
    """The settings are missing, mistyped or contradictory; the message lists every problem."""


class Settings(KafkaAccess, BaseSettings):
    """The job's settings; each is an environment variable with the prefix DARKROOM_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    events_topic: Annotated[Name, Field(description="topic of the events")] = "image-events"
    status_topic: Annotated[Name, Field(description="topic of the statuses")] = "image-status"
    dead_letters_topic: Annotated[Name, Field(description="topic of the dead letters")] = "image-dead-letters"
    consumer_group: Annotated[Name, Field(description="group whose offsets show the lag")] = "darkroom-derivatives"
    delivery: Annotated[
        Literal["exactly-once", "at-least-once"],
        Field(description="guarantee of the sinks; at-least-once shows statuses sooner and sometimes twice"),
    ] = "exactly-once"
    transactional_id_prefix: Annotated[Name, Field(description="begins the sinks' transactional ids")] = "darkroom"
    transaction_timeout_s: Annotated[
        Positive, Field(description="longest outage of the job that loses no status; at most the brokers' maximum")
    ] = 3600

    s3_endpoint: Annotated[
        str, Field(pattern=r"^https?://[^/@\s]+$", description="URL of the object store, without credentials")
    ]
    s3_ca_file: Annotated[
        Path | None,
        Field(description="PEM file, at the same path on every machine, of the authorities that sign for the store"),
    ] = None
    s3_region: Annotated[str, Field(description="region of the object store")] = "us-east-1"
    derivatives_bucket: Annotated[Bucket, Field(description="bucket of the derivatives")] = "derivatives"

    presets_file: Annotated[Path, Field(description="the presets")] = DEFAULT_PRESETS
    schemas_dir: Annotated[
        Path | None, Field(description="folder of further *.avsc schemas that producers write with")
    ] = None

    dedupe_hours: Annotated[Positive, Field(description="how long an event id is remembered")] = 24
    image_memory_days: Annotated[
        Positive, Field(description="how long an image is remembered after its last event")
    ] = 30
    max_events_per_user: Annotated[Positive, Field(description="event ids remembered per user")] = 10_000
    max_images_per_user: Annotated[Positive, Field(description="images remembered per user")] = 10_000

    max_source_bytes: Annotated[Positive, Field(description="largest source")] = 64 * 1024 * 1024
    max_pixels: Annotated[Positive, Field(description="largest picture, width x height of a frame")] = 100_000_000
    images_in_flight: Annotated[
        Positive, Field(le=1024, description="images developed at once per slot; a checkpoint waits for them")
    ] = 6
    bytes_in_flight: Annotated[Positive, Field(description="budget of source bytes in memory per slot")] = (
        256 * 1024 * 1024
    )
    source_buckets: Annotated[
        str,
        Field(
            pattern=rf"^{BUCKET}(,{BUCKET})*$",
            description="buckets that events may name, separated by commas; a source elsewhere is refused",
        ),
    ] = "images"
    source_wait_s: Annotated[int, Field(ge=0, description="how long a source that is not there yet is waited for")] = 10
    render_processes: Annotated[Positive, Field(le=256, description="sandboxed rendering processes per slot")] = 2
    render_memory_bytes: Annotated[
        int, Field(ge=256 * 1024 * 1024, description="memory that rendering one image may take")
    ] = 2 * 1024 * 1024 * 1024
    render_cpu_s: Annotated[Positive, Field(description="CPU time that rendering one image may take")] = 40
    render_timeout_s: Annotated[Positive, Field(description="time on the clock that rendering one image may take")] = 50
    user_events_per_minute: Annotated[
        Positive, Field(description="events of one user that are developed per minute; more are held back")
    ] = 60
    user_burst: Annotated[
        Positive, Field(description="events of one user that are developed at once after a pause")
    ] = 10
    max_held_per_user: Annotated[
        Positive, Field(description="events of one user that are held back; more are rejected")
    ] = 10_000
    storage_patience_s: Annotated[
        Positive, Field(description="how long an unreachable store is asked again before the job restarts")
    ] = 60

    @field_validator("s3_ca_file")
    @classmethod
    def _authorities_are_readable(cls, file: Path | None) -> Path | None:
        return authorities(file)

    @field_validator("presets_file")
    @classmethod
    def _presets_are_valid(cls, path: Path) -> Path:
        try:
            read_presets(path)
        except (PresetsError, OSError) as error:
            raise ValueError(str(error)) from error
        return path

    @field_validator("schemas_dir")
    @classmethod
    def _schemas_are_valid(cls, folder: Path | None) -> Path | None:
        try:
            _read_schemas(folder)
        except SchemaFolderError as error:
            raise ValueError(str(error)) from error
        return folder

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        refuse_contradictions([*self.contradictions(), *self._topics_that_clash(), *self._amounts_that_clash()])
        return self

    def _topics_that_clash(self) -> Iterator[str]:
        topics = (self.events_topic, self.status_topic, self.dead_letters_topic)
        if len(set(topics)) < len(topics):
            yield f"DARKROOM_EVENTS_TOPIC, DARKROOM_STATUS_TOPIC and DARKROOM_DEAD_LETTERS_TOPIC must differ: {topics}"

    def _amounts_that_clash(self) -> Iterator[str]:
        if self.max_source_bytes > self.bytes_in_flight:
            yield (
                f"DARKROOM_MAX_SOURCE_BYTES ({self.max_source_bytes}) is more than DARKROOM_BYTES_IN_FLIGHT"
                f" ({self.bytes_in_flight}): one source would break the budget; raise the budget or lower the limit"
            )
        if self.dedupe_hours > self.image_memory_days * 24:
            yield (
                f"DARKROOM_DEDUPE_HOURS ({self.dedupe_hours}) is more than DARKROOM_IMAGE_MEMORY_DAYS"
                f" ({self.image_memory_days} days): an event would be remembered longer than its image"
            )

    @property
    def writers(self) -> list[Schema]:
        """The further schemas that producers write with."""
        return _read_schemas(self.schemas_dir)

    @property
    def memory(self) -> Memory:
        """How long and how much admit remembers."""
        return Memory(
            event_ms=self.dedupe_hours * HOUR_MS,
            image_ms=self.image_memory_days * DAY_MS,
            max_events=self.max_events_per_user,
            max_images=self.max_images_per_user,
        )

    @property
    def rate(self) -> Rate:
        """How much of one user is developed, and how much is held back."""
        return Rate(self.user_events_per_minute, self.user_burst, self.max_held_per_user)

    @property
    def develop(self) -> DevelopSettings:
        """How develop works."""
        return DevelopSettings(
            derivatives_bucket=self.derivatives_bucket,
            job_version=__version__,
            presets=read_presets(self.presets_file),
            limits=Limits(max_source_bytes=self.max_source_bytes, max_pixels=self.max_pixels),
            images_in_flight=self.images_in_flight,
            bytes_in_flight=self.bytes_in_flight,
            source_buckets=tuple(self.source_buckets.split(",")),
            source_wait_s=self.source_wait_s,
            render_processes=self.render_processes,
            render_memory_bytes=self.render_memory_bytes,
            render_cpu_s=self.render_cpu_s,
            render_timeout_s=self.render_timeout_s,
            storage_patience_s=self.storage_patience_s,
        )

    def check(self, cluster: ClusterLimits) -> None:
        """Hold the settings against the cluster's own configuration.

        Raises:
            SettingsError: a relation without which a status could be lost, or a checkpoint never completes.
        """
        waits_s = {
            "DARKROOM_STORAGE_PATIENCE_S": self.storage_patience_s,
            "DARKROOM_RENDER_TIMEOUT_S (for two attempts)": 2 * self.render_timeout_s,
            "DARKROOM_SOURCE_WAIT_S": self.source_wait_s,
        }
        problems = list(cluster.problems(self.delivery, self.transaction_timeout_s, waits_s))
        if problems:
            raise SettingsError(listed(problems))


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: one or more variables are missing, mistyped or contradictory; all are listed.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError(listed(problems_in(error, Settings))) from None


def _read_schemas(folder: Path | None) -> list[Schema]:
    return load_folder(folder) if folder else []
