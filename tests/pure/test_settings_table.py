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
    for folder in ("docs", "jobs"):
        (tmp_path / folder).mkdir()
    for name in FILES:
        (tmp_path / "docs" / name).write_bytes((DOCS / name).read_bytes())
    return tmp_path / "docs"


def test_the_table_is_current():
    checked = generate(DOCS, "--check")
    assert checked.returncode == 0, checked.stderr


def test_every_setting_has_a_row():
    page = (DOCS / "deployment.md").read_text("utf-8")
    assert all(f"\n| `{PREFIX}{name.upper()}` |" in page for name in Settings.model_fields)
