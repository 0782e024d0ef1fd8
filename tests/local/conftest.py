from pathlib import Path

import pytest

from tests.builders import a_picture


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder with cat.jpg, dog.png and corrupt.jpg."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(a_picture())
    (folder / "dog.png").write_bytes(a_picture("PNG", (40, 30), "olive"))
    (folder / "corrupt.jpg").write_bytes(a_picture()[:400])
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
