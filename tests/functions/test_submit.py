"""What `submit` does after `flink run`: it asks until the job runs, whatever a single answer was."""

import json
from pathlib import Path
from typing import Any

import pytest
import urllib3

from darkroom import flink, submit
from darkroom.errors import OperatorError
from darkroom.flink import FlinkRest
from darkroom.target import resolve_target

JOBS = {"jobs": [{"jid": "1", "name": "darkroom", "state": "RUNNING"}]}
RUNS: dict[str, Any] = {"vertices": [{"status": "RUNNING"}]}
DEPLOYS: dict[str, Any] = {"vertices": [{"status": "DEPLOYING"}]}
REFUSED = {"exceptionHistory": {"entries": [{"stacktrace": "SaslAuthenticationException"}]}}
LATE = urllib3.exceptions.ReadTimeoutError(None, "/jobs/overview", "late")  # type: ignore[arg-type]  # no pool is read


class FakeHttp:
    """Gives its answers in turn, the last one for ever: a document, a status that is not 200, or an error."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers

    def __call__(self, **_: object) -> "FakeHttp":
        return self

    def request(self, method: str, url: str) -> urllib3.HTTPResponse:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return urllib3.HTTPResponse(b"{}", status=answer)
        return urllib3.HTTPResponse(json.dumps(answer).encode(), status=200)


def rest_of(answers: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FlinkRest:
    monkeypatch.setattr(flink.urllib3, "PoolManager", FakeHttp(answers))
    monkeypatch.setattr(submit, "POLL_SECONDS", 0.0)
    return FlinkRest(resolve_target({"DARKROOM_HOME": str(tmp_path)}))


@pytest.mark.parametrize(
    "answers",
    [[JOBS, RUNS], [LATE, JOBS, RUNS], [503, JOBS, RUNS], [JOBS, 404, JOBS, RUNS], [JOBS, DEPLOYS, LATE, JOBS, RUNS]],
)
def test_an_answer_that_is_late_or_bad_is_asked_for_again(
    answers: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert submit._wait_until_running(rest_of(answers, monkeypatch, tmp_path)).state == "RUNNING"


@pytest.mark.parametrize(("answer", "seen"), [(503, "answered 503 to /jobs/overview"), ({"jobs": []}, "no job")])
def test_a_job_that_does_not_run_in_time_is_told_with_what_was_seen_last(
    answer: object, seen: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(submit, "STARTED_WITHIN_SECONDS", 0.05)
    with pytest.raises(OperatorError, match=f"was submitted and did not run within .*{seen}"):
        submit._wait_until_running(rest_of([answer], monkeypatch, tmp_path))


def test_a_refusal_of_kafka_ends_the_waiting_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="the user or its password is refused"):
        submit._wait_until_running(rest_of([JOBS, DEPLOYS, REFUSED], monkeypatch, tmp_path))
