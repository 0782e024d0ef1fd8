import os
from pathlib import Path

import pytest

from jobs.assets import MAX_ASSET_BYTES, MAX_ASSETS_BYTES, AssetFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "presets"
    (inside / "marks").mkdir(parents=True)
    (inside / "marks" / "logo.png").write_bytes(b"logo")
    (tmp_path / "secret").write_bytes(b"secret")
    return inside


def test_a_file_beside_the_presets_file(folder: Path) -> None:
    assert AssetFolder(folder).read("marks/logo.png") == b"logo"


def test_a_relative_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert AssetFolder(Path()).read("marks/logo.png") == b"logo"


@pytest.mark.parametrize(
    "name", ["../secret", "marks/../../secret", "/etc/hostname", "", ".", "..", "a\x00b", "..\\secret"]
)
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(OSError) as error:  # noqa: PT011  any errno; the words are what counts
        AssetFolder(folder).read(name)
    assert error.value.strerror.startswith(("name a file beside", "it is not a file"))


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "marks/../../secret"])
def test_no_link_leads_out_of_the_folder(folder: Path, target: str) -> None:
    (folder / "link.png").symlink_to(target)
    with pytest.raises(PermissionError, match="it is a link to a place outside"):
        AssetFolder(folder).read("link.png")


def test_no_linked_folder_leads_out_of_it(folder: Path) -> None:
    (folder / "up").symlink_to("..")
    with pytest.raises(PermissionError, match="it is a link to a place outside"):
        AssetFolder(folder).read("up/secret")


def test_a_link_inside_the_folder_is_followed_as_in_a_mounted_configmap(folder: Path) -> None:
    (folder / "..data").symlink_to("marks")
    (folder / "logo.png").symlink_to("..data/logo.png")
    assert AssetFolder(folder).read("logo.png") == b"logo"


def test_a_missing_file(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        AssetFolder(folder).read("none.png")


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    with pytest.raises(OSError, match="it is not a file"):
        AssetFolder(folder).read("pipe.png")


def test_a_file_at_the_limit_and_one_beyond_it(folder: Path) -> None:
    (folder / "large.png").write_bytes(bytes(MAX_ASSET_BYTES))
    (folder / "larger.png").write_bytes(bytes(MAX_ASSET_BYTES + 1))
    assert len(AssetFolder(folder).read("large.png")) == MAX_ASSET_BYTES
    with pytest.raises(OSError, match=f"it has more than {MAX_ASSET_BYTES} bytes"):
        AssetFolder(folder).read("larger.png")


def test_all_files_together_are_bounded_and_each_counts_once(folder: Path) -> None:
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(bytes(MAX_ASSET_BYTES))
    assets = AssetFolder(folder)
    assert sum(len(assets.read(name)) for name in ("a", "b")) == MAX_ASSETS_BYTES
    assert assets.read("a") is assets.read("a")
    with pytest.raises(OSError, match="together have more than"):
        assets.read("c")
