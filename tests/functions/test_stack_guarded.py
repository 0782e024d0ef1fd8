"""The optional parts, ZooKeeper and Toxiproxy: what the plan, the configurations and the checks make of their flags."""

import configparser
import io
import json
from pathlib import Path

import pytest
from kafka.admin import NewTopic
from kafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError
from minio.error import S3Error
from rich.console import Console

from darkroom.stack import broker, lifecycle, pins
from darkroom.stack.broker import prepare_broker
from darkroom.stack.cluster import local_settings
from darkroom.stack.coordination import coordination_program, coordination_settings, prepare_coordination
from darkroom.stack.errors import StackError, UnhealthyError
from darkroom.stack.fetch import fetch_toxiproxy, fetch_zookeeper, find_toxiproxy
from darkroom.stack.inspection import PartStatus, parts_of
from darkroom.stack.layout import Cache, Home
from darkroom.stack.plan import Options, differences, plan_stack
from darkroom.stack.preflight import fetch_problems, find_problems
from darkroom.stack.program import Program
from darkroom.stack.progress import Reporter
from darkroom.stack.proxy import prepare_proxy, proxy_program
from darkroom.stack.record import StackRecord, write_record
from darkroom.stack.supervision import write_configuration
from darkroom.target import job_environment, resolve_target, target_of

BOTH = Options(high_availability=True, proxied=True)
SLOW = "does not answer (KafkaTimeoutError)"


class FakeAdmin:
    """Kafka's admin client; `fails` holds an error or None for each time that it is asked."""

    def __init__(self, fails: list[Exception | None]) -> None:
        self.fails = fails
        self.topics: list[str] = []

    def __call__(self, **_: object) -> "FakeAdmin":
        return self

    def list_topics(self) -> list[str]:
        if (error := self.fails.pop(0)) is not None:
            raise error
        return self.topics

    def create_topics(self, topics: list[NewTopic], wait_for_metadata: bool) -> None:
        self.topics = self.topics + [topic.name for topic in topics]

    def close(self) -> None:
        pass


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def guarded(home: Home, cache: Cache) -> StackRecord:
    return plan_stack(home, cache, BOTH, {})


@pytest.fixture
def plain(home: Home, cache: Cache) -> StackRecord:
    return plan_stack(home, cache, Options(), {})


