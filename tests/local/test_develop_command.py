"""The command `darkroom develop`: the sixty-second try, as a person would type it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import a_picture

ROOT = Path(__file__).parents[2]
TIME_LIMIT_S = 110


def develop(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    return subprocess.run(
        [sys.executable, "-m", "darkroom", "develop", *map(str, arguments)],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
    )


def statuses_in(out: Path) -> dict[str, dict[str, object]]:
    statuses = [json.loads(line) for line in (out / "statuses.jsonl").read_text("utf-8").splitlines()]
    return {str(status["image_id"]): status for status in statuses}


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}


def test_a_folder_of_pictures_becomes_a_folder_of_derivatives(tmp_path: Path) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "out"
    (folder / "sub folder").mkdir(parents=True)
    (folder / "cat.jpg").write_bytes(a_picture())
    (folder / "sub folder" / "[red] ü.png").write_bytes(a_picture("PNG"))

    ended = develop(folder, out, "--preset", "thumb-256", "--preset", "fit-640-webp", "--user", "zoë")

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"2 images: 2 READY; statuses in {out / 'statuses.jsonl'}\n"
    statuses = statuses_in(out)
    assert set(statuses) == {"cat.jpg", "sub folder/[red] ü.png"}
    keys = {made["key"] for status in statuses.values() for made in status["derivatives"]}
    assert len(keys) == 4
    assert set(files_in(out)) == {"statuses.jsonl", *keys}
    assert all(str(key).startswith("zo%C3%AB/") for key in keys)


def test_a_corrupt_picture_gives_exit_status_1_and_the_others_are_developed(tmp_path: Path) -> None:
    folder, out = tmp_path / "pictures", tmp_path / "out"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(a_picture())
    (folder / "corrupt.jpg").write_bytes(a_picture()[:400])

    ended = develop(folder, out, "--json", "--preset", "thumb-256")

    assert ended.returncode == 1, ended.stderr
    assert json.loads(ended.stdout) == {
        "outcomes": {"READY": 1, "REJECTED": 1},
        "statuses": str(out / "statuses.jsonl"),
    }
    assert "corrupt.jpg: REJECTED CORRUPT_IMAGE: " in ended.stderr
    assert statuses_in(out)["cat.jpg"]["outcome"] == "READY"


def test_without_a_jdk_it_says_so_in_one_line_and_writes_nothing(tmp_path: Path, sources: Path) -> None:
    ended = develop(sources, tmp_path / "new", PATH=str(tmp_path), JAVA_HOME="")
    assert ended.returncode == 2
    assert "Java" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("content", ["nothing", "an empty folder"])
def test_a_folder_without_files_is_told_in_one_line(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "empty"
    (folder / "deeper" if content == "an empty folder" else folder).mkdir(parents=True)
    ended = develop(folder, tmp_path / "new")
    assert ended.returncode == 2
    assert ended.stderr == f"darkroom: {folder} has no files; name a folder of images\n"


def test_a_broken_presets_file_is_told_before_anything_runs(tmp_path: Path, sources: Path) -> None:
    presets = tmp_path / "presets.yaml"
    presets.write_text("version: 1\npresets: []\nsets: {}\n")
    ended = develop(sources, tmp_path / "new", "--presets-file", presets)
    assert ended.returncode == 2
    assert f"{presets}, line 2: presets" in ended.stderr
    assert "Traceback" not in ended.stderr
