"""What every ObjectStore promises, as tests; a subclass gives the fixtures `store` and `bucket`.

StoreContract   every store
EtagContract    a store that keeps entity tags; what is stored in one request has its MD5 as tag, as on S3
"""

import hashlib

import pytest

from schemas.keys import derivative_key, image_prefix
from udfs.errors import SourceBucketMissingError, SourceChangedError, SourceMissingError, StoreUnavailableError
from udfs.object_store import ObjectStore

HEADERS = {"Content-Type": "image/jpeg", "x-amz-meta-sha256": "0" * 64, "Cache-Control": "no-cache"}
LISTED_AT_ONCE = 1000  # S3's page of a list, and its largest removal

HOSTILE_IDS = ["", ".", "..", "/", "../../etc/passwd", "a/b", "a\\b", "\0", "\n", " ", "~", "%2F", "?x=1#y", "*", "+"]
HOSTILE_IDS += ["é", "e\u0301", "😀", "\u202egpj.exe", "A", "x" * 255, "😀" * 2500, "." * 10_000]

MISSING_KEYS = [
    "nothing",
    "folder",
    "folder/",
    "folder/file/below",
    "../outside",
    "a//b",
    "/",
    "..",
    "a\0b",
    "x" * 1024,
]

NO_BUCKETS = ["no-such-bucket", "x", "UPPER", "under_score", "..", "../images", "a/b", "x" * 200, "é"]


def stored(store: ObjectStore, bucket: str, key: str, data: bytes = b"data") -> str:
    store.put(bucket, key, data, HEADERS)
    return key


def content(store: ObjectStore, bucket: str, key: str, etag: str | None = None) -> bytes:
    opened = store.open_source(bucket, key, etag)
    data = opened.read()
    assert opened.size == len(data)
    return data


