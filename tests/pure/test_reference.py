import subprocess
import sys
from pathlib import Path

import pytest

from schemas.outcomes import OUTCOMES
from schemas.reasons import Reason
from schemas.records import Outcome

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "events-and-statuses.md"


def generate(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "generate.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def copied_docs(tmp_path):
    for name in ("generate.py", "advice.py", "in_words.py", PAGE):
        (tmp_path / name).write_bytes((DOCS / name).read_bytes())
    return tmp_path


def test_the_page_is_current():
    checked = generate(DOCS, "--check")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("damage", [lambda page: page.write_text("old"), lambda page: page.unlink()])
def test_a_drifted_page_is_told_with_the_command_that_mends_it(copied_docs, damage):
    damage(copied_docs / PAGE)
    checked = generate(copied_docs, "--check")
    assert checked.returncode == 1
    assert "run: python docs/generate.py" in checked.stderr
    assert generate(copied_docs).returncode == 0
    assert generate(copied_docs, "--check").returncode == 0


def test_an_unknown_option_is_a_usage_error(copied_docs):
    assert generate(copied_docs, "--chekc").returncode == 2


def test_every_outcome_and_every_reason_has_a_row():
    page = (DOCS / PAGE).read_text("utf-8")
    assert list(OUTCOMES) == list(Outcome)
    assert all(f"\n| `{code}` |" in page for code in [*Outcome, *Reason])


def test_every_link_inside_the_page_has_its_heading():
    page = (DOCS / PAGE).read_text("utf-8")
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in page.splitlines() if line.startswith("#")}
    links = {link.split(")")[0] for link in page.split("](#")[1:]}
    assert links
    assert links <= headings
