"""What `darkroom up` says before it starts anything; the fakes are real scripts, sockets and folders."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.stack.layout import Cache, Home
from darkroom.stack.plan import Options, plan_stack
from darkroom.stack.ports import choose_internal
from darkroom.stack.preflight import (
    address_problems,
    disk_problems,
    find_problems,
    java_problems,
    path_problems,
    port_problems,
)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def script(folder: Path, name: str, says: str) -> Path:
    """Write an executable that prints `says` to standard error, as `java -version` does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\necho '{says}'\n")
    path.chmod(0o755)
    return path


def filled_cache(folder: Path) -> Cache:
    cache = Cache(folder)
    for part in (cache.kafka, cache.flink, cache.minio):
        part.mkdir(parents=True)
    (cache.minio / "minio").touch()
    return cache


def test_a_taken_port_names_its_holder_and_both_remedies(taken_port: int) -> None:
    (problem,) = port_problems({"s3-console": taken_port})

    assert f"Port {taken_port} for MinIO's console is taken by" in problem
    assert f"(pid {os.getpid()})" in problem
    assert "--s3-console-port or DARKROOM_S3_CONSOLE_PORT" in problem


def test_a_free_port_is_no_problem() -> None:
    assert port_problems({"kafka": choose_internal(1)[0]}) == []


def test_a_port_just_closed_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()

    assert port_problems({"kafka": port}) == []


def test_one_port_for_two_parts_is_told() -> None:
    port = choose_internal(1)[0]

    (problem,) = port_problems({"kafka": port, "flink": port})

    assert problem == f"Port {port} is asked for 2 times (Kafka, Flink's web interface): give each its own."


def test_a_missing_jdk_is_told_with_the_remedy(tmp_path: Path) -> None:
    (problem,) = java_problems({"PATH": str(tmp_path)})

    assert problem.startswith("Kafka and Flink need Java 17 or newer, and there is none: install a JDK 17")
    assert "JAVA_HOME" in problem


@pytest.mark.parametrize(
    ("says", "major"), [('openjdk version "11.0.2" 2019-01-15', 11), ('java version "1.8.0_402"', 8)]
)
def test_an_old_jdk_is_told_with_its_version(tmp_path: Path, says: str, major: int) -> None:
    java = script(tmp_path, "java", says)

    (problem,) = java_problems({"PATH": str(tmp_path)})

    assert problem.startswith(f"{java} is Java {major}, and Kafka needs 17 or newer: ")


@pytest.mark.parametrize("says", ['openjdk version "17.0.15" 2025-04-15', 'openjdk version "21" 2023-09-19'])
def test_a_new_enough_jdk_is_no_problem(tmp_path: Path, says: str) -> None:
    script(tmp_path, "java", says)

    assert java_problems({"PATH": str(tmp_path)}) == []


def test_java_home_wins_over_the_path(tmp_path: Path) -> None:
    script(tmp_path / "new", "java", 'openjdk version "17.0.1"')
    old = script(tmp_path / "old" / "bin", "java", 'openjdk version "11.0.2"')

    (problem,) = java_problems({"PATH": str(tmp_path / "new"), "JAVA_HOME": str(tmp_path / "old")})

    assert str(old) in problem


def test_a_java_that_cannot_tell_its_version_is_told(tmp_path: Path) -> None:
    script(tmp_path, "java", "no such thing")

    (problem,) = java_problems({"PATH": str(tmp_path)})

    assert "does not tell its version" in problem


def test_too_little_disk_adds_up_what_shares_a_disk(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    two_thirds = free * 2 // 3

    assert disk_problems([(tmp_path / "not" / "there", two_thirds)]) == []
    (problem,) = disk_problems([(tmp_path / "a", two_thirds), (tmp_path / "b", two_thirds)])
    assert problem.startswith(f"The disk of {tmp_path} has ")
    assert "DARKROOM_HOME" in problem
    assert "DARKROOM_CACHE" in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARKROOM_KAFKA_BOOTSTRAP", "localhost"),
        ("DARKROOM_KAFKA_BOOTSTRAP", "a:9092,b"),
        ("DARKROOM_S3_ENDPOINT", "localhost:9000"),
        ("DARKROOM_FLINK_URL", "http://localhost:8081/#/overview"),
    ],
)
def test_an_impossible_address_is_told(name: str, value: str) -> None:
    (problem,) = address_problems({name: value})

    assert problem.startswith(f"{name}={value} is not ")


def test_possible_addresses_are_no_problem() -> None:
    addresses = {"DARKROOM_KAFKA_BOOTSTRAP": "a:9092,b:9092", "DARKROOM_S3_ENDPOINT": "https://s3.example.org/"}

    assert address_problems(addresses) == []


def test_a_folder_with_a_space_is_told_with_its_variable() -> None:
    (problem,) = path_problems({"DARKROOM_HOME": Path("/a b"), "DARKROOM_CACHE": Path("/home/jörg/.cache")})

    assert problem.startswith("/a b has a character")
    assert "set DARKROOM_HOME to" in problem


def test_all_problems_are_told_together(tmp_path: Path, taken_port: int) -> None:
    home, cache = Home(tmp_path / "home"), Cache(tmp_path / "cache")
    environment = {"PATH": str(tmp_path)}
    free = choose_internal(3)
    options = Options(kafka_port=taken_port, s3_port=free[0], s3_console_port=free[1], flink_port=free[2])

    problems = find_problems(plan_stack(home, cache, options, environment), home, cache, environment)

    first_words = [problem.split(" ")[0] for problem in problems]
    assert first_words == ["Port", "Kafka", "Maven", "Go"]
    assert not home.path.exists()
    assert not cache.path.exists()


def test_build_tools_are_not_asked_for_when_the_cache_is_filled(tmp_path: Path) -> None:
    home, cache = Home(tmp_path / "home"), filled_cache(tmp_path / "cache")
    script(tmp_path, "java", 'openjdk version "17.0.1"')
    environment = {"PATH": str(tmp_path)}
    ports = choose_internal(4)
    options = Options(kafka_port=ports[0], s3_port=ports[1], s3_console_port=ports[2], flink_port=ports[3])

    assert find_problems(plan_stack(home, cache, options, environment), home, cache, environment) == []


def test_an_old_go_is_told(tmp_path: Path) -> None:
    home, cache = Home(tmp_path / "home"), filled_cache(tmp_path / "cache")
    (cache.minio / "minio").unlink()
    script(tmp_path, "java", 'openjdk version "17.0.1"')
    script(tmp_path, "go", "go version go1.19.8 linux/amd64")
    ports = choose_internal(4)
    options = Options(kafka_port=ports[0], s3_port=ports[1], s3_console_port=ports[2], flink_port=ports[3])
    environment = {"PATH": str(tmp_path)}

    problems = find_problems(plan_stack(home, cache, options, environment), home, cache, environment)

    assert "go is too old to build MinIO (go version go1.19.8 linux/amd64): install Go 1.24" in problems[0]


def test_an_external_stack_needs_nothing_here_but_credentials(tmp_path: Path) -> None:
    home, cache = Home(tmp_path / "home"), Cache(tmp_path / "cache")
    environment = {
        "PATH": str(tmp_path),
        "DARKROOM_KAFKA_BOOTSTRAP": "kafka.example.org:9092",
        "DARKROOM_S3_ENDPOINT": "https://s3.example.org",
        "DARKROOM_FLINK_URL": "http://flink.example.org:8081",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }

    problems = find_problems(plan_stack(home, cache, Options(), environment), home, cache, environment)

    assert len(problems) == 1
    assert f"there are no credentials at {tmp_path / 'credentials'}" in problems[0]
