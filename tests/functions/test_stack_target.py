"""Where commands connect: the environment before the running stack before the defaults."""

from pathlib import Path

import pytest

from darkroom.stack import ports
from darkroom.stack.errors import StackError
from darkroom.stack.layout import UNIX_SOCKET_PATH_LIMIT_BYTES, Cache, Home
from darkroom.stack.plan import Options, differences, listening_ports, plan_stack
from darkroom.stack.record import StackRecord, read_record, write_record
from darkroom.target import job_environment, resolve_target


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def record(home: Home, tmp_path: Path) -> StackRecord:
    return plan_stack(home, Cache(tmp_path / "cache"), Options(kafka_port=19092, slots=3), {})


def test_without_a_stack_the_defaults_of_up_hold(home: Home) -> None:
    target = resolve_target({"DARKROOM_HOME": str(home.path)})

    assert (target.kafka_bootstrap, target.s3_endpoint) == ("127.0.0.1:9092", "http://127.0.0.1:9000")
    assert target.flink_url == "http://127.0.0.1:8081"
    assert target.credentials_file == home.credentials
    assert target.flink_home is None


def test_a_running_stack_wins_over_the_defaults(home: Home, record: StackRecord) -> None:
    write_record(home, record)

    target = resolve_target({"DARKROOM_HOME": str(home.path)})

    assert target.kafka_bootstrap == "127.0.0.1:19092"
    assert target.flink_conf_dir == home.flink_conf


def test_the_environment_wins_over_a_running_stack(home: Home, record: StackRecord) -> None:
    write_record(home, record)

    target = resolve_target(
        {
            "DARKROOM_HOME": str(home.path),
            "DARKROOM_KAFKA_BOOTSTRAP": "kafka:1",
            "DARKROOM_S3_ENDPOINT": "https://s3/",
            "DARKROOM_FLINK_URL": "http://flink:1",
            "DARKROOM_EVENTS_TOPIC": "mine",
            "AWS_SHARED_CREDENTIALS_FILE": "/secret/credentials",
        }
    )

    assert (target.kafka_bootstrap, target.s3_endpoint, target.flink_url) == ("kafka:1", "https://s3", "http://flink:1")
    assert target.credentials_file == Path("/secret/credentials")
    assert (target.s3_console_url, target.flink_home, target.flink_conf_dir) == (None, None, None)
    assert target.topics.names() == ("mine", "image-status", "image-dead-letters")


def test_a_foreign_credentials_file_does_not_replace_the_local_store_s_own(home: Home, record: StackRecord) -> None:
    write_record(home, record)

    target = resolve_target({"DARKROOM_HOME": str(home.path), "AWS_SHARED_CREDENTIALS_FILE": "/foreign"})

    assert target.credentials_file == home.credentials


def test_the_job_s_environment_leads_back_to_the_same_target(home: Home, record: StackRecord) -> None:
    write_record(home, record)
    target = resolve_target({"DARKROOM_HOME": str(home.path)})

    assert resolve_target({"DARKROOM_HOME": str(home.path), **job_environment(target)}) == target


def test_an_external_part_has_no_port_here(home: Home) -> None:
    external = {"DARKROOM_KAFKA_BOOTSTRAP": "kafka:1"}

    record = plan_stack(home, Cache(home.path), Options(), external)

    assert record.parts == ("minio", "jobmanager", "taskmanager")
    assert set(listening_ports(record)) == {"s3", "s3-console", "flink"}


def test_no_internal_port_is_a_public_one_that_is_not_bound_yet(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(range(20_000, 20_100))
    monkeypatch.setattr(ports.random, "choice", lambda _: next(drawn))
    monkeypatch.setattr(ports, "is_free", lambda _: True)

    record = plan_stack(home, Cache(home.path), Options(20_000, 20_001, 20_002, 20_003), {})

    assert set(listening_ports(record).values()) == {20_000, 20_001, 20_002, 20_003}
    assert list(record.internal_ports.values()) == list(range(20_004, 20_004 + len(record.internal_ports)))


def test_asking_a_running_stack_for_something_else_is_told(record: StackRecord) -> None:
    asked = Options(kafka_port=19092, s3_port=1, slots=2)

    problems = differences(record, asked, {"DARKROOM_FLINK_URL": "http://flink:1"})

    assert [problem.split("=")[0] for problem in problems] == ["--s3-port", "--slots", "DARKROOM_FLINK_URL"]


def test_asking_a_running_stack_for_nothing_special_is_no_difference(record: StackRecord) -> None:
    assert differences(record, Options(), {}) == []


def test_a_record_of_another_version_is_told_with_the_remedy(home: Home) -> None:
    home.record.write_text('{"something": "else"}')

    with pytest.raises(StackError, match="run `darkroom down`, then `darkroom up`"):
        read_record(home)


def test_a_long_home_still_has_a_socket_that_fits() -> None:
    deep = Home(Path("/" + "x" * 300))

    assert len(str(deep.socket)) <= UNIX_SOCKET_PATH_LIMIT_BYTES
    assert deep.socket != Home(Path("/" + "y" * 300)).socket