class StoreContract:
    """`bucket` is the name of an empty bucket that the store has."""

    @pytest.mark.parametrize("data", [b"", b"\0", b"\r\n" * 10, b"x" * 6_000_000], ids=["0", "1", "lines", "6 MB"])
    def test_what_is_put_is_read_whole_and_its_size_is_known_before(
        self, store: ObjectStore, bucket: str, data: bytes
    ) -> None:
        assert content(store, bucket, stored(store, bucket, "u/i/1/cat.jpg", data)) == data

    def test_a_put_replaces_what_was_there(self, store: ObjectStore, bucket: str) -> None:
        stored(store, bucket, "cat.jpg", b"first, and longer")
        stored(store, bucket, "cat.jpg", b"second")
        assert content(store, bucket, "cat.jpg") == b"second"
        assert store.list_keys(bucket, "") == ["cat.jpg"]

    def test_a_source_that_is_closed_unread_leaves_the_store_usable(self, store: ObjectStore, bucket: str) -> None:
        stored(store, bucket, "large.jpg", b"x" * 1_000_000)
        for _ in range(20):
            store.open_source(bucket, "large.jpg", None).close()
        assert len(content(store, bucket, "large.jpg")) == 1_000_000

    def test_a_source_that_is_replaced_after_it_was_opened_is_never_mixed(
        self, store: ObjectStore, bucket: str
    ) -> None:
        versions = [bytes([number]) * 6_000_000 for number in range(2)]
        opened = store.open_source(bucket, stored(store, bucket, "cat.jpg", versions[0]), None)
        stored(store, bucket, "cat.jpg", versions[1])
        try:
            assert opened.read() in versions
        except StoreUnavailableError:
            pass  # it is read again
        assert content(store, bucket, "cat.jpg") == versions[1]

    def test_a_source_that_is_opened_again_has_the_same_tag_until_it_is_replaced(
        self, store: ObjectStore, bucket: str
    ) -> None:
        tags = []
        for data in (b"first", None, b"other"):
            if data is not None:
                stored(store, bucket, "cat.jpg", data)
            opened = store.open_source(bucket, "cat.jpg", None)
            tags.append(opened.etag)
            opened.close()
        assert tags[0] == tags[1] != tags[2]
        assert None not in tags

    @pytest.mark.parametrize("key", MISSING_KEYS)
    def test_a_source_that_is_not_there_is_missing(self, store: ObjectStore, bucket: str, key: str) -> None:
        stored(store, bucket, "folder/file")
        with pytest.raises(SourceMissingError):
            store.open_source(bucket, key, None)

    @pytest.mark.parametrize("name", NO_BUCKETS)
    def test_a_source_in_no_bucket_blames_the_event(self, store: ObjectStore, name: str) -> None:
        with pytest.raises(SourceBucketMissingError):
            store.open_source(name, "cat.jpg", None)

    def test_a_missing_bucket_for_derivatives_blames_the_store(self, store: ObjectStore) -> None:
        with pytest.raises(StoreUnavailableError):
            store.put("no-such-bucket", "cat.jpg", b"data", HEADERS)
        with pytest.raises(StoreUnavailableError):
            store.list_keys("no-such-bucket", "")
        with pytest.raises(StoreUnavailableError):
            store.remove("no-such-bucket", ["cat.jpg"])

    def test_every_key_made_from_hostile_ids_is_stored_listed_and_removed(
        self, store: ObjectStore, bucket: str
    ) -> None:
        keys = {
            (user, image): derivative_key(user, image, 1, "thumb", "0123456789ab", "jpg")
            for user in HOSTILE_IDS
            for image in (user, "plain")
        }
        for key in keys.values():
            stored(store, bucket, key, key.encode())
        for (user, image), key in keys.items():
            assert content(store, bucket, key) == key.encode()
            assert store.list_keys(bucket, image_prefix(user, image)) == [key]
        store.remove(bucket, list(keys.values()))
        assert store.list_keys(bucket, "") == []

    @pytest.mark.parametrize(
        "key", ["a b+c.jpg", "zoë/ü.jpg", "100%.jpg", "%2F.jpg", "a?b#c&d=e.jpg", "'\"<>.jpg", "😀"]
    )
    def test_a_source_may_have_any_sane_key(self, store: ObjectStore, bucket: str, key: str) -> None:
        assert content(store, bucket, stored(store, bucket, key)) == b"data"
        assert store.list_keys(bucket, "") == [key]

    def test_a_list_has_every_key_that_begins_with_the_prefix_and_no_other(
        self, store: ObjectStore, bucket: str
    ) -> None:
        for key in ("u/i/1/a.jpg", "u/i/2/b.jpg", "u/i2/1/a.jpg", "u/j/1/a.jpg", "v/i/1/a.jpg", "u.jpg"):
            stored(store, bucket, key)
        assert sorted(store.list_keys(bucket, "u/i/")) == ["u/i/1/a.jpg", "u/i/2/b.jpg"]
        assert sorted(store.list_keys(bucket, "u/i")) == ["u/i/1/a.jpg", "u/i/2/b.jpg", "u/i2/1/a.jpg"]
        assert sorted(store.list_keys(bucket, "u/i/1/a")) == ["u/i/1/a.jpg"]
        assert len(store.list_keys(bucket, "u")) == 5
        assert len(store.list_keys(bucket, "")) == 6
        assert store.list_keys(bucket, "nobody/") == []

    def test_a_removal_takes_the_keys_it_names_and_a_missing_key_is_no_error(
        self, store: ObjectStore, bucket: str
    ) -> None:
        for key in ("u/i/1/a.jpg", "u/i/1/b.jpg", "u/i/2/a.jpg"):
            stored(store, bucket, key)
        store.remove(bucket, ["u/i/1/a.jpg", "u/i/9/nothing.jpg", "nobody/at/all.jpg", "u/i/2/a.jpg"])
        store.remove(bucket, ["u/i/1/a.jpg"])
        store.remove(bucket, [])
        assert store.list_keys(bucket, "") == ["u/i/1/b.jpg"]

    def test_more_keys_than_one_page_are_listed_and_removed(self, store: ObjectStore, bucket: str) -> None:
        keys = [stored(store, bucket, f"u/i/1/{number:04}.jpg", b"") for number in range(LISTED_AT_ONCE + 1)]
        assert sorted(store.list_keys(bucket, "u/i/")) == keys
        store.remove(bucket, keys)
        assert store.list_keys(bucket, "") == []


class EtagContract:
    """For a store that keeps entity tags."""

    def test_a_source_with_the_tag_the_event_names_is_read(self, store: ObjectStore, bucket: str) -> None:
        key = stored(store, bucket, "cat.jpg", b"data")
        assert content(store, bucket, key, etag=hashlib.md5(b"data", usedforsecurity=False).hexdigest()) == b"data"

    def test_a_source_with_another_tag_has_changed(self, store: ObjectStore, bucket: str) -> None:
        key = stored(store, bucket, "cat.jpg", b"other")
        with pytest.raises(SourceChangedError):
            store.open_source(bucket, key, hashlib.md5(b"data", usedforsecurity=False).hexdigest())
