"""What the brokers allow, asked before the job depends on it."""

from kafka.admin import ConfigFilterType, ConfigResource, ConfigResourceType, KafkaAdminClient

from darkroom.kafka import CONNECT_TIMEOUT_MS, kafka_errors
from darkroom.kafka_access import client_options

LIMIT = "transaction.max.timeout.ms"


def transaction_limit_s(bootstrap: str) -> int:
    """Return the longest transaction timeout, in seconds, that every broker allows; OperatorError if none answers."""
    with kafka_errors(bootstrap):
        admin = KafkaAdminClient(**client_options(bootstrap), request_timeout_ms=CONNECT_TIMEOUT_MS)
        try:
            described = admin.describe_cluster()["brokers"]
            brokers = [str(broker.get("broker_id", broker.get("node_id"))) for broker in described]  # old: node_id
            resources = [ConfigResource(ConfigResourceType.BROKER, broker) for broker in brokers]
            found = admin.describe_configs(resources, config_filter=ConfigFilterType.ALL)
        finally:
            admin.close()
    return min(int(found["broker"][broker][LIMIT]["value"]) for broker in brokers) // 1000
