"""Creates the topics and buckets that do not exist yet, on the Kafka and the store that the environment names."""

import os
import sys
from collections.abc import Mapping

from darkroom.errors import OperatorError
from darkroom.stack.broker import make_topics
from darkroom.stack.layout import cache_from, home_from
from darkroom.stack.plan import Options, plan_stack
from darkroom.stack.store import make_buckets


def prepare(environment: Mapping[str, str]) -> None:
    """Make a Kafka and a store ready for the job, as `darkroom up` does."""
    record = plan_stack(home_from(environment), cache_from(environment), Options(), environment)
    make_topics(record)
    make_buckets(record)


if __name__ == "__main__":
    try:
        prepare(os.environ)
    except OperatorError as error:
        sys.exit(f"prepare: {error}")
