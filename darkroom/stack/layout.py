"""Where the local stack keeps its files; knows paths and nothing of what is in them."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from darkroom.stack import pins

UNIX_SOCKET_PATH_LIMIT_BYTES = 100  # sun_path holds 104 to 108 bytes; supervisord binds a name a few bytes longer first


@dataclass(frozen=True, slots=True)
class Home:
    """One stack's own folder: its data, logs, generated configuration and credentials."""

    path: Path

    @property
    def data(self) -> Path:
        """The folder that outlives `down`."""
        return self.path / "data"

    @property
    def logs(self) -> Path:
        """The one place with all logs."""
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """Generated configuration, written anew by every start."""
        return self.path / "run"

    @property
    def credentials(self) -> Path:
        """An AWS shared-credentials file with mode 0600."""
        return self.path / "credentials"

    @property
    def job_credentials(self) -> Path:
        """The same for the job, whose user may do less; mode 0600 too."""
        return self.path / "job-credentials"

    @property
    def record(self) -> Path:
        """What is running where; exists while the stack runs."""
        return self.path / "stack.json"

    @property
    def lock(self) -> Path:
        """Held by the one `up` or `down` at work."""
        return self.path / ".lock"

    @property
    def flink_conf(self) -> Path:
        """The effective Flink configuration: the application's settings and this machine's."""
        return self.run / "flink-conf"

    @property
    def taskmanager_tmp(self) -> Path:
        """The TaskManager's own temporary files, emptied at each of its starts."""
        return self.run / "taskmanager-tmp"

    @property
    def supervisor_conf(self) -> Path:
        """The generated supervisord configuration."""
        return self.run / "supervisord.conf"

    @property
    def socket(self) -> Path:
        """Supervisord's socket; in /tmp, whatever TMPDIR says today, when the home's path is too long."""
        inside = self.run / "supervisor.sock"
        if len(os.fsencode(inside)) <= UNIX_SOCKET_PATH_LIMIT_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path("/tmp") / f"darkroom-{os.getuid()}-{digest}.sock"  # noqa: S108 - supervisord makes it with mode 0700


@dataclass(frozen=True, slots=True)
class Cache:
    """What was fetched or built, shared by all stacks of a user; every folder's name carries its version."""

    path: Path

    @property
    def kafka(self) -> Path:
        """The jars of the broker and its tools."""
        return self.path / f"kafka-{pins.KAFKA}"

    @property
    def flink(self) -> Path:
        """A complete Flink distribution with the connector and the S3 file system in place."""
        return self.path / f"flink-{pins.FLINK}-kafka-{pins.CONNECTOR}"

    @property
    def minio(self) -> Path:
        """The folder of the MinIO binary."""
        return self.path / f"minio-{pins.MINIO}"

    @property
    def zookeeper(self) -> Path:
        """The jars of ZooKeeper."""
        return self.path / f"zookeeper-{pins.ZOOKEEPER}"

    @property
    def toxiproxy(self) -> Path:
        """The folder of the Toxiproxy binary."""
        return self.path / f"toxiproxy-{pins.TOXIPROXY}"

    @property
    def logs(self) -> Path:
        """What Maven and Go said."""
        return self.path / "logs"

    @property
    def lock(self) -> Path:
        """Held by the one process that fetches."""
        return self.path / ".lock"


def home_from(environment: Mapping[str, str]) -> Home:
    """Return the stack's home: DARKROOM_HOME, or the user's state folder."""
    named = environment.get("DARKROOM_HOME")
    return Home(Path(named or platformdirs.user_state_dir("darkroom")).expanduser().resolve())


def cache_from(environment: Mapping[str, str]) -> Cache:
    """Return the cache: DARKROOM_CACHE, or the user's cache folder."""
    named = environment.get("DARKROOM_CACHE")
    return Cache(Path(named or platformdirs.user_cache_dir("darkroom")).expanduser().resolve())
