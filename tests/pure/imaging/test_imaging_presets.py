from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from udfs.imaging.presets import Preset, PresetsError, UnknownPreset, parse_presets

SHIPPED = Path(__file__).parents[3] / "jobs" / "presets.yaml"
RECIPE = {"name": "a", "version": 1, "geometry": "fit", "width": 640, "height": 480, "format": "jpeg", "quality": 80}

GOOD = """\
version: 1
presets:
  - name: small
    geometry: cover
    width: 256
    height: 256
    format: jpeg
    quality: 80
  - name: large
    geometry: fit
    width: 1280
    format: png
sets:
  default: [small, large]
  tiny: [small]
"""


def problems(text):
    with pytest.raises(PresetsError) as caught:
        parse_presets(text, "my.yaml")
    return caught.value.problems


def test_the_shipped_file():
    presets = parse_presets(SHIPPED.read_text(), SHIPPED.name)
    assert presets.default == ("thumb-256", "fit-640-webp", "fit-640-jpeg", "fit-1280-webp", "fit-1280-jpeg")
    assert [preset.name for preset in presets.choose(None)] == list(presets.default)
    assert len({preset.recipe_fingerprint for preset in presets.choose(None)}) == 5


def test_a_good_file():
    presets = parse_presets(GOOD, "my.yaml")
    large = presets.get("large")
    assert large is not None
    assert (large.version, large.extension, large.content_type, large.cache_control) == (1, "png", "image/png", None)
    assert presets.get("none") is None


def test_choosing():
    presets = parse_presets(GOOD, "my.yaml")
    assert [preset.name for preset in presets.choose(["large", "small", "large"])] == ["large", "small"]
    assert presets.choose([]) == ()
    with pytest.raises(UnknownPreset, match="'huge' is not defined; ask for one of small, large") as caught:
        presets.choose(["small", "huge"])
    assert (caught.value.name, caught.value.known) == ("huge", ("small", "large"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "width: 256",
            "width: 0",
            "line 5: presets[0].width = 0: not allowed; allowed: a whole number of pixels from 1 to 16383",
        ),
        ("width: 256", "width: -1", "line 5: presets[0].width = -1: not allowed"),
        ("width: 256", "width: 100000", "line 5: presets[0].width = 100000: not allowed"),
        ("width: 256", "width: '256'", "line 5: presets[0].width = '256': not allowed"),
        ("width: 256", "width: true", "line 5: presets[0].width = True: not allowed"),
        ("width: 256", "width: 256.5", "line 5: presets[0].width = 256.5: not allowed"),
        ("    width: 256\n", "", "line 3: presets[0].width: cover needs both width and height"),
        ("    height: 256\n", "", "line 3: presets[0].height: cover needs both width and height"),
        ("    width: 1280\n", "", "line 9: presets[1].width: fit needs width, height or both"),
        ("format: png", "format: bmp", "line 12: presets[1].format = 'bmp': not allowed; allowed: jpeg, webp or png"),
        ("    format: png\n", "", "line 9: presets[1].format is missing; allowed: jpeg, webp or png"),
        ("geometry: fit", "geometry: fill", "line 10: presets[1].geometry = 'fill': not allowed; allowed: fit (inside"),
        (
            "quality: 80",
            "quality: 0",
            "line 8: presets[0].quality = 0: not allowed; allowed: a whole number from 1 to 100",
        ),
        ("quality: 80", "quality: 101", "line 8: presets[0].quality = 101: not allowed"),
        ("    quality: 80\n", "", "line 3: presets[0].quality: jpeg needs a quality, 1 to 100"),
        ("format: png", "format: png\n    quality: 90", "line 13: presets[1].quality: png takes no quality"),
        (
            "format: png",
            "format: png\n    blur: 3",
            "line 13: presets[1].blur is not a known key; allowed: name, version, geom",
        ),
        ("format: png", "format: png\n    version: 0", "line 13: presets[1].version = 0: not allowed"),
        ("format: png", 'format: png\n    cache_control: "a\\nb"', "line 13: presets[1].cache_control = 'a\\nb': not"),
        ("name: large", "name: ../large", "line 9: presets[1].name = '../large': not allowed; allowed: 1 to 63 of a-z"),
        ("name: large", "name: small", "line 3: presets[0].name = 'small': used 2 times; a name is unique"),
        (
            "    width: 1280\n",
            "    width: 1280\n    width: 640\n",
            'line 12: not valid YAML: found duplicate key "width"',
        ),
        ("[small]", "[smal]", "line 15: sets.tiny[0] = 'smal': no such preset; defined: large, small"),
        ("[small]", "[]", "line 15: sets.tiny = []: a set lists at least one preset"),
        ("  default: [small, large]\n", "", "line 13: sets.default is missing"),
        ("version: 1\n", "version: 2\n", "line 1: version = 2: not allowed; allowed: 1"),
        ("version: 1\n", "", ": version is missing; allowed: 1"),
        ("version: 1\n", "version: 1\nextra: 1\n", "line 2: extra is not a known key; allowed: version, presets, sets"),
        (
            "  - name: large",
            "  - large\n  - name: large",
            "presets[1] = 'large': not allowed; allowed: a mapping with the keys",
        ),
    ],
)
def test_each_fault_is_told_with_line_key_value_and_what_is_allowed(old, new, expected):
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith("my.yaml") for problem in found)


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- b\n", "just words", "42"])
def test_a_file_of_another_shape(text):
    (problem,) = problems(text)
    assert problem.startswith("my.yaml: a mapping with the keys version, presets and sets is needed, this holds ")


