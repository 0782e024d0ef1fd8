"""As whom the operator's tool reaches Kafka: the variables of the job, read from the operator's own environment."""

from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from darkroom.errors import UsageError
from jobs.kafka_access import KafkaAccess
from jobs.settings_report import PREFIX, listed, problems_in


class _OperatorAccess(KafkaAccess, BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")


def client_options(bootstrap: str) -> dict[str, Any]:
    """Return what every client of kafka-python needs to connect; a password is among it.

    Raises:
        UsageError: one or more of the variables are mistyped or contradictory; all are listed.
    """
    try:
        access = _OperatorAccess(kafka_bootstrap=bootstrap)
    except ValidationError as error:
        raise UsageError(listed(problems_in(error, _OperatorAccess))) from None
    problems = list(access.contradictions())
    if problems:
        raise UsageError(listed(problems))
    return access.python_options()
