import hashlib
import subprocess
import zipfile

import pytest

from darkroom import photos
from darkroom.photos import PHOTOS, PhotosUnavailable, demo_photos

PICTURES = {"b.png": b"second", "a.jpg": b"first"}


@pytest.fixture
def pip(monkeypatch):
    """Stand in for `pip download`: writes a wheel with PICTURES, or fails as told."""
    calls = []

    class Pip:
        returncode, stderr, holds = 0, "", PICTURES

        def run(self, command, **options):
            calls.append(command)
            if not self.returncode:
                folder = command[command.index("--dest") + 1]
                with zipfile.ZipFile(f"{folder}/some.whl", "w") as wheel:
                    for name, data in self.holds.items():
                        wheel.writestr(f"skimage/data/{name}", data)
            return subprocess.CompletedProcess(command, self.returncode, "", self.stderr)

    fake = Pip()
    fake.calls = calls
    monkeypatch.setattr(photos.subprocess, "run", fake.run)
    monkeypatch.setattr(photos, "PHOTOS", {name: hashlib.sha256(data).hexdigest() for name, data in PICTURES.items()})
    return fake


def test_photographs_are_fetched_once_and_sorted(pip, tmp_path):
    said = []
    first = demo_photos(tmp_path / "cache", said.append)
    assert [path.name for path in first] == ["a.jpg", "b.png"]
    assert [path.read_bytes() for path in first] == [b"first", b"second"]
    assert demo_photos(tmp_path / "cache", said.append) == first
    assert len(pip.calls) == 1
    assert len(said) == 2
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["photos"]


def test_a_damaged_photograph_is_fetched_again(pip, tmp_path):
    first = demo_photos(tmp_path)
    first[0].write_bytes(b"cut")
    assert demo_photos(tmp_path)[0].read_bytes() == b"first"
    assert len(pip.calls) == 2


def test_a_failing_pip_is_told_with_its_last_word_and_a_remedy(pip, tmp_path):
    pip.returncode, pip.stderr = 1, "noise\nERROR: No matching distribution\n"
    with pytest.raises(PhotosUnavailable, match=r"No matching distribution\. Check that .*--synthetic"):
        demo_photos(tmp_path)


def test_a_picture_that_is_not_the_pinned_one_is_refused(pip, tmp_path):
    pip.holds = {**PICTURES, "a.jpg": b"another"}
    with pytest.raises(PhotosUnavailable, match=r"a\.jpg is not the picture that was pinned"):
        demo_photos(tmp_path)


def test_about_a_dozen_are_pinned():
    assert len(PHOTOS) == 12
    assert all(len(digest) == 64 for digest in PHOTOS.values())
