import os
from pathlib import Path

import pytest
from rich.console import Console

from darkroom.stack import pins
from darkroom.stack.fetch import fetch_flink
from darkroom.stack.layout import cache_from
from darkroom.stack.progress import Reporter


@pytest.fixture(scope="session")
def kafka_connector() -> Path:
    """The connector's jar in the local stack's Flink home, which is assembled when it is not there yet."""
    cache = cache_from(os.environ)
    if not cache.flink.exists():
        fetch_flink(cache, Reporter(Console(stderr=True)))
    return cache.flink / "lib" / f"flink-sql-connector-kafka-{pins.CONNECTOR}.jar"
