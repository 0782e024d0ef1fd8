"""The command that submits the job: another Flink in the environment does not get in its way."""

from pathlib import Path

import pytest

from darkroom.errors import OperatorError
from darkroom.flink import run


@pytest.fixture
def flink(tmp_path: Path) -> Path:
    script = tmp_path / "flink"
    script.write_text('#!/bin/sh\necho "lib=$FLINK_LIB_DIR conf=$FLINK_CONF_DIR"\nexit "$1"\n')
    script.chmod(0o755)
    return script


def test_the_distribution_of_another_flink_is_left_out(flink: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLINK_LIB_DIR", "/elsewhere/lib")
    monkeypatch.setenv("FLINK_CONF_DIR", "/given/conf")
    assert run([str(flink), "0"], {}) == "lib= conf=/given/conf\n"


def test_a_failure_is_told_with_what_flink_said(flink: Path) -> None:
    with pytest.raises(OperatorError, match=r"status 3:\nlib= conf=/our/conf"):
        run([str(flink), "3"], {"FLINK_CONF_DIR": "/our/conf"})
