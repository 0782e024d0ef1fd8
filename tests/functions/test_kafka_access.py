"""How the job and the operator's tool get into Kafka: what goes together, and that no password is held."""

import os
from pathlib import Path

import pytest
import trustme

from darkroom.errors import UsageError
from darkroom.kafka_access import client_options
from darkroom.kafka_refusals import refusal_in
from jobs.settings import Settings, SettingsError, read_settings

PASSWORD = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def least(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DARKROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DARKROOM_KAFKA_BOOTSTRAP", "kafka:9093")
    monkeypatch.setenv("DARKROOM_S3_ENDPOINT", "https://minio:9000")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "password").write_text(PASSWORD)
    return {"KAFKA_CA_FILE": str(tmp_path / "ca.pem"), "KAFKA_PASSWORD_FILE": str(tmp_path / "password")}


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"DARKROOM_{name}", value)
    return read_settings()


def problems(error: pytest.ExceptionInfo[Exception]) -> list[str]:
    return str(error.value).split("\n  - ")[1:]


def test_plaintext_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).java_properties() == {}


def test_tls_trusts_the_authorities_of_the_file(monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> None:
    settings = read(monkeypatch, KAFKA_SECURITY="tls", KAFKA_CA_FILE=files["KAFKA_CA_FILE"])
    assert settings.java_properties() == {
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": files["KAFKA_CA_FILE"],
    }


def test_without_a_file_the_machine_s_own_authorities_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, KAFKA_SECURITY="tls").java_properties() == {"security.protocol": "SSL"}


def test_the_password_is_a_reference_in_the_job_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], tmp_path: Path
) -> None:
    settings = read(monkeypatch, KAFKA_SECURITY="sasl-tls", KAFKA_USER="job", **files)
    properties = settings.java_properties()
    assert properties["security.protocol"] == "SASL_SSL"
    assert properties["sasl.jaas.config"].endswith(
        f'ScramLoginModule required username="job" password="${{directory:{tmp_path}:password}}";'
    )
    assert properties["config.providers.directory.param.allowed.paths"] == str(tmp_path)
    assert PASSWORD not in repr(settings) + str(settings.model_dump()) + str(properties)


def test_the_operator_s_client_logs_in_with_the_password(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    read(monkeypatch, KAFKA_SECURITY="sasl-tls", KAFKA_USER="operator", **files)
    assert client_options("a:1,b:2") == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "ssl_cafile": files["KAFKA_CA_FILE"],
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "operator",
        "sasl_plain_password": PASSWORD,
    }


def test_a_login_without_its_parts_is_told_with_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as error:
        read(monkeypatch, KAFKA_SECURITY="sasl-tls", STATUS_TOPIC="image-events", DEDUPE_HOURS="9999")
    assert [problem.split()[0] for problem in problems(error)] == [
        "DARKROOM_KAFKA_USER",
        "DARKROOM_KAFKA_PASSWORD_FILE",
        "DARKROOM_EVENTS_TOPIC,",
        "DARKROOM_DEDUPE_HOURS",
    ]


@pytest.mark.parametrize("security", ["plaintext", "tls"])
def test_a_login_that_is_not_used_is_told(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], security: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read(monkeypatch, KAFKA_SECURITY=security, KAFKA_USER="job", **files)
    named = [problem.split()[0] for problem in problems(error)]
    assert named[:2] == ["DARKROOM_KAFKA_USER", "DARKROOM_KAFKA_PASSWORD_FILE"]
    assert named[2:] == (["DARKROOM_KAFKA_CA_FILE"] if security == "plaintext" else [])


@pytest.mark.parametrize("content", ["", f"{PASSWORD}\n", f'{PASSWORD}"', f"{PASSWORD}\\", f"{PASSWORD}\x00", None])
def test_a_password_that_kafka_could_not_take_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "password").write_text(content)
    with pytest.raises(SettingsError, match="DARKROOM_KAFKA_PASSWORD_FILE is ") as error:
        read(monkeypatch, KAFKA_SECURITY="sasl-tls", KAFKA_USER="job", KAFKA_PASSWORD_FILE=str(tmp_path / "password"))
    assert PASSWORD not in str(error.value)
    assert "printf %s" in str(error.value) or content is None


@pytest.mark.parametrize("user", ["", 'a"b', "a\nb", "a\\"])
def test_a_user_that_could_leave_its_quotes_is_refused(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    with pytest.raises(SettingsError, match="DARKROOM_KAFKA_USER is "):
        read(monkeypatch, KAFKA_SECURITY="sasl-tls", KAFKA_USER=user)


@pytest.mark.parametrize("variable", ["KAFKA_CA_FILE", "S3_CA_FILE"])
@pytest.mark.parametrize("content", [b"no certificate", None])
def test_authorities_that_cannot_be_read_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(SettingsError, match=f"DARKROOM_{variable} is .*no certificate in PEM format"):
        read(monkeypatch, KAFKA_SECURITY="tls", **{variable: str(tmp_path / "ca.pem")})


@pytest.mark.parametrize("path", ["relative", "/a b", "/a:b", "/a}b", "/$a"])
def test_a_path_that_no_reference_can_name_is_refused(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with pytest.raises(SettingsError, match="give an absolute path"):
        read(monkeypatch, KAFKA_SECURITY="sasl-tls", KAFKA_USER="job", KAFKA_PASSWORD_FILE=path)


def test_the_operator_is_told_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_KAFKA_SECURITY", "sasl-tls")
    with pytest.raises(UsageError) as error:
        client_options("kafka:9093")
    assert [problem.split()[0] for problem in problems(error)] == [
        "DARKROOM_KAFKA_USER",
        "DARKROOM_KAFKA_PASSWORD_FILE",
    ]


@pytest.mark.parametrize(
    ("said", "variable"),
    [
        ("[Error 58] SaslAuthenticationFailedError: invalid credentials", "DARKROOM_KAFKA_PASSWORD_FILE"),
        ("Caused by: org.apache.kafka.common.errors.SslAuthenticationException: SSLHandshakeException", "CA_FILE"),
        ("InvalidReceiveError: Invalid frame length: 352518912", "DARKROOM_KAFKA_SECURITY"),
        ("org.apache.kafka.common.errors.TransactionalIdAuthorizationException: denied", "ACLs"),
    ],
)
def test_a_refusal_is_told_with_its_remedy(said: str, variable: str) -> None:
    assert variable in (refusal_in(said) or "")


def test_another_trouble_is_no_refusal() -> None:
    assert refusal_in("KafkaConnectionError: socket disconnected") is None
