"""What runs where: the plan of a stack before its start, and stack.json while it runs. No secrets."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from darkroom.stack.errors import StackError
from darkroom.stack.layout import Home

PartName = Literal["zookeeper", "minio", "kafka", "toxiproxy", "jobmanager", "taskmanager"]


class Topics(BaseModel):
    """The names of the three topics."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: str = "image-events"
    status: str = "image-status"
    dead_letters: str = "image-dead-letters"

    def names(self) -> tuple[str, ...]:
        """Return all three."""
        return (self.events, self.status, self.dead_letters)


class Buckets(BaseModel):
    """The names of the three buckets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: str = "images"
    derivatives: str = "derivatives"
    flink: str = "flink"
    sources: tuple[str, ...] = ("images",)  # those that events may name

    def names(self) -> tuple[str, ...]:
        """Return all three."""
        return (self.images, self.derivatives, self.flink)


class StackRecord(BaseModel):
    """One stack: every address, and which parts this machine runs itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    parts: tuple[PartName, ...]  # run here; what is not named is used at its address
    kafka_bootstrap: str
    s3_endpoint: str
    s3_region: str
    s3_console_url: str | None
    flink_url: str
    s3_ca_file: Path | None = None  # PEM; None: the certificate authorities that the machine trusts
    credentials_file: Path
    job_credentials_file: Path  # the job's user may do less than the operator's
    topics: Topics
    buckets: Buckets
    partitions: int
    slots: int
    flink_home: Path | None
    flink_conf_dir: Path | None
    kafka_home: Path | None
    zookeeper_home: Path | None = None  # None without high availability
    proxies: dict[str, str] = {}  # host:port before "kafka" and "s3", for the job and Flink; empty without proxies
    toxiproxy_url: str | None = None  # its HTTP API
    internal_ports: dict[str, int]  # what no user connects to; chosen at the start

    def runs(self, part: PartName) -> bool:
        """Tell whether this machine runs the part itself."""
        return part in self.parts


def read_record(home: Home) -> StackRecord | None:
    """Return what stack.json says, or None when no stack was started from this home."""
    try:
        return StackRecord.model_validate_json(home.record.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        message = f"{home.record} is not readable by this version of darkroom: run `darkroom down`, then `darkroom up`."
        raise StackError(message) from error


def write_record(home: Home, record: StackRecord) -> None:
    """Write stack.json in one step, so that a reader sees the old one or the new one."""
    temporary = home.record.with_suffix(".new")
    temporary.write_text(record.model_dump_json(indent=2) + "\n")
    os.replace(temporary, home.record)
