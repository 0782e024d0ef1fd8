import os
from pathlib import Path

import pytest

from tests.fakes import FakeStore
from tests.store_contract import HEADERS, EtagContract, StoreContract, stored
from udfs.errors import StoreUnavailableError
from udfs.folder_store import FolderStore
from udfs.object_store import ObjectStore


@pytest.fixture
def bucket() -> str:
    return "images"


class TestFakeStore(StoreContract, EtagContract):
    @pytest.fixture
    def store(self) -> FakeStore:
        return FakeStore()


class TestFolderStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        (tmp_path / "outside").write_bytes(b"secret")
        root = tmp_path / "bucket"
        root.mkdir()
        return FolderStore({"images": root})

    def test_an_entity_tag_is_not_looked_at(self, store: ObjectStore, bucket: str) -> None:
        stored(store, bucket, "cat.jpg")
        assert store.open_source(bucket, "cat.jpg", "any").read() == b"data"

    def test_a_file_that_grew_after_it_was_opened_is_not_taken_for_the_one_announced(
        self, store: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        opened = store.open_source(bucket, stored(store, bucket, "cat.jpg"), None)
        with (tmp_path / "bucket" / "cat.jpg").open("ab") as file:
            file.write(b" and more")
        with pytest.raises(StoreUnavailableError, match="13 bytes arrived of 4"):
            opened.read()

    def test_a_file_that_is_written_to_while_it_is_read_is_read_again(
        self, store: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        opened = store.open_source(bucket, stored(store, bucket, "cat.jpg"), None)
        (tmp_path / "bucket" / "cat.jpg").write_bytes(b"atad")
        os.utime(tmp_path / "bucket" / "cat.jpg", ns=(1, 1))
        with pytest.raises(StoreUnavailableError, match="was written to while it was read"):
            opened.read()

    def test_a_put_that_cannot_be_made_leaves_what_was_there(
        self, store: ObjectStore, bucket: str, tmp_path: Path
    ) -> None:
        stored(store, bucket, "cat.jpg")
        (tmp_path / "bucket" / "dir").mkdir()
        for key in ("dir", "cat.jpg/below"):
            with pytest.raises(StoreUnavailableError):
                store.put(bucket, key, b"new", HEADERS)
        assert store.list_keys(bucket, "") == ["cat.jpg"]
