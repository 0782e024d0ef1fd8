"""Why brokers let nobody in, in words: kafka-python tells it in its log only, the job in its exceptions."""

import logging
import re
from typing import Any

from darkroom.flink import FlinkRest, Job

TLS_ALERT_AS_LENGTH = r"Invalid frame length: 352\d{6}"  # TLS's alert, 0x1503…, read as a size

CLUES = {
    "SaslAuthenticationFailedError|SaslAuthenticationException": (
        "the user or its password is refused; correct DARKROOM_KAFKA_USER and the file DARKROOM_KAFKA_PASSWORD_FILE"
    ),
    "CERTIFICATE_VERIFY_FAILED|SSLHandshakeException|CertificateException|PKIX path": (
        "the certificate is not for this address, or no authority that is trusted here has signed it; "
        "name the right authority in DARKROOM_KAFKA_CA_FILE"
    ),
    f"{TLS_ALERT_AS_LENGTH}|WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE": (
        "one side speaks TLS and the other does not; correct DARKROOM_KAFKA_SECURITY"
    ),
    "(Topic|Group|TransactionalId|Cluster)Authorization(FailedError|Exception)": (
        "the user may not do this; grant it with the ACLs of docs/security.md"
    ),
}


def refusal_in(text: str) -> str | None:
    """Return the reason and its remedy if the text, of a log or an exception, holds one."""
    return next((words for clue, words in CLUES.items() if re.search(clue, text)), None)


def refusal_of(rest: FlinkRest, job: Job) -> str | None:
    """Return why the brokers let the job not in, if that is what its exceptions say."""
    exceptions: dict[str, Any] = rest.get(f"/jobs/{job.job_id}/exceptions")
    entries = exceptions.get("exceptionHistory", {}).get("entries", [])
    return refusal_in(entries[0]["stacktrace"]) if entries else None


class Listener(logging.Handler):
    """Remembers the last refusal that the client logged; keeps the client's lines off the terminal."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.refusal: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line of the client."""
        self.refusal = refusal_in(record.getMessage()) or self.refusal
