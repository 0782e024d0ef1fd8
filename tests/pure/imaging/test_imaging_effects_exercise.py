"""The example of CONTRIBUTING.md can be applied as it stands, and adds a working operation."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
USED = """
from udfs.imaging.presets import parse_presets
from udfs.imaging.render import render

PRESETS = '''
version: 1
presets: [{name: old, width: 64, format: png, sepia: 80, corner_radius: 9}, {name: new, width: 64, format: png}]
sets: {default: [old, new]}
'''
presets = parse_presets(PRESETS, "presets.yaml").choose(None)
old, new = render(open("tests/photos/rocket.jpg", "rb").read(), presets).derivatives
assert old.sha256 != new.sha256 and old.preset.recipe_fingerprint != new.preset.recipe_fingerprint
assert old.width == new.width == 64
"""


def example():
    (diff,) = re.findall(r"```diff\n(.*?)```", (PROJECT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    return diff


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path):
    for part in ("udfs/imaging", "tests/photos"):
        shutil.copytree(PROJECT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests/pure/imaging").mkdir(parents=True)
    (tmp_path / "udfs/__init__.py").touch()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "example.diff").write_text(example())
    return tmp_path


def test_the_example_touches_one_new_step_the_table_and_one_new_test():
    files = re.findall(r"(?m)^--- (\S+)\n\+\+\+ b/(\S+)", example())
    assert files == [
        ("/dev/null", "udfs/imaging/steps/sepia.py"),
        ("a/udfs/imaging/steps/__init__.py", "udfs/imaging/steps/__init__.py"),
        ("/dev/null", "tests/pure/imaging/test_imaging_sepia.py"),
    ]
    removed = re.findall(r"(?m)^-(?!-- )", example())
    assert removed == []


def test_the_example_can_be_applied_and_works(copy):
    run(copy, "git", "apply", "example.diff")
    run(
        copy, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/pure/imaging/test_imaging_sepia.py"
    )
    run(copy, sys.executable, "-c", USED)
    wrong = USED.replace("sepia: 80", "sepia: 101")
    with pytest.raises(AssertionError, match=r"sepia = 101: not allowed; allowed: 1 to 100 \(in %\)"):
        run(copy, sys.executable, "-c", wrong)


def test_without_the_example_the_same_presets_are_refused(copy):
    with pytest.raises(AssertionError, match="sepia is not a known key"):
        run(copy, sys.executable, "-c", USED)