def script(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_without_flags_there_is_nothing_of_them(plain: StackRecord, home: Home) -> None:
    assert parts_of(plain) == ["minio", "kafka", "jobmanager", "taskmanager"]
    assert (plain.proxies, plain.toxiproxy_url, plain.zookeeper_home) == ({}, None, None)
    assert not [name for name in local_settings(plain, home) if name.startswith("high-availability")]


def test_parts_come_after_those_that_they_need(guarded: StackRecord) -> None:
    assert parts_of(guarded) == ["minio", "kafka", "zookeeper", "toxiproxy", "jobmanager", "taskmanager"]
    assert set(guarded.parts) == set(parts_of(guarded))


def test_flink_finds_its_leader_through_zookeeper(guarded: StackRecord, home: Home) -> None:
    settings = local_settings(guarded, home)

    assert settings["high-availability.type"] == "zookeeper"
    assert settings["high-availability.zookeeper.quorum"] == f"127.0.0.1:{guarded.internal_ports['zookeeper']}"
    assert settings["high-availability.jobmanager.port"] == settings["jobmanager.rpc.port"]
    assert settings["high-availability.storageDir"] == "s3://flink/high-availability"
    assert coordination_settings(guarded).items() <= settings.items()


def test_zookeeper_listens_on_loopback_alone_and_forgets_the_stack_before(guarded: StackRecord, home: Home) -> None:
    earlier = home.data / "zookeeper" / "version-2"
    earlier.mkdir(parents=True)

    prepare_coordination(guarded, home)

    lines = (home.run / "zookeeper.properties").read_text().splitlines()
    assert {"clientPortAddress=127.0.0.1", "admin.enableServer=false", f"dataDir={earlier.parent}"} <= set(lines)
    assert earlier.parent.is_dir()
    assert not earlier.exists()
    assert coordination_program(guarded, home, Path("/java")).command[:3] == (
        "/java",
        "-cp",
        f"{guarded.zookeeper_home}/*",
    )


def test_the_job_and_flink_connect_through_the_proxies_and_the_operator_directly(
    guarded: StackRecord, home: Home
) -> None:
    target = target_of(guarded)
    given = job_environment(target)

    assert given["DARKROOM_KAFKA_BOOTSTRAP"] == guarded.proxies["kafka"]
    assert given["DARKROOM_S3_ENDPOINT"] == f"http://{guarded.proxies['s3']}"
    assert local_settings(guarded, home)["s3.endpoint"] == given["DARKROOM_S3_ENDPOINT"]
    assert (target.kafka_bootstrap, target.s3_endpoint) == (guarded.kafka_bootstrap, guarded.s3_endpoint)
    assert len({guarded.kafka_bootstrap, guarded.s3_endpoint.removeprefix("http://"), *guarded.proxies.values()}) == 4


def test_proxies_do_not_stand_before_a_part_that_the_environment_names(guarded: StackRecord, home: Home) -> None:
    home.path.mkdir()
    write_record(home, guarded)

    other = resolve_target({"DARKROOM_HOME": str(home.path), "DARKROOM_KAFKA_BOOTSTRAP": "kafka:1"})

    assert job_environment(other)["DARKROOM_KAFKA_BOOTSTRAP"] == "kafka:1"
    assert job_environment(resolve_target({"DARKROOM_HOME": str(home.path)})) == job_environment(target_of(guarded))


def test_the_broker_s_metadata_leads_back_through_the_proxy(
    guarded: StackRecord, plain: StackRecord, home: Home, tmp_path: Path
) -> None:
    java = script(tmp_path, "java", "exit 0")
    listeners = {}
    for name, record in (("guarded", guarded), ("plain", plain)):
        prepare_broker(record, home, java)
        lines = (home.run / "kafka.properties").read_text().splitlines()
        listeners[name] = dict(line.split("=", 1) for line in lines if "listeners=" in line)

    behind = guarded.internal_ports["kafka-proxied"]
    assert f"PROXIED://127.0.0.1:{behind}" in listeners["guarded"]["listeners"].split(",")
    assert f"PROXIED://{guarded.proxies['kafka']}" in listeners["guarded"]["advertised.listeners"].split(",")
    assert "PROXIED" not in str(listeners["plain"])


def test_every_start_of_toxiproxy_makes_both_proxies(guarded: StackRecord, home: Home) -> None:
    prepare_proxy(guarded, home)

    command = proxy_program(guarded, home, Path("/toxiproxy-server")).command
    configured = json.loads(Path(command[command.index("-config") + 1]).read_text())
    assert {(proxy["name"], proxy["listen"], proxy["upstream"]) for proxy in configured} == {
        ("kafka", guarded.proxies["kafka"], f"127.0.0.1:{guarded.internal_ports['kafka-proxied']}"),
        ("s3", guarded.proxies["s3"], guarded.s3_endpoint.removeprefix("http://")),
    }
    assert all(proxy["enabled"] for proxy in configured)


def test_a_flag_that_the_running_stack_lacks_is_told_and_one_not_given_is_not(
    guarded: StackRecord, plain: StackRecord
) -> None:
    assert [problem.split(" ")[0] for problem in differences(plain, BOTH, {})] == ["--high-availability", "--proxied"]
    assert differences(guarded, BOTH, {}) == []
    assert differences(guarded, Options(), {}) == []


def test_a_flag_for_parts_that_run_elsewhere_is_refused(home: Home, cache: Cache, tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "DARKROOM_FLINK_URL": "http://flink:1"}

    problems = find_problems(plan_stack(home, cache, BOTH, environment), home, cache, environment)

    assert problems[0] == "--high-availability is for a Flink that runs here: unset DARKROOM_FLINK_URL."
    assert problems[1].startswith("--proxied is for parts that run here: unset DARKROOM_KAFKA_BOOTSTRAP")


def test_the_tools_of_missing_parts_are_asked_for_once_needed(
    guarded: StackRecord, plain: StackRecord, cache: Cache, tmp_path: Path
) -> None:
    for folder in (cache.kafka, cache.flink, cache.minio):
        folder.mkdir(parents=True)
    (cache.minio / "minio").touch()
    nothing = {"PATH": str(tmp_path)}

    assert fetch_problems(plain, cache, nothing) == []
    assert [problem.split(", once")[0] for problem in fetch_problems(guarded, cache, nothing)] == [
        "Maven is needed to fetch Kafka and Flink's connectors",
        "Go is needed to build Toxiproxy",
    ]


def test_the_parts_are_fetched_at_their_pinned_versions(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "tools", "mvn", 'echo "$@"')
    script(tmp_path / "tools", "go", 'echo "$@"; touch "$GOBIN/server"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}:/usr/bin:/bin")
    reporter = Reporter(Console(file=io.StringIO()))

    fetch_zookeeper(cache, reporter)
    assert find_toxiproxy(cache) is None
    fetch_toxiproxy(cache, reporter)

    told = (cache.logs / "maven-zookeeper-pom.log").read_text()
    assert "--strict-checksums" in told
    assert f"-Dzookeeper.version={pins.ZOOKEEPER}" in told
    module = f"{pins.TOXIPROXY_MODULE}@{pins.TOXIPROXY}"
    assert (cache.logs / "go-toxiproxy.log").read_text() == f"install {module}\n"
    assert find_toxiproxy(cache) == cache.toxiproxy / "toxiproxy-server"


def test_a_toxiproxy_on_the_path_is_used_instead(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    assert find_toxiproxy(cache) is None
    assert script(tmp_path, "toxiproxy-server", "true") == find_toxiproxy(cache)


def test_supervisord_never_gives_a_part_up(home: Home) -> None:
    write_configuration(home, [Program("kafka", ("/bin/true",), 1)])

    parser = configparser.RawConfigParser()
    parser.read(home.supervisor_conf)
    assert parser.getint("program:kafka", "startretries") >= 100_000
    assert parser.getint("program:kafka", "startsecs") <= 1


def test_up_gives_up_on_a_part_that_dies_at_every_start(
    home: Home, plain: StackRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = iter(range(1, 100))

    def dying(*_: object) -> PartStatus:
        return PartStatus("kafka", "starting", next(pids), "127.0.0.1:1", 0, "does not answer")

    monkeypatch.setattr(lifecycle, "inspect_part", dying)
    monkeypatch.setattr(lifecycle, "POLL_SECONDS", 0.0)

    with pytest.raises(UnhealthyError, match=r"Kafka does not answer \(process starting, 9 starts seen\)"):
        lifecycle._wait_until_healthy("kafka", plain, home)


def test_a_store_that_only_just_answers_is_asked_again(plain: StackRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Exception | None] = [TimeoutError("slow"), None]

    def make(_: StackRecord) -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    monkeypatch.setitem(lifecycle.PROVISION, "minio", make)  # type: ignore[arg-type]  # it names its argument otherwise
    lifecycle._provision("minio", plain)
    assert answers == []

    answers.append(S3Error(None, "AccessDenied", "Access denied.", "/flink", "1", "1"))  # type: ignore[arg-type]  # no response is read
    with pytest.raises(StackError, match=r"MinIO answers, but .* could not be made: .*AccessDenied"):
        lifecycle._provision("minio", plain)


def test_a_kafka_that_is_late_is_asked_again_and_one_that_refuses_is_not(
    plain: StackRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = FakeAdmin([KafkaTimeoutError("late"), None])
    monkeypatch.setattr(broker, "KafkaAdminClient", admin)
    monkeypatch.setattr(lifecycle, "POLL_SECONDS", 0.0)
    lifecycle._provision("kafka", plain)
    assert sorted(admin.topics) == sorted(plain.topics.names())

    admin.fails = [TopicAuthorizationFailedError("no"), None]
    with pytest.raises(StackError, match=r"topics could not be created on .*TopicAuthorizationFailedError"):
        lifecycle._provision("kafka", plain)
    assert admin.fails == [None]


def test_a_kafka_that_stays_late_is_told_with_its_last_error(
    plain: StackRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "KafkaAdminClient", FakeAdmin([KafkaTimeoutError("late")]))
    monkeypatch.setattr(lifecycle, "ANSWER_SECONDS", -1.0)
    with pytest.raises(UnhealthyError, match=r"topics could not be created on .*KafkaTimeoutError: late"):
        lifecycle._provision("kafka", plain)


@pytest.mark.parametrize("limit_s", [60.0, -1.0])
def test_a_part_elsewhere_is_asked_until_the_limit(
    home: Home, cache: Cache, monkeypatch: pytest.MonkeyPatch, limit_s: float
) -> None:
    record = plan_stack(home, cache, Options(), {"DARKROOM_KAFKA_BOOTSTRAP": "kafka:9092"})
    problems = [SLOW, None]

    def look(*_: object) -> PartStatus:
        return PartStatus("kafka", "external", None, "kafka:9092", None, problems.pop(0))

    monkeypatch.setattr(lifecycle, "inspect_part", look)
    monkeypatch.setattr(lifecycle, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(lifecycle, "ANSWER_SECONDS", limit_s)
    if limit_s > 0:
        lifecycle._wait_until_healthy("kafka", record, home)
        assert problems == []
        return
    with pytest.raises(UnhealthyError, match=r"Kafka at kafka:9092 does not answer \(KafkaTimeoutError\): start it"):
        lifecycle._wait_until_healthy("kafka", record, home)
