"""`darkroom show --picture`: from the stored manifest to markup, with addresses that lead to the objects."""

import asyncio
import hashlib
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from darkroom.errors import OperatorError, UsageError
from darkroom.picture import markup
from darkroom.verify.fold import Announced, announced_by
from schemas.keys import MANIFEST
from schemas.records import ImageStatus, Outcome
from tests.builders import DERIVATIVES, SOURCES, a_picture, an_event, develop_settings
from tests.fakes import FakeStore
from udfs.developer import Developer
from udfs.imaging.presets import parse_presets

PRESETS = """
version: 1
presets:
  - {name: thumb, geometry: cover, width: 16, height: 16, format: jpeg, quality: 80}
  - {name: hero, widths: [16, 64, 4000], formats: [webp, jpeg], quality: 80, sizes: 50vw}
sets:
  default: [thumb, hero]
"""


class Addresses(HTMLParser):
    """Every address in some markup."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "src":
                self.found.append(value or "")
            if name == "srcset":
                self.found += [candidate.split()[0] for candidate in (value or "").split(", ")]


class Reader:
    """The objects of a fake store as the operator's tool reads them."""

    def __init__(self, store: FakeStore) -> None:
        self._store = store

    def read(self, bucket: str, key: str) -> bytes | None:
        return self._store.objects.get((bucket, key))


def developed(store: FakeStore, **changes: object) -> ImageStatus:
    async def once() -> ImageStatus:
        developer = Developer(store, develop_settings(presets=parse_presets(PRESETS, "test")))
        try:
            return await developer.develop(an_event(**changes))
        finally:
            developer.close()

    return asyncio.run(once())


def a_store() -> FakeStore:
    return FakeStore({(SOURCES, "cat.jpg"): a_picture()})


def manifest_of(status: ImageStatus) -> Announced | None:
    return next((one for one in announced_by(status) if one.preset == MANIFEST), None)


def test_every_address_leads_to_a_stored_object() -> None:
    store = a_store()
    status = developed(store, user_id="a/ü", image_id='cat "x".jpg')
    html = markup(manifest_of(status), Reader(store), "https://cdn.example/d/", 'a "cat" <3')
    found = Addresses(html).found
    keys = {unquote(urlsplit(address).path).removeprefix("/d/") for address in found}
    assert {one.key for one in status.derivatives if one.preset.startswith("hero")} >= keys
    assert len(keys) == 4, "the widths 16 and 64 of two formats; 4000 is as wide as the source, 64 again"
    assert all((DERIVATIVES, key) in store.objects for key in keys)
    assert "<!-- hero -->" in html
    assert 'alt="a &quot;cat&quot; &lt;3"' in html


def test_the_manifest_is_announced_stored_and_replaced_as_a_derivative_is() -> None:
    store = a_store()
    first = developed(store)
    assert first.outcome is Outcome.READY
    assert first.manifest is not None
    assert store.headers[DERIVATIVES, first.manifest.key]["Content-Type"] == "application/json"
    second = developed(store, version=2)
    assert second.manifest is not None
    assert {key for bucket, key in store.objects if bucket == DERIVATIVES} == {one.key for one in announced_by(second)}
    third = developed(store, version=3, presets=("thumb",))
    assert third.manifest is None
    assert {key for bucket, key in store.objects if bucket == DERIVATIVES} == {third.derivatives[0].key}


def test_an_image_without_responsive_derivatives_says_what_to_do() -> None:
    with pytest.raises(OperatorError, match="publish a REDERIVE"):
        markup(None, Reader(a_store()), "https://cdn.example", "")


def test_a_manifest_that_is_gone_is_named() -> None:
    store = a_store()
    manifest = manifest_of(developed(store))
    assert manifest is not None
    del store.objects[DERIVATIVES, manifest.key]
    with pytest.raises(OperatorError, match="is not stored"):
        markup(manifest, Reader(store), "https://cdn.example", "")


@pytest.mark.parametrize("base", ["cdn.example", "", "javascript:alert(1)", "ftp://cdn.example"])
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        markup(None, Reader(a_store()), base, "")


def test_a_manifest_that_is_not_the_announced_one_is_refused() -> None:
    store = a_store()
    manifest = manifest_of(developed(store))
    assert manifest is not None
    store.objects[DERIVATIVES, manifest.key] += b" "
    with pytest.raises(OperatorError, match="not the one that was announced; `darkroom verify`"):
        markup(manifest, Reader(store), "https://cdn.example", "")


@pytest.mark.parametrize("data", [b"", b"{}", b'{"version": 2, "pictures": {}}'])
def test_a_manifest_that_cannot_be_read_is_told_in_a_sentence(data: bytes) -> None:
    store = a_store()
    manifest = manifest_of(developed(store))
    assert manifest is not None
    store.objects[DERIVATIVES, manifest.key] = data
    announced = replace(manifest, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(OperatorError, match="cannot be read"):
        markup(announced, Reader(store), "https://cdn.example", "")