@pytest.mark.parametrize("text", ["a: [1,\n", "a: b: c", "\tx: 1", "key: !unknown {", "\x00", "a: *none"])
def test_a_file_that_is_not_yaml(text):
    (problem,) = problems(text)
    assert problem.startswith("my.yaml")
    assert "not valid YAML" in problem


def test_all_problems_are_told_together_in_the_order_of_the_file():
    found = problems(
        GOOD.replace("width: 256", "width: 0")
        .replace("png", "gif")
        .replace("[small]", "[none]")
        .replace("version: 1", "version: 3")
    )
    assert len(found) == 4
    lines = [int(problem.split("line ")[1].split(":")[0]) for problem in found]
    assert lines == sorted(lines) == [1, 5, 12, 15]


@pytest.mark.parametrize("text", ["version: 1\npresets: 3\nsets: 4\n", "version: 1\npresets: []\nsets: {default: x}\n"])
def test_wrong_types_in_the_large(text):
    assert len(problems(text)) >= 2


@given(st.permutations(sorted(RECIPE)))
def test_the_order_of_keys_changes_no_fingerprint(order):
    assert Preset(**{key: RECIPE[key] for key in order}).recipe_fingerprint == Preset(**RECIPE).recipe_fingerprint


@pytest.mark.parametrize(
    "change",
    [{"geometry": "cover"}, {"width": 641}, {"width": None}, {"height": 481}, {"format": "webp"}, {"quality": 81}],
)
def test_what_changes_bytes_changes_the_fingerprint(change):
    assert Preset(**{**RECIPE, **change}).recipe_fingerprint != Preset(**RECIPE).recipe_fingerprint


@pytest.mark.parametrize("change", [{"name": "b"}, {"version": 2}, {"cache_control": "no-store"}])
def test_what_changes_no_bytes_changes_no_fingerprint(change):
    assert Preset(**{**RECIPE, **change}).recipe_fingerprint == Preset(**RECIPE).recipe_fingerprint


def test_the_fingerprint_is_pinned_because_it_is_part_of_every_object_key():
    assert Preset(**RECIPE).recipe_fingerprint == "2c987a7df473"


def test_a_preset_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Preset(**RECIPE).width = 3
