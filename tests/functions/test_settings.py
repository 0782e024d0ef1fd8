import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.cluster_limits import ClusterLimits
from jobs.settings import DEFAULT_PRESETS, Settings, SettingsError, read_settings
from tests.builders import PRESETS, a_picture

LEAST = {"KAFKA_BOOTSTRAP": "kafka:9092", "S3_ENDPOINT": "http://minio:9000"}
LIMITS = ClusterLimits(checkpoint_interval_ms=10_000, checkpoint_timeout_ms=300_000, restart_max_backoff_ms=120_000)
SECRET = "hunter2-hunter2"

Reader = Callable[..., Settings]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("DARKROOM_"):
            monkeypatch.delenv(name)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Read the settings from the least environment and what a test sets."""

    def reading(**variables: object) -> Settings:
        for name, value in {**LEAST, **variables}.items():
            monkeypatch.setenv(f"DARKROOM_{name}", str(value))
        return read_settings()

    return reading


def problems_of(error: pytest.ExceptionInfo[SettingsError]) -> list[str]:
    first, *problems = str(error.value).split("\n  - ")
    assert first == "the settings cannot be used:"
    return problems


def test_two_variables_are_enough(read: Reader) -> None:
    settings = read()
    assert (settings.events_topic, settings.status_topic) == ("image-events", "image-status")
    assert (settings.delivery, settings.presets_file) == ("exactly-once", DEFAULT_PRESETS)
    assert settings.memory.event_ms == 24 * 60 * 60 * 1000
    assert settings.memory.image_ms == 30 * 24 * 60 * 60 * 1000
    settings.check(LIMITS)


def test_what_is_missing_is_named_all_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        read_settings()
    assert problems_of(error) == [
        "DARKROOM_KAFKA_BOOTSTRAP is not set (host:port of the brokers)",
        "DARKROOM_S3_ENDPOINT is not set (URL of the object store, without credentials)",
    ]


WRONG = {
    "KAFKA_BOOTSTRAP": "kafka",
    "S3_ENDPOINT": "minio:9000",
    "EVENTS_TOPIC": "a topic",
    "DELIVERY": "maybe",
    "TRANSACTIONAL_ID_PREFIX": "",
    "TRANSACTION_TIMEOUT_S": "1h",
    "DERIVATIVES_BUCKET": "Not_A_Bucket",
    "DEDUPE_HOURS": "0",
    "IMAGE_MEMORY_DAYS": "-1",
    "MAX_SOURCE_BYTES": "64MB",
    "IMAGES_IN_FLIGHT": "100000",
    "RENDER_PROCESSES": "1.5",
    "STORAGE_PATIENCE_S": "",
}


@pytest.mark.parametrize(("name", "value"), WRONG.items())
def test_a_wrong_value_is_named_with_its_variable(read: Reader, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(**{name: value})
    (problem,) = problems_of(error)
    assert problem.startswith(f"DARKROOM_{name} is {value!r}: ")


def test_every_wrong_value_is_told_at_once(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as error:
        read(**WRONG, PRESETS_FILE=tmp_path / "none.yaml", SCHEMAS_DIR=tmp_path / "none")
    named = [problem.split()[0] for problem in problems_of(error)]
    assert sorted(named) == sorted(f"DARKROOM_{name}" for name in (*WRONG, "PRESETS_FILE", "SCHEMAS_DIR"))


def test_topics_must_differ(read: Reader) -> None:
    with pytest.raises(SettingsError) as error:
        read(STATUS_TOPIC="image-events")
    (problem,) = problems_of(error)
    assert problem == (
        "DARKROOM_EVENTS_TOPIC, DARKROOM_STATUS_TOPIC and DARKROOM_DEAD_LETTERS_TOPIC must differ: "
        "('image-events', 'image-events', 'image-dead-letters')"
    )


@pytest.mark.parametrize("seconds", [431, 3600])
def test_a_transaction_that_outlives_checkpoint_and_restart_is_accepted(read: Reader, seconds: int) -> None:
    read(TRANSACTION_TIMEOUT_S=seconds).check(LIMITS)


def test_what_contradicts_the_cluster_is_told_all_at_once_with_the_figures(read: Reader) -> None:
    with pytest.raises(SettingsError) as error:
        read(TRANSACTION_TIMEOUT_S=430, STORAGE_PATIENCE_S=300).check(LIMITS)
    transaction, patience = problems_of(error)
    assert transaction.startswith("DARKROOM_TRANSACTION_TIMEOUT_S is 430: ")
    assert "set it above 430, the sum of execution.checkpointing.interval" in transaction
    assert patience.startswith("DARKROOM_STORAGE_PATIENCE_S is 300: ")


def test_a_cluster_without_checkpoints_is_refused(read: Reader) -> None:
    with pytest.raises(SettingsError, match=r"execution\.checkpointing\.interval is not set"):
        read().check(ClusterLimits(0, 300_000, 120_000))


def test_at_least_once_needs_no_transaction_timeout(read: Reader) -> None:
    read(DELIVERY="at-least-once", TRANSACTION_TIMEOUT_S=1).check(LIMITS)


def test_amounts_that_contradict_each_other_are_refused(read: Reader) -> None:
    with pytest.raises(SettingsError, match="would break the budget"):
        read(MAX_SOURCE_BYTES=10, BYTES_IN_FLIGHT=9)


def test_an_event_is_not_remembered_longer_than_its_image(read: Reader) -> None:
    with pytest.raises(SettingsError, match="longer than its image"):
        read(DEDUPE_HOURS=25, IMAGE_MEMORY_DAYS=1)


def test_a_presets_file_with_faults_is_named_with_every_fault(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "presets.yaml"
    path.write_text(PRESETS.replace("width: 32", "width: 99999, colour: red").replace("name: strip", "name: thumb"))
    with pytest.raises(SettingsError) as error:
        read(PRESETS_FILE=path)
    problems = problems_of(error)
    assert all(problem.startswith(f"{path}, line ") for problem in problems)
    for words in ("99999", "colour", "used 2 times"):
        assert any(words in problem for problem in problems)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b""], ids=["missing", "no text", "empty"])
def test_a_presets_file_that_cannot_be_read_is_named(read: Reader, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "presets.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        SettingsError, match=r"DARKROOM_PRESETS_FILE is |presets\.yaml, line 1: not UTF-8|presets\.yaml: a mapping"
    ):
        read(PRESETS_FILE=path)


def test_a_folder_of_schemas_with_a_broken_file_is_named(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "event.avsc").write_text('{"type": "record"}')
    with pytest.raises(SettingsError, match=r"DARKROOM_SCHEMAS_DIR is .*event\.avsc is not an Avro schema"):
        read(SCHEMAS_DIR=tmp_path)


def test_the_presets_of_the_file_are_the_ones_developed_with(read: Reader, tmp_path: Path) -> None:
    path = tmp_path / "presets.yaml"
    path.write_text(PRESETS)
    assert read(PRESETS_FILE=path).develop.presets.default == ("thumb", "wide")


MARKED = PRESETS.replace("quality: 80}", "quality: 80, watermark: {image: marks/logo.png}}", 1)


def test_a_file_that_a_preset_names_is_read_from_beside_the_presets_file(read: Reader, tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks" / "logo.png").write_bytes(a_picture("PNG", (4, 4)))
    (tmp_path / "presets.yaml").write_text(MARKED)
    strip = read(PRESETS_FILE=tmp_path / "presets.yaml").develop.presets.choose(["wide"])[0]
    assert dict(strip.effects)["watermark"].image.data == a_picture("PNG", (4, 4))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("marks/none.png", "there is no such file in the folder of the presets file"),
        ("../logo.png", "name a file beside the presets file"),
    ],
)
def test_a_file_that_a_preset_names_and_no_one_may_read(read: Reader, tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "sub" / "marks").mkdir(parents=True)
    (tmp_path / "logo.png").write_bytes(a_picture("PNG", (4, 4)))
    path = tmp_path / "sub" / "presets.yaml"
    path.write_text(MARKED.replace("marks/logo.png", name))
    with pytest.raises(
        SettingsError, match=rf"line 6: presets\[1\]\.watermark\.image = '{name}': cannot be read: {why}"
    ):
        read(PRESETS_FILE=path)


def test_the_limits_set_are_the_limits_used(read: Reader) -> None:
    develop = read(MAX_SOURCE_BYTES=7, MAX_PIXELS=8, BYTES_IN_FLIGHT=9, RENDER_PROCESSES=3).develop
    assert (develop.limits.max_source_bytes, develop.limits.max_pixels) == (7, 8)
    assert (develop.bytes_in_flight, develop.render_processes) == (9, 3)


def test_settings_hold_no_secret(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "MINIO_SECRET_KEY", "DARKROOM_S3_SECRET_KEY", "DARKROOM_PASSWORD"):
        monkeypatch.setenv(name, SECRET)
    assert SECRET not in repr(read()) + str(read().model_dump()) + repr(read().develop)


def test_a_password_in_the_address_of_the_store_is_refused_and_not_repeated(read: Reader) -> None:
    with pytest.raises(SettingsError, match="DARKROOM_S3_ENDPOINT") as error:
        read(S3_ENDPOINT=f"http://darkroom:{SECRET}@minio:9000")
    assert SECRET not in str(error.value)


def test_settings_cannot_be_changed(read: Reader) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().delivery = "at-least-once"
