"""What `darkroom doctor` says of this machine, and of one that lacks something."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from darkroom import doctor
from darkroom.doctor import examine, memory_finding, python_finding, sandbox_finding, user_finding
from darkroom.stack.layout import Cache, Home
from darkroom.stack.ports import choose_internal
from udfs.errors import SandboxUnavailableError
from udfs.sandbox import sandbox
from udfs.sandbox.confinement import Protection

ABOUT = {"rendering", "user", "Python", "Java", "ports", "cache", "disk", "memory"}


def told(environment: Mapping[str, str], tmp_path: Path) -> tuple[int, dict[str, Any]]:
    names = ("KAFKA", "S3", "S3_CONSOLE", "FLINK")
    ports = {f"DARKROOM_{n}_PORT": str(p) for n, p in zip(names, choose_internal(4), strict=True)}
    home = {"DARKROOM_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-m", "darkroom", "doctor", "--json"],
        env={**os.environ, **ports, **home, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout, done.stderr
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, {one["about"]: one for one in findings}


def test_this_machine_can_render_in_a_sandbox(tmp_path: Path) -> None:
    status, findings = told({}, tmp_path)
    assert findings.keys() == ABOUT
    assert (status, {one["about"] for one in findings.values() if one["state"] == "fail"}) == (0, set())
    assert findings["rendering"]["state"] == "ok"
    assert "seccomp" in findings["rendering"]["found"]
    assert not (tmp_path / "home").exists()


def test_a_machine_without_java_fails_with_the_remedy(tmp_path: Path) -> None:
    status, findings = told({"PATH": str(tmp_path), "JAVA_HOME": str(tmp_path)}, tmp_path)
    assert (status, findings["Java"]["state"]) == (1, "fail")
    assert "install a JDK" in findings["Java"]["found"]


def test_an_address_that_cannot_be_one_fails(tmp_path: Path) -> None:
    environment = {"DARKROOM_KAFKA_BOOTSTRAP": "nowhere"}
    (finding,) = [
        one for one in examine(Home(tmp_path), Cache(tmp_path), {**os.environ, **environment}) if one.state == "fail"
    ]
    assert finding.about == "addresses"
    assert "DARKROOM_KAFKA_BOOTSTRAP" in finding.found


@pytest.mark.parametrize("protection", [Protection.NETWORK_NAMESPACE, Protection.NONE])
def test_weaker_protection_is_a_warning_with_a_remedy(monkeypatch: pytest.MonkeyPatch, protection: Protection) -> None:
    start = sandbox.Sandbox._start
    monkeypatch.setattr(sandbox.Sandbox, "_start", lambda self: (start(self), protection)[1])
    finding = sandbox_finding()
    assert finding.state == "warn"
    assert protection in finding.found
    assert "libseccomp2" in finding.found


def test_a_sandbox_that_does_not_start_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        message = "no processes left"
        raise SandboxUnavailableError(message)

    monkeypatch.setattr(doctor, "Sandbox", refuse)
    assert sandbox_finding().state == "fail"


def test_root_another_python_and_too_little_memory_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_RENDER_MEMORY_BYTES", str(2**30))
    monkeypatch.setenv("DARKROOM_RENDER_PROCESSES", "3")
    assert (user_finding(0).state, user_finding(1000).state) == ("warn", "ok")
    assert (python_finding((3, 11)).state, python_finding((3, 13)).state) == ("ok", "fail")
    assert memory_finding(7 * 2**30, 2).state == "ok"
    assert memory_finding(7 * 2**30 - 1, 2).state == "warn"
