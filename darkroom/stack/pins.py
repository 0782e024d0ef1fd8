"""The versions of everything the local stack fetches or builds: the one place to change them.

Flink itself is pinned in setup.py (`apache-flink`), because its distribution comes inside that package.
Maven checks every jar against its checksum (`-C`), Go checks the module against the public checksum database.
"""

from importlib.metadata import version
from typing import Final

FLINK: Final = version("apache-flink")
CONNECTOR: Final = "5.0.0-2.2"  # flink-sql-connector-kafka; built for Flink 2.2, there is none for 2.3, proven on 2.3.0
KAFKA: Final = "4.3.0"  # 4.4.0 does not resolve: one of its dependencies was never published
LOG4J: Final = "2.25.4"  # the same version that Kafka 4.3.0 brings log4j-core in
ZOOKEEPER: Final = "3.9.3"  # the newest of the line that Flink 2.3's client was built for
ZOOKEEPER_METRICS: Final = "4.1.12.1"  # the version that ZooKeeper 3.9.3 was built with
ZOOKEEPER_SNAPPY: Final = "1.1.10.5"  # the same
MAVEN_DEPENDENCY_PLUGIN: Final = "3.8.1"
MINIO_MODULE: Final = "github.com/minio/minio"
MINIO: Final = "v0.0.0-20260212201848-7aac2a2c5b7c"  # the last commit of the archived upstream
TOXIPROXY_MODULE: Final = "github.com/Shopify/toxiproxy/v2/cmd/server"
TOXIPROXY: Final = "v2.12.0"

JAVA_MINIMUM: Final = 17  # the Kafka 4 broker; Flink 2.3 runs on 17 and 21
GO_MINIMUM: Final = (1, 24)  # the MinIO module; Toxiproxy needs 1.23
