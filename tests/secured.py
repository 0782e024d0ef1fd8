"""A Kafka with TLS, SCRAM users and ACLs, and a MinIO with TLS: parts that `darkroom up` finds by their addresses.

The certificates are made by the test, the ACLs by the very commands of docs/security.md.
"""

import base64
import hashlib
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from darkroom.flink import FlinkRest, flink_home
from darkroom.stack.broker import SINGLE_BROKER_PROPERTIES
from darkroom.stack.fetch import find_minio
from darkroom.stack.grants import JOB_USER, grant_job
from darkroom.stack.layout import Cache, Home, cache_from
from darkroom.stack.ports import answers, choose_internal
from darkroom.stack.private import write_private
from darkroom.stack.record import read_record
from darkroom.target import resolve_target
from tests.live_stack import eventually

PAGE = Path(__file__).parents[1] / "docs" / "security.md"
ITERATIONS = 8192
LOGGING = Path(__file__).parents[1] / "darkroom" / "stack" / "kafka-log4j2.xml"

SERVER_PROPERTIES = (
    """\
process.roles=broker,controller
node.id=1
listeners=CLIENTS://127.0.0.1:{clients},INTERNAL://127.0.0.1:{internal},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLIENTS://127.0.0.1:{clients},INTERNAL://127.0.0.1:{internal}
listener.security.protocol.map=CLIENTS:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
inter.broker.listener.name=INTERNAL
listener.name.internal.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/$1/
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:admin
log.dirs={data}
"""
    + SINGLE_BROKER_PROPERTIES
)


