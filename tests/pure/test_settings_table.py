import subprocess
import sys
from pathlib import Path

import pytest

from jobs.settings import PREFIX, Settings

DOCS = Path(__file__).parents[2] / "docs"
FILES = ("settings_table.py", "in_words.py", "deployment.md")


def generate(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "settings_table.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def copied_docs(tmp_path):
    for name in FILES:
        (tmp_path / name).write_bytes((DOCS / name).read_bytes())
    return tmp_path


def test_the_table_is_current():
    checked = generate(DOCS, "--check")
    assert checked.returncode == 0, checked.stderr


def test_every_setting_has_a_row():
    page = (DOCS / "deployment.md").read_text("utf-8")
    assert all(f"\n| `{PREFIX}{name.upper()}` |" in page for name in Settings.model_fields)


def test_a_drifted_table_is_told_with_the_command_that_mends_it(copied_docs):
    page = copied_docs / "deployment.md"
    page.write_text(page.read_text("utf-8").replace("| `24` |", "| `23` |"), "utf-8")
    checked = generate(copied_docs, "--check")
    assert checked.returncode == 1
    assert "run: python docs/settings_table.py" in checked.stderr
    assert generate(copied_docs).returncode == 0
    assert page.read_text("utf-8") == (DOCS / "deployment.md").read_text("utf-8")
