import itertools
import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from record_strategies import HOSTILE_IDS, hostile_ids

from schemas.keys import (
    PART_MAX_BYTES,
    DerivativeKey,
    derivative_key,
    image_prefix,
    key_part,
    parse_derivative_key,
    replaced_keys,
)

S3_KEY_MAX_BYTES = 1024
FILE_NAME_MAX_BYTES = 255
SAFE_PART = re.compile(r"[A-Za-z0-9_.%~-]+")

versions = st.integers(0, 2**63 - 1)
recipes = st.text("0123456789abcdef", min_size=8, max_size=16)
extensions = st.sampled_from(["jpg", "webp", "avif", "png", "gif", "json"])


def stored_key(version: int, preset: str = "thumb", recipe: str = "aaaaaaaaaaaa") -> str:
    return derivative_key("u", "i", version, preset, recipe, "jpg")


@given(hostile_ids)
def test_a_part_is_short_ascii_and_never_a_path(text):
    part = key_part(text)
    assert SAFE_PART.fullmatch(part)
    assert part.strip(".") != ""
    assert len(part.encode("ascii")) <= PART_MAX_BYTES


@given(hostile_ids, hostile_ids)
def test_two_ids_never_share_a_part(one, other):
    assume(one != other)
    assert key_part(one) != key_part(other)


def test_no_two_hostile_ids_share_a_part():
    for one, other in itertools.combinations(HOSTILE_IDS, 2):
        assert key_part(one) != key_part(other), (one[:40], other[:40])


@given(hostile_ids)
def test_an_id_that_looks_like_the_part_of_another_does_not_share_it(text):
    assume(key_part(text) != text)
    assert key_part(key_part(text)) != key_part(text)


@given(hostile_ids)
def test_a_part_that_is_not_a_digest_decodes_back(text):
    part = key_part(text)
    if not part.startswith("~"):
        assert unquote_to_bytes(part) == text.encode("utf-8", "surrogatepass")


@given(hostile_ids, hostile_ids, versions, hostile_ids, recipes, extensions)
@example("😀" * 49, "/" * 66, 2**63 - 1, "\0" * 66, "0" * 16, "webp")
def test_a_whole_key_fits_every_store_and_parses_back(user, image, version, preset, recipe, extension):
    key = derivative_key(user, image, version, preset, recipe, extension)
    segments = key.split("/")
    assert len(key.encode("ascii")) < S3_KEY_MAX_BYTES
    assert len(segments) == 4
    assert all(segment.strip(".") and len(segment) <= FILE_NAME_MAX_BYTES for segment in segments)
    assert key.startswith(image_prefix(user, image))
    assert parse_derivative_key(key) == DerivativeKey(version, key_part(preset), recipe)


@given(hostile_ids, hostile_ids, hostile_ids, hostile_ids)
def test_no_image_lies_under_the_prefix_of_another(user, image, other_user, other_image):
    assume((user, image) != (other_user, other_image))
    assert not image_prefix(user, image).startswith(image_prefix(other_user, other_image))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "a",
        "u/i/1",
        "u/i/one/thumb-aaaaaaaaaaaa.jpg",
        "u/i/01/thumb-aaaaaaaaaaaa.jpg",
        "u/i/ 1/thumb-aaaaaaaaaaaa.jpg",
        "u/i/1_0/thumb-aaaaaaaaaaaa.jpg",
        "u/i/\u0661/thumb-aaaaaaaaaaaa.jpg",
        "u/i/1/thumb.jpg",
        "u/i/1/thumb-aaaaaaaaaaaa",
        "u/i/1/-aaaaaaaaaaaa.jpg",
        "u/i/1/thumb-.jpg",
        "u/i/1/x/thumb-aaaaaaaaaaaa.jpg",
        "u/i/1/thumb-aaaaaaaaaaaa.txt",
        "u/i/1/thumb-AAAAAAAAAAAA.jpg",
        "u/i/1/thumb-aaaaaaa.jpg",
        "u/i/1/thumb-aaaaaaaaaaaa.jpg.jpg",
        "u/i/1/thumb-aaaaaaaaaaaa\n.jpg",
        "u/i/1/notes-final.txt",
        "u/i/2/logo-original.png",
    ],
)
def test_a_foreign_key_is_refused_by_name(key):
    with pytest.raises(ValueError, match=re.escape(repr(key))):
        parse_derivative_key(key)


@given(st.text(max_size=60))
def test_parsing_any_text_gives_a_key_or_a_value_error(text):
    try:
        assert parse_derivative_key(text).preset
    except ValueError:
        pass


def test_a_new_version_replaces_every_key_of_the_others():
    old = [stored_key(1), stored_key(2, "large"), stored_key(4)]
    assert replaced_keys(old, [stored_key(3)]) == old


def test_the_same_version_keeps_presets_that_were_not_asked_for():
    assert replaced_keys([stored_key(1, "large")], [stored_key(1, "thumb")]) == []


def test_a_new_recipe_replaces_the_old_one_of_its_preset_only():
    existing = [stored_key(1, "thumb", "aaaaaaaaaaaa"), stored_key(1, "large", "aaaaaaaaaaaa")]
    assert replaced_keys(existing, [stored_key(1, "thumb", "bbbbbbbbbbbb")]) == existing[:1]


def test_a_foreign_key_is_never_replaced():
    foreign = ["u/i/readme.txt", "u/i/1/notes", "u/i/1/notes-final.txt", "u/i/2/thumb-original.png"]
    assert replaced_keys(foreign, [stored_key(2)]) == []


def test_nothing_is_replaced_when_nothing_was_stored():
    assert replaced_keys([stored_key(1)], []) == []


@given(st.lists(st.builds(stored_key, st.integers(0, 3), st.sampled_from(["thumb", "large"]), recipes), max_size=6))
def test_what_was_just_stored_is_never_replaced_and_a_replay_replaces_nothing_more(stored):
    existing = [stored_key(9), "u/i/readme.txt"]
    gone = replaced_keys([*existing, *stored], stored)
    assert not set(gone) & set(stored)
    assert replaced_keys([key for key in [*existing, *stored] if key not in gone], stored) == []
