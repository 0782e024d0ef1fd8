import os
import re
import stat
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from darkroom.stack import pins
from darkroom.stack.broker import SERVER_PROPERTIES

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE = YAML(typ="safe").load(COMPOSE_TEXT)
SERVICES = COMPOSE["services"]
ONE_SHOT = {"init", "submit"}
IMAGE_STAGES = {"darkroom", "minio"}
# Read as text: importing them would start Flink's and Kafka's packages in a layer that needs neither.
[JOB_NAME] = re.findall(r'^JOB_NAME = "(.+)"$', (ROOT / "jobs/derivatives.py").read_text("utf-8"), re.MULTILINE)
SETTING = re.compile(r"^([a-z][\w.-]*): ", re.MULTILINE)


def flink_properties() -> str:
    return SERVICES["taskmanager"]["environment"]["FLINK_PROPERTIES"]


def final_stage(name: str) -> str:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
    [stage] = [stage for stage in stages if stage.splitlines()[0].endswith(f" AS {name}")]
    return stage


def test_the_file_fits_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, ROOT / "docker-compose.yml"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_bound_to_this_machine_only(name):
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_limited_and_looked_after(name):
    service = SERVICES[name]
    assert service["init"] is True
    assert service["mem_limit"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")
    assert ("healthcheck" in service) == (name not in ONE_SHOT)


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_waits_for_what_cannot_happen(name):
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert wait["condition"] == expected, other


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_files_and_never_from_the_environment(name):
    service = SERVICES[name]
    for variable, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|ROOT_USER|CREDENTIALS", variable):
            assert variable.endswith("_FILE")
            assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert "s3.access-key" not in str(service)


def test_every_secret_is_a_file_that_is_neither_committed_nor_copied_into_an_image():
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    assert all(secret["file"].startswith("docker/secrets/") for secret in COMPOSE["secrets"].values())
    assert (ROOT / "docker/.gitignore").read_text() == "secrets/\n"
    assert "docker/secrets" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_secrets_are_made_once_and_are_those_the_file_names(tmp_path):
    script = tmp_path / "make-secrets.sh"
    script.write_bytes((ROOT / "docker/make-secrets.sh").read_bytes())
    subprocess.run(["sh", script], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(made) == {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert len(made["minio-root-password"]) == 48
    assert f"aws_secret_access_key = {made['minio-root-password']}\n" in made["aws-credentials"]
    assert f"aws_access_key_id = {made['minio-root-user']}\n" in made["aws-credentials"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    told = subprocess.run(["sh", script], check=True, capture_output=True)
    assert made["minio-root-password"].encode() not in told.stdout
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


def test_the_versions_are_those_of_the_local_stack():
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{pins.KAFKA}"
    assert f"ARG MINIO={pins.MINIO}\n" in DOCKERFILE
    assert f'go install "{pins.MINIO_MODULE}@${{MINIO}}"' in DOCKERFILE
    assert f"openjdk-{pins.JAVA_MINIMUM}-jdk-headless" in final_stage("darkroom")
    [go] = re.findall(r"^FROM golang:(\d+)\.(\d+)-", DOCKERFILE, re.MULTILINE)
    assert tuple(map(int, go)) >= pins.GO_MINIMUM


def test_no_pin_of_another_file_is_repeated():
    assert not any(pin in DOCKERFILE + COMPOSE_TEXT for pin in (pins.FLINK, pins.CONNECTOR))
    packages = [re.split(r"[=<>!;\[ ]", requirement)[0] for requirement in requires("darkroom") or []]
    assert not re.search(rf"\b({'|'.join(map(re.escape, packages))})[=<>]", DOCKERFILE)


def test_every_image_is_built_here_or_pinned():
    for service in SERVICES.values():
        if "build" in service:
            assert service["build"]["target"] in IMAGE_STAGES
        else:
            assert re.search(r":\d+\.\d+\.\d+$", service["image"])


@pytest.mark.parametrize("stage", sorted(IMAGE_STAGES))
def test_an_image_ends_as_a_user_without_rights(stage):
    assert re.findall(r"^USER (\S+)$", final_stage(stage), re.MULTILINE) == ["10001"]


def test_what_the_dockerfile_copies_exists_and_reaches_the_build():
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / path).exists() for path in allowed)
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
        if source != "."
    ]
    assert copied
    assert {Path(path).parts[0] for path in copied} <= allowed
    assert all((ROOT / path).exists() for path in copied)


def test_the_dependencies_install_from_what_is_copied_before_the_code(tmp_path):
    before_the_code = DOCKERFILE.split("pip install .")[0]
    for line in re.findall(r"^COPY (?!--from)(.+)$", before_the_code, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copy = tmp_path / target / Path(source).name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes((ROOT / source).read_bytes())
    command = [sys.executable, "setup.py", "--version"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def test_kafka_has_the_settings_of_the_local_broker():
    local = dict(re.findall(r"^([a-z.]+)=([^{}\n]+)$", SERVER_PROPERTIES, re.MULTILINE))
    here = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in SERVICES["kafka"]["environment"].items()
        if name not in ("CLUSTER_ID", "KAFKA_HEAP_OPTS")
    }
    assert set(local) <= set(here)
    assert {name: here[name] for name in local if "listener" not in name} == {
        name: value for name, value in local.items() if "listener" not in name
    }


def test_no_flink_setting_is_in_both_files():
    application = set(SETTING.findall((ROOT / "flink-conf/config.yaml").read_text("utf-8")))
    here = SETTING.findall(flink_properties())
    assert len(set(here)) == len(here)
    assert not application & set(here)


def test_every_part_of_flink_has_the_same_configuration():
    parts = [SERVICES[name]["environment"] for name in ("jobmanager", "taskmanager", "init", "submit")]
    assert all(part == parts[0] for part in parts)


def test_the_entrypoint_appends_the_addresses_to_the_applications_configuration(tmp_path):
    conf = tmp_path / "conf"
    environment = {**os.environ, "FLINK_CONF_DIR": str(conf), "FLINK_PROPERTIES": flink_properties()}
    for _ in range(2):  # a restarted container runs it again
        command = ["sh", ROOT / "docker/entrypoint.sh", "cat", conf / "config.yaml"]
        told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    effective = YAML(typ="safe").load(told.stdout)  # refuses a name that is there twice
    assert effective["rest.address"] == "jobmanager"
    assert effective["execution.checkpointing.mode"] == "EXACTLY_ONCE"
    assert (conf / "log4j-console.properties").is_file()


@pytest.mark.parametrize(("part", "script"), [("jobmanager", "jobmanager.sh"), ("taskmanager", "taskmanager.sh")])
def test_the_entrypoint_becomes_a_part_of_flink(tmp_path, part, script):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / script).write_text('#!/bin/sh\necho "$0 $@"\n')
    (tmp_path / "bin" / script).chmod(0o755)
    environment = {**os.environ, "FLINK_CONF_DIR": str(tmp_path / "conf"), "FLINK_HOME": str(tmp_path)}
    command = ["sh", ROOT / "docker/entrypoint.sh", part]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert told.stdout == f"{tmp_path}/bin/{script} start-foreground\n"


def test_a_second_submission_is_none():
    assert f'*"{JOB_NAME}"*)' in (ROOT / "docker/submit.sh").read_text("utf-8")


@pytest.mark.parametrize(
    ("listed", "submitted"),
    [(f"01.01.2026 : 0a1b : {JOB_NAME} (RESTARTING)", False), ("No running jobs.", True)],
)
def test_submit_leaves_a_running_job_alone(tmp_path, listed, submitted):
    for name, words in (("flink", listed), ("darkroom", "darkroom was called")):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho "{words}"\n')
        program.chmod(0o755)
    environment = {"FLINK_HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    command = ["sh", ROOT / "docker/submit.sh"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert ("darkroom was called" in told.stdout) is submitted


def test_submit_fails_when_flink_cannot_be_asked(tmp_path):
    environment = {"FLINK_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert subprocess.run(["sh", ROOT / "docker/submit.sh"], env=environment, capture_output=True).returncode != 0
