"""How the brokers are reached: over which protocol, whom they prove to be, and as whom a client logs in.

The password is a file that each process reads where it runs. Neither the settings, the graph, the plan nor a
checkpoint holds more of it than its path.
"""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator

SHADED = "org.apache.flink.kafka.shaded.org.apache.kafka.common"  # where the connector keeps Kafka's own classes
SASL_MECHANISM = "SCRAM-SHA-512"
PROTOCOLS = {"plaintext": "PLAINTEXT", "tls": "SSL", "sasl-tls": "SASL_SSL"}
REFERABLE = re.compile(r"/[^:{}$\s]*")  # what a reference of Kafka's config providers can name
QUOTABLE = re.compile(r'[^"\\\x00-\x1f\x7f]+')  # what stands between quotes in a login module's options


class KafkaAccess(BaseModel):
    """Where the brokers are and how a client gets in; part of the settings of the job and of the operator's tool."""

    kafka_bootstrap: Annotated[
        str, Field(pattern=r"^[^\s,]+:\d+(,[^\s,]+:\d+)*$", description="host:port of the brokers")
    ]
    kafka_security: Annotated[
        Literal["plaintext", "tls", "sasl-tls"],
        Field(description=f"connection to the brokers; sasl-tls logs in with {SASL_MECHANISM}"),
    ] = "plaintext"
    kafka_ca_file: Annotated[
        Path | None,
        Field(description="PEM file, at the same path on every machine, of the authorities that sign for the brokers"),
    ] = None
    kafka_user: Annotated[str | None, Field(description="user to log in as, with sasl-tls")] = None
    kafka_password_file: Annotated[
        Path | None,
        Field(description="file with the password and nothing else, at the same path on every machine"),
    ] = None

    @field_validator("kafka_ca_file")
    @classmethod
    def _kafka_authorities_are_readable(cls, file: Path | None) -> Path | None:
        return authorities(file)

    @field_validator("kafka_user")
    @classmethod
    def _user_can_be_quoted(cls, user: str | None) -> str | None:
        if user is not None and not QUOTABLE.fullmatch(user):
            message = "a user's name is not empty and has no quote, backslash or control character"
            raise ValueError(message)
        return user

    @field_validator("kafka_password_file")
    @classmethod
    def _password_can_be_quoted(cls, file: Path | None) -> Path | None:
        if file is not None:
            _check_path(file)
            _read_password(file)
        return file

    def contradictions(self) -> Iterator[str]:
        """Yield which of the settings do not go together."""
        login = {"DARKROOM_KAFKA_USER": self.kafka_user, "DARKROOM_KAFKA_PASSWORD_FILE": self.kafka_password_file}
        for variable, value in login.items():
            if self.kafka_security == "sasl-tls" and value is None:
                yield f"{variable} is not set, and DARKROOM_KAFKA_SECURITY is sasl-tls: it logs in with both"
            if self.kafka_security != "sasl-tls" and value is not None:
                yield (
                    f"{variable} is set, and DARKROOM_KAFKA_SECURITY is {self.kafka_security}, which does not log in:"
                    " set it to sasl-tls"
                )
        if self.kafka_security == "plaintext" and self.kafka_ca_file is not None:
            yield "DARKROOM_KAFKA_CA_FILE is set, and DARKROOM_KAFKA_SECURITY is plaintext: set it to tls or sasl-tls"

    def java_properties(self) -> dict[str, str]:
        """Return the properties of Kafka's Java clients inside Flink; the password is a reference to its file."""
        if self.kafka_security == "plaintext":
            return {}
        properties = {"security.protocol": PROTOCOLS[self.kafka_security]}
        if self.kafka_ca_file is not None:
            properties |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.kafka_ca_file)}
        if self.kafka_password_file is not None:
            folder, name = self.kafka_password_file.parent, self.kafka_password_file.name
            properties |= {
                "config.providers": "directory",
                "config.providers.directory.class": f"{SHADED}.config.provider.DirectoryConfigProvider",
                "config.providers.directory.param.allowed.paths": str(folder),
                "sasl.mechanism": SASL_MECHANISM,
                "sasl.jaas.config": (
                    f"{SHADED}.security.scram.ScramLoginModule required"
                    f' username="{self.kafka_user}" password="${{directory:{folder}:{name}}}";'
                ),
            }
        return properties

    def python_options(self) -> dict[str, Any]:
        """Return the options of kafka-python's clients; the password is read now, and is among them."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap.split(","),
            "security_protocol": PROTOCOLS[self.kafka_security],
        }
        if self.kafka_ca_file is not None:
            options["ssl_cafile"] = str(self.kafka_ca_file)
        if self.kafka_password_file is not None:
            options |= {
                "sasl_mechanism": SASL_MECHANISM,
                "sasl_plain_username": self.kafka_user,
                "sasl_plain_password": _read_password(self.kafka_password_file),
            }
        return options


def authorities(file: Path | None) -> Path | None:
    """Return the file if certificates can be read from it; ValueError says why not."""
    if file is not None:
        _check_path(file)
        try:
            ssl.create_default_context(cafile=str(file))
        except OSError as error:  # SSLError is one
            message = f"no certificate in PEM format can be read from it ({type(error).__name__})"
            raise ValueError(message) from error
    return file


def _check_path(file: Path) -> None:
    if not REFERABLE.fullmatch(str(file)):
        message = "it is read on other machines too: give an absolute path without blanks, colons, braces and dollars"
        raise ValueError(message)


def _read_password(file: Path) -> str:
    """Return the password; ValueError, which never repeats it, when there is none that every client can take."""
    try:
        password = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"it cannot be read ({type(error).__name__})"
        raise ValueError(message) from None
    if not QUOTABLE.fullmatch(password):
        message = (
            "the password in it is empty, or has a line break, quote, backslash or control character, which Kafka's"
            " login modules cannot take; write it with printf %s, which adds no line break"
        )
        raise ValueError(message)
    return password