@dataclass(slots=True)
class Secured:
    """The running parts, and the environments of the operator's commands."""

    folder: Path
    cache: Cache
    bootstrap: str
    s3_endpoint: str
    passwords: dict[str, str]
    s3_secrets: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    foreign_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def secret_files(self) -> list[Path]:
        """The only files that may hold a secret."""
        names = ["operator-credentials", "job-credentials", "root-password", "admin.properties"]
        names.append(f"minio/.minio.sys/config/iam/users/{JOB_USER}/identity.json/xl.meta")  # MinIO's own users
        return [*(self.password_file(user) for user in self.passwords), *(self.folder / name for name in names)]

    def password_file(self, user: str) -> Path:
        return self.folder / "passwords" / user

    @property
    def rest(self) -> FlinkRest:
        return FlinkRest(resolve_target(self.environment))

    def flink(self, *arguments: str) -> str:
        """Run one of Flink's own commands and return what it printed."""
        target = resolve_target(self.environment)
        done = subprocess.run(
            [str(flink_home(target) / "bin" / "flink"), *arguments],
            env={**self.environment, "FLINK_CONF_DIR": str(target.flink_conf_dir)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"flink {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def darkroom(
        self,
        *arguments: str,
        status: int = 0,
        limit_s: float = 300,
        environment: Mapping[str, str] | None = None,
        **changes: str,
    ) -> str:
        """Run an operator's command with changes of its environment; its exit status must be as said."""
        done = subprocess.run(
            [sys.executable, "-m", "darkroom", *arguments],
            env={**(environment or self.environment), **changes},
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
        assert done.returncode == status, f"darkroom {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def kafka(self, main_class: str, *arguments: str) -> str:
        """Run one of Kafka's own command-line tools."""
        logging = f"-Dlog4j2.configurationFile={LOGGING}"
        command = ["java", "-Xmx128m", "-cp", f"{self.cache.kafka}/*", logging, main_class, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, f"{main_class}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def acls(self, *arguments: str) -> str:
        """Run kafka-acls.sh as the administrator."""
        address = ("--bootstrap-server", self.bootstrap, "--command-config", str(self.folder / "admin.properties"))
        return self.kafka("org.apache.kafka.tools.AclCommand", *address, *arguments)


def documented_acls() -> Iterator[list[str]]:
    """Yield the arguments of each kafka-acls.sh command of the page, without where the brokers are."""
    for command in re.findall(r"^kafka-acls\.sh (.*?[^\\])$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        words = shlex.split(command.replace("\\\n", " "))
        yield words[words.index("admin.properties") + 1 :]


@contextmanager
def secured_parts(folder: Path) -> Iterator[Secured]:
    """Start Kafka and MinIO, bring up a stack beside them, and end everything."""
    clients, internal, controller, store, console, flink = choose_internal(6)
    users = ("admin", "operator", "job")
    secured = Secured(
        folder,
        cache_from(os.environ),
        f"127.0.0.1:{clients}",
        f"https://127.0.0.1:{store}",
        {user: secrets.token_urlsafe(24) for user in users},
        {"operator": secrets.token_urlsafe(24), "job": secrets.token_urlsafe(24)},
    )
    _write_files(secured)
    _write_environment(secured, flink)
    properties = folder / "kafka.properties"
    properties.write_text(
        SERVER_PROPERTIES.format(
            clients=clients,
            internal=internal,
            controller=controller,
            keystore=folder / "broker.pem",
            authority=secured.authority,
            data=folder / "kafka",
        )
    )
    scram = [word for user in users for word in ("--add-scram", _scram(user, secured.passwords[user]))]
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    secured.kafka("kafka.tools.StorageTool", "format", "--config", str(properties), f"--cluster-id={cluster}", *scram)
    jars = f"{secured.cache.kafka}/*"
    broker = ["java", "-Xmx512m", "-cp", jars, f"-Dlog4j2.configurationFile={LOGGING}", "kafka.Kafka", str(properties)]
    with ExitStack() as parts:
        parts.enter_context(_running("kafka", broker, folder, {}))
        parts.enter_context(_running("minio", _minio(secured, store, console), folder, _minio_environment(folder)))
        for port in (clients, store):
            eventually(lambda port=port: answers("127.0.0.1", port), f"port {port} answers", lambda: "nobody", 180)
        for arguments in documented_acls():
            secured.acls(*arguments)
        parts.callback(lambda: secured.darkroom("down", "--wipe"))
        secured.darkroom("up")
        record = read_record(secured.home)
        assert record is not None
        grant_job(record)
        yield secured


def _write_files(secured: Secured) -> None:
    folder = secured.folder
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(secured.authority))
    trustme.CA().cert_pem.write_to_path(str(folder / "stranger.pem"))
    broker = authority.issue_cert("127.0.0.1", common_name="broker")
    chain = b"".join(blob.bytes() for blob in broker.cert_chain_pems)
    (folder / "broker.pem").write_bytes(_pkcs8(broker.private_key_pem.bytes()) + chain)
    certificates = folder / "certificates"
    certificates.mkdir()
    store = authority.issue_cert("127.0.0.1")
    store.private_key_pem.write_to_path(str(certificates / "private.key"))
    (certificates / "public.crt").write_bytes(b"".join(blob.bytes() for blob in store.cert_chain_pems))
    for user, password in {**secured.passwords, "wrong": "not-the-password"}.items():
        write_private(secured.password_file(user), password)
    for name, key in (("operator", "darkroom"), ("job", JOB_USER)):
        text = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secured.s3_secrets[name]}\n"
        write_private(folder / f"{name}-credentials", text)
    write_private(folder / "root-user", "darkroom")
    write_private(folder / "root-password", secured.s3_secrets["operator"])
    login = f'required username="admin" password="{secured.passwords["admin"]}";'
    write_private(
        folder / "admin.properties",
        f"security.protocol=SASL_SSL\nssl.truststore.type=PEM\nssl.truststore.location={secured.authority}\n"
        "sasl.mechanism=SCRAM-SHA-512\n"
        f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule {login}\n",
    )


def _write_environment(secured: Secured, flink: int) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DARKROOM_", "AWS_"))}
    cache = {name: value for name, value in os.environ.items() if name == "DARKROOM_CACHE"}
    secured.environment = {
        **kept,
        **cache,
        "DARKROOM_HOME": str(secured.home.path),
        "DARKROOM_FLINK_PORT": str(flink),
        "DARKROOM_SLOTS": "1",
        "DARKROOM_PARTITIONS": "2",
        "DARKROOM_KAFKA_BOOTSTRAP": secured.bootstrap,
        "DARKROOM_KAFKA_SECURITY": "sasl-tls",
        "DARKROOM_KAFKA_CA_FILE": str(secured.authority),
        "DARKROOM_KAFKA_USER": "operator",
        "DARKROOM_KAFKA_PASSWORD_FILE": str(secured.password_file("operator")),
        "DARKROOM_JOB_KAFKA_USER": "job",
        "DARKROOM_JOB_KAFKA_PASSWORD_FILE": str(secured.password_file("job")),
        "DARKROOM_S3_ENDPOINT": secured.s3_endpoint,
        "DARKROOM_S3_CA_FILE": str(secured.authority),
        "AWS_SHARED_CREDENTIALS_FILE": str(secured.folder / "operator-credentials"),
        "DARKROOM_JOB_CREDENTIALS_FILE": str(secured.folder / "job-credentials"),
    }


def _minio(secured: Secured, store: int, console: int) -> list[str]:
    minio = find_minio(secured.cache)
    assert minio is not None
    addresses = ["--address", f"127.0.0.1:{store}", "--console-address", f"127.0.0.1:{console}"]
    return [str(minio), "server", "--certs-dir", str(secured.folder / "certificates"), *addresses, "minio"]


def _minio_environment(folder: Path) -> dict[str, str]:
    files = {
        "MINIO_ROOT_USER_FILE": str(folder / "root-user"),
        "MINIO_ROOT_PASSWORD_FILE": str(folder / "root-password"),
    }
    return {**files, "MINIO_REGION": "us-east-1", "MINIO_UPDATE": "off"}


def _scram(user: str, password: str) -> str:
    """Return what StorageTool takes in place of a password, which would be seen in `ps` (RFC 5802, SaltedPassword)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    encoded = [base64.b64encode(part).decode() for part in (salt, salted)]
    return f'SCRAM-SHA-512=[name={user},iterations={ITERATIONS},salt="{encoded[0]}",saltedpassword="{encoded[1]}"]'


def _pkcs8(key: bytes) -> bytes:
    """Return a private key in the only form that Kafka reads."""
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@contextmanager
def _running(name: str, command: Sequence[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
