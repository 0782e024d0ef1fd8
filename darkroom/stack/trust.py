"""The authorities that Flink's own S3 client trusts: it asks the JVM, which reads no PEM."""

import re
import subprocess
from pathlib import Path

from darkroom.stack.errors import StackError
from darkroom.stack.layout import Home
from darkroom.stack.record import StackRecord

CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
JVMS = ("jobmanager", "taskmanager", "client")


def trust_settings(record: StackRecord, home: Home) -> dict[str, object]:
    """Return the settings of Flink that name the trust store, if the object store has authorities of its own."""
    if record.s3_ca_file is None:
        return {}
    return {f"env.java.opts.{jvm}": f"-Djavax.net.ssl.trustStore={_store(home)}" for jvm in JVMS}


def write_trust_store(record: StackRecord, home: Home, keytool: Path) -> None:
    """Write every certificate of the authorities into a store for the JVM; there is nothing secret in it."""
    if record.s3_ca_file is None:
        return
    _store(home).unlink(missing_ok=True)
    for number, certificate in enumerate(CERTIFICATE.findall(record.s3_ca_file.read_text())):
        command = [str(keytool), "-importcert", "-noprompt", "-storetype", "JKS", "-storepass", "public"]
        command += ["-keystore", str(_store(home)), "-alias", f"authority-{number}"]
        told = subprocess.run(command, input=certificate, capture_output=True, text=True, check=False)
        if told.returncode != 0:
            message = f"{record.s3_ca_file} cannot be made a trust store for Flink: {told.stdout.strip()}"
            raise StackError(message)


def _store(home: Home) -> Path:
    return home.run / "authorities.jks"
