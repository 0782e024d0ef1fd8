import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from udfs.imaging.parameters import Asset
from udfs.imaging.preset import NOT_IN_RECIPE, PRESET_MODEL, Preset, Responsive
from udfs.imaging.presets import parse_presets

# Values that each key may have beside the others of RECIPE; the keys of effects have one each.
VALUES = {
    "geometry": ["cover", "pad"],
    "width": [640, 641, 1],
    "height": [480, 481],
    "dpr": [1.0, 1.5, 2.0],
    "enlarge": [False, True],
    "gravity": ["center", "north", "south-west"],
    "background": ["#ffffff", "#fffffe", "#ffffff00"],
    "rotate": [None, 90, 180],
    "flip": [None, "horizontal", "vertical"],
    "trim": [None, 0, 10],
    "linear_light": [False, True],
    "format": ["source", "auto"],
    "quality": [80, 81, {"jpeg": 80, "webp": 80, "avif": 80}, {"jpeg": 80, "webp": 80, "avif": 81}],
    "target_ssim": [None],
    "max_bytes": [None, 1000, 1001],
    "effort": [None, 0, 4],
    "chroma_subsampling": ["4:2:0", "4:4:4"],
    "progressive": [False, True],
    "color_profile": ["srgb", "keep"],
    "metadata": ["strip", "attribution", "all"],
    "animation": ["first", "keep"],
    "grayscale": [None, True],
    "blur": [None, 1.0, 1.5],
    "sharpen": [None, 80, {"amount": 80, "radius": 2.0}],
    "text": [None, {"text": "a"}, {"text": "b"}, {"text": "a", "size": 25}],
    "corner_radius": [None, 8, "full"],
}
APART = {"watermark"}  # has a file, see below
REQUIRED = {"name": "a", "width": 640, "height": 480, "geometry": "cover", "format": "auto", "quality": 80}

WITHOUT_PROFILE = {"geometry": "cover", "grayscale": None, "text": None, "corner_radius": None}


def possible(recipe):
    """The recipe, without what a kept profile would show in wrong colours."""
    return {**recipe, **WITHOUT_PROFILE} if recipe["color_profile"] == "keep" else recipe


recipes = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in VALUES.items()}).map(possible)


def fingerprint(**keys):
    return PRESET_MODEL(**{"name": "a", **keys}).recipe_fingerprint


def test_every_key_is_tried():
    assert set(VALUES) | APART | NOT_IN_RECIPE >= set(Preset.model_fields)


@given(recipes, st.data())
def test_a_change_of_anything_that_changes_bytes_changes_it(recipe, data):
    key = data.draw(st.sampled_from([key for key, values in VALUES.items() if len(values) > 1]))
    other = data.draw(st.sampled_from([value for value in VALUES[key] if value != recipe[key]]))
    changed = {**recipe, key: other}
    assume(possible(changed) == changed)
    assert fingerprint(**recipe) != fingerprint(**changed)


@given(recipes, recipes)
def test_two_recipes_share_it_only_when_they_are_the_same(first, second):
    assume(first != second)
    assert fingerprint(**first) != fingerprint(**second)


@given(recipes, st.randoms())
def test_the_order_of_keys_changes_nothing(recipe, random):
    items = list(recipe.items())
    random.shuffle(items)
    assert fingerprint(**dict(items)) == fingerprint(**recipe)


@given(recipes)
def test_a_default_that_is_written_is_one_that_is_left_out(recipe):
    fields = PRESET_MODEL.model_fields
    left_out = {key: value for key, value in recipe.items() if value != fields[key].default}
    assert fingerprint(**left_out) == fingerprint(**recipe)


def test_a_default_inside_a_mapping_too():
    text = {"text": "a", "size": 24, "position": "south"}
    assert fingerprint(**REQUIRED | {"text": text}) == fingerprint(**REQUIRED | {"text": {"text": "a"}})


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b"},
        {"version": 2},
        {"cache_control": "no-store"},
        {"content_disposition": "attachment"},
        {"responsive": Responsive(entry="hero", descriptor="2x")},
    ],
)
@given(recipes)
def test_what_changes_no_bytes_changes_nothing(change, recipe):
    assert fingerprint(**{**recipe, **change}) == fingerprint(**recipe)


def test_all_that_changes_no_bytes_is_tried():
    assert {"name", "version", "cache_control", "content_disposition", "responsive"} == NOT_IN_RECIPE


FILE = """
version: 1
presets:
  - {name: a, width: 9, format: png, watermark: {image: %s}}
sets: {default: [a]}
"""


def marked(name, content):
    return parse_presets(FILE % name, "my.yaml", {name: content}.__getitem__).choose(None)[0]


def a_mark(color):
    file = io.BytesIO()
    Image.new("RGBA", (2, 2), color).save(file, "PNG")
    return file.getvalue()


def test_the_content_of_a_watermark_counts_and_its_path_does_not():
    red, blue = a_mark("red"), a_mark("blue")
    assert marked("logo.png", red).recipe_fingerprint == marked("marks/other.png", red).recipe_fingerprint
    assert marked("logo.png", red).recipe_fingerprint != marked("logo.png", blue).recipe_fingerprint
    assert Asset.of("a", red) == Asset.of("b", red) != Asset.of("a", blue)


def test_a_width_at_a_pixel_ratio_is_another_recipe_than_the_product():
    recipe = {key: value for key, value in REQUIRED.items() if key not in ("width", "height")}
    small = fingerprint(**recipe, width=320, height=240, dpr=2)
    assert small != fingerprint(**recipe, width=640, height=480)
    assert small == fingerprint(**recipe, width=320, height=240, dpr=2.0)


def test_it_is_pinned_because_it_is_part_of_every_object_key():
    assert fingerprint(width=640, height=480, format="jpeg", quality=80) == "04035196e787"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.5, 4.5, True])
def test_a_pixel_ratio_is_a_number_in_bounds(value):
    with pytest.raises(ValidationError):
        fingerprint(width=9, format="png", dpr=value)
