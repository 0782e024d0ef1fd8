"""The graph as Flink sees it: what is part of the savepoint format, and what people read in the web interface."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.util.java_utils import get_field_value

from jobs.cluster_limits import ClusterLimits
from jobs.derivatives import MAX_PARALLELISM, build, cluster_limits
from jobs.ends import KafkaEnds
from jobs.settings import Settings
from udfs.develop import Develop

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-hunter2"

OPERATORS = [
    ("events", "Source: read image-events"),
    ("decode", "decode the record"),
    ("key-by-user", "key by user"),
    ("admit", "admit the event"),
    ("develop", "develop the image"),
    ("settle", "settle the outcome"),
    ("settle-dead-letters", "take the dead letters"),
    ("statuses", "write image-status: Writer"),
    ("Sink Committer: statuses", "write image-status: Committer"),
    ("dead-letters", "write image-dead-letters: Writer"),
    ("Sink Committer: dead-letters", "write image-dead-letters: Committer"),
]
"""Uid and name of every operator. Part of the savepoint format: a uid that changes loses its state."""

AS_DEPLOYED = [
    ("events", "Source: read image-events"),
    ("decode", "decode the record, key by user"),
    ("admit", "admit the event"),
    ("develop", "develop the image"),
    ("settle", "settle the outcome"),
    ("settle-dead-letters", "take the dead letters"),
    *OPERATORS[-4:],
]
"""The same after PyFlink put Python operators into one process: the uid of the first stays."""


@dataclass(frozen=True)
class Operator:
    uid: str
    name: str
    description: str
    max_parallelism: int
    inputs: tuple[str, ...]  # how its events reach it: the names of Flink's partitioners


@dataclass(frozen=True)
class Graph:
    operators: list[Operator]
    deployed: list[Operator]
    sinks: dict[str, Any]
    plan: str


def elements(collection: Any) -> Iterator[Any]:
    iterator = collection.iterator()
    while iterator.hasNext():
        yield iterator.next()


def operators_of(stream_graph: Any) -> list[Operator]:
    nodes = sorted(elements(stream_graph.getStreamNodes()), key=lambda node: node.getId())
    return [
        Operator(
            n.getTransformationUID(),
            n.getOperatorName(),
            n.getOperatorDescription(),
            n.getMaxParallelism(),
            tuple(edge.getPartitioner().getClass().getSimpleName() for edge in elements(n.getInEdges())),
        )
        for n in nodes
    ]


def settings_with(**changes: Any) -> Settings:
    return Settings(kafka_bootstrap="kafka:9092", s3_endpoint="http://minio:9000", **changes)


def an_environment(connector: Path, **options: str) -> StreamExecutionEnvironment:
    configuration = Configuration()
    for key, value in {"pipeline.auto-generate-uids": "false", "python.executable": sys.executable, **options}.items():
        configuration.set_string(key, value)
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.add_jars(connector.as_uri())
    return env


def sinks_of(env: StreamExecutionEnvironment) -> dict[str, Any]:
    transformations = elements(env._j_stream_execution_environment.getTransformations())
    return {t.getUid(): t.getSink() for t in transformations if t.getClass().getSimpleName() == "SinkTransformation"}


def built(connector: Path, settings: Settings) -> Graph:
    env = an_environment(connector)
    build(env, KafkaEnds(settings), settings)
    operators = operators_of(env._j_stream_execution_environment.getStreamGraph(False))
    sinks = sinks_of(env)
    return Graph(operators, operators_of(env._generate_stream_graph(False)), sinks, env.get_execution_plan())


@pytest.fixture(scope="session")
def graph(kafka_connector: Path) -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_SECRET_ACCESS_KEY", "MINIO_SECRET_KEY", "DARKROOM_S3_SECRET_KEY"):
            patch.setenv(name, SECRET)
        return built(kafka_connector, settings_with())


def test_every_operator_has_the_uid_and_the_name_that_savepoints_know(graph: Graph) -> None:
    assert [(operator.uid, operator.name) for operator in graph.operators] == OPERATORS


def test_the_operators_as_deployed_keep_their_uids(graph: Graph) -> None:
    uids = {operator.uid: operator.name for operator in graph.deployed}
    assert uids == dict(AS_DEPLOYED)
    assert len(graph.deployed) == len(AS_DEPLOYED)


def test_develop_has_its_own_bundles_and_barriers_overtake_what_waits_for_it(graph: Graph) -> None:
    inputs = {operator.uid: operator.inputs for operator in graph.deployed}
    assert inputs["develop"] == inputs["admit"] == ("KeyGroupStreamPartitioner",)
    assert inputs["settle"] == ("ForwardPartitioner",)  # aligned: no checkpoint holds an outage that settle has to see


def test_each_step_has_bundles_of_its_own_size_as_far_as_the_environment_has_none(kafka_connector: Path) -> None:
    assert bundle_sizes(an_environment(kafka_connector)) == {"decode": 32, "admit": 32, "develop": 5, "settle": 32}
    option = {"python.fn-execution.bundle.size": "7"}
    assert set(bundle_sizes(an_environment(kafka_connector, **option)).values()) == {7}


def bundle_sizes(env: StreamExecutionEnvironment) -> dict[str, int]:
    settings = settings_with(images_in_flight=5)
    build(env, KafkaEnds(settings), settings)
    nodes = elements(env._generate_stream_graph(False).getStreamNodes())
    operators = {node.getTransformationUID(): node.getOperatorFactory() for node in nodes}
    return {
        uid: int(operators[uid].getOperator().getConfiguration().toMap()["python.fn-execution.bundle.size"])
        for uid in ("decode", "admit", "develop", "settle")
    }


def test_every_operator_is_described_in_other_words_than_its_name(graph: Graph) -> None:
    plain = [operator.name for operator in graph.operators if operator.description == operator.name]
    assert plain == [name for _, name in OPERATORS[-4:]]  # Flink describes the parts of a sink by their names


def test_the_number_of_key_groups_is_fixed_for_ever(graph: Graph) -> None:
    assert MAX_PARALLELISM == 4096
    assert {operator.max_parallelism for operator in [*graph.operators, *graph.deployed]} == {4096}


def test_both_sinks_are_exactly_once_with_transactions_of_their_own(graph: Graph) -> None:
    assert {uid: str(get_field_value(sink, "deliveryGuarantee")) for uid, sink in graph.sinks.items()} == {
        "statuses": "exactly-once",
        "dead-letters": "exactly-once",
    }
    assert {uid: get_field_value(sink, "transactionalIdPrefix") for uid, sink in graph.sinks.items()} == {
        "statuses": "darkroom-status",
        "dead-letters": "darkroom-dead-letters",
    }
    for sink in graph.sinks.values():
        assert get_field_value(sink, "kafkaProducerConfig").getProperty("transaction.timeout.ms") == "3600000"


def test_delivery_topics_and_prefix_are_those_of_the_settings(kafka_connector: Path) -> None:
    graph = built(
        kafka_connector,
        settings_with(delivery="at-least-once", events_topic="in", status_topic="out", transactional_id_prefix="blue"),
    )
    names = {operator.uid: operator.name for operator in graph.operators}
    assert (names["events"], names["statuses"]) == ("Source: read in", "write out: Writer")
    assert {str(get_field_value(sink, "deliveryGuarantee")) for sink in graph.sinks.values()} == {"at-least-once"}
    assert {get_field_value(sink, "transactionalIdPrefix") for sink in graph.sinks.values()} == {
        "blue-status",
        "blue-dead-letters",
    }


def test_the_plan_and_what_is_sent_to_the_workers_hold_no_secret(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SECRET not in graph.plan
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    settings = settings_with()
    sent = cloudpickle.dumps(Develop(KafkaEnds(settings).open_store, settings.develop, settings.writers))
    assert SECRET.encode() not in sent


def test_the_limits_are_read_from_the_cluster_s_own_configuration(kafka_connector: Path) -> None:
    assert cluster_limits(an_environment(kafka_connector)) == ClusterLimits(0, 600_000, 60_000)
    options = {
        "execution.checkpointing.interval": "30 s",
        "execution.checkpointing.timeout": "5 min",
        "restart-strategy.exponential-delay.max-backoff": "90 s",
    }
    assert cluster_limits(an_environment(kafka_connector, **options)) == ClusterLimits(30_000, 300_000, 90_000)


def test_the_map_fits_on_a_page() -> None:
    assert len((ROOT / "jobs" / "derivatives.py").read_text().splitlines()) < 150


def test_importing_the_job_starts_nothing() -> None:
    probe = (
        "import threading, psutil, jobs.derivatives, pyflink.java_gateway as gateway\n"
        "assert gateway._gateway is None\n"
        "assert psutil.Process().children() == []\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
    )
    ended = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_settings_that_cannot_be_used_end_the_job_before_it_is_submitted() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "jobs.derivatives"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "darkroom: the settings cannot be used:\n  - DARKROOM_KAFKA_BOOTSTRAP is not set" in ended.stderr
    assert "Traceback" not in ended.stderr
