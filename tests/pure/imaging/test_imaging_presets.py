import pickle
import time
from pathlib import Path

import cloudpickle
import pytest
from pydantic import ValidationError

from udfs.imaging.preset import PRESET_MODEL, Preset, QualityByFormat
from udfs.imaging.presets import PresetsError, UnknownPreset, parse_presets

SHIPPED = Path(__file__).parents[3] / "jobs" / "presets.yaml"
FIVE = ("thumb-256", "fit-640-webp", "fit-640-jpeg", "fit-1280-webp", "fit-1280-jpeg")

GOOD = """\
version: 1
presets:
  - {name: small, geometry: cover, width: 256, height: 256, format: jpeg, quality: 80}
  - {name: large, width: 1280, format: png}
  - {name: hero, widths: [320, 640], formats: [webp, jpeg], quality: 80}
sets:
  default: [small, large]
  tiny: [small]
  web: [hero, small, hero-320w-webp]
"""

RULES = """\
rules:
  - {when: {user: "acme-*", attributes: {plan: pro}}, set: web}
  - {when: {attributes: {plan: "pr?", region: "[ef]*"}}, set: tiny}
  - {when: {user: "acme-*"}, set: tiny}
"""


def names(presets):
    return [preset.name for preset in presets]


@pytest.fixture
def presets():
    return parse_presets(GOOD + RULES, "my.yaml")


def test_the_shipped_file():
    presets = parse_presets(SHIPPED.read_text(), SHIPPED.name)
    assert presets.default == FIVE
    assert names(presets.choose(None)) == list(FIVE)
    assert len({preset.recipe_fingerprint for preset in presets.by_name.values()}) == len(presets.by_name) == 20
    assert set(presets.sets) == {"default", "web", "mobile", "low-data", "archive"}
    assert len(presets.entries["hero"]) == 9
    assert presets.entries["card"] == ("card-1x", "card-2x", "card-3x")


def test_a_good_file(presets):
    large = presets.get("large")
    assert (large.version, large.geometry, large.width, large.height, large.format) == (1, "fit", 1280, None, "png")
    assert presets.get("none") is None
    assert presets.sets["tiny"] == ("small",)


def test_an_event_names_presets_entries_and_sets_and_gets_each_preset_once_in_its_order(presets):
    hero = ["hero-320w-webp", "hero-320w-jpeg", "hero-640w-webp", "hero-640w-jpeg"]
    assert names(presets.choose(["large", "small", "large"])) == ["large", "small"]
    assert names(presets.choose(["hero"])) == hero
    assert names(presets.choose(["web"])) == [*hero, "small"]
    assert names(presets.choose(["hero-640w-webp", "tiny", "web"])) == [
        "hero-640w-webp",
        "small",
        "hero-320w-webp",
        "hero-320w-jpeg",
        "hero-640w-jpeg",
    ]
    assert presets.choose([]) == ()


def test_an_unknown_name_is_told_with_what_an_event_may_name(presets):
    with pytest.raises(
        UnknownPreset, match="'huge' is not defined; ask for one of small, large, hero, default"
    ) as caught:
        presets.choose(["small", "huge", "no"])
    assert (caught.value.name, caught.value.known) == ("huge", ("small", "large", "hero", "default", "tiny", "web"))


@pytest.mark.parametrize(
    ("user_id", "attributes", "expected"),
    [
        ("acme-7", {"plan": "pro"}, "web"),
        ("acme-7", {"plan": "pro", "region": "eu"}, "web"),
        ("other", {"plan": "pro", "region": "eu"}, "tiny"),
        ("other", {"plan": "prx", "region": "fr"}, "tiny"),
        ("other", {"plan": "pro", "region": "us"}, "default"),
        ("other", {"plan": "pro"}, "default"),
        ("acme-7", {}, "tiny"),
        ("acme-7", {"plan": "PRO"}, "tiny"),
        ("ACME-7", {}, "default"),
        ("acme", {}, "default"),
        ("", {}, "default"),
    ],
)
def test_the_first_rule_whose_conditions_all_hold_chooses_the_set(presets, user_id, attributes, expected):
    assert names(presets.choose(None, user_id, attributes)) == list(presets.sets[expected])


def test_an_attribute_that_an_event_lacks_matches_nothing():
    presets = parse_presets(GOOD + 'rules: [{when: {attributes: {plan: "*"}}, set: tiny}]', "my.yaml")
    assert presets.set_of("u", {}) == "default"
    assert presets.set_of("u", {"plan": ""}) == "tiny"


def test_rules_are_for_events_that_name_nothing(presets):
    assert names(presets.choose(["large"], "acme-7", {"plan": "pro"})) == ["large"]
    assert names(presets.choose(None)) == ["small", "large"]


def test_the_worst_pattern_and_the_longest_attribute_are_matched_at_once():
    pattern = "*a" * 99 + "b"
    presets = parse_presets(GOOD + f"rules: [{{when: {{attributes: {{x: '{pattern}'}}}}, set: tiny}}]", "my.yaml")
    began = time.process_time()
    assert names(presets.choose(None, "u", {"x": "a" * 16_384})) == ["small", "large"]
    assert time.process_time() - began < 1


def test_anchors_and_merged_keys():
    text = """
version: 1
presets:
  - &thumb {name: thumb, geometry: cover, width: 64, height: 64, format: jpeg, quality: 80}
  - {<<: *thumb, name: thumb-webp, format: webp}
sets: {default: [thumb, thumb-webp]}
"""
    thumb, webp = parse_presets(text, "my.yaml").choose(None)
    assert (webp.name, webp.format, webp.width, webp.quality) == ("thumb-webp", "webp", thumb.width, thumb.quality)


def test_an_alias_bomb_is_told_in_little_time_and_few_words():
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    with pytest.raises(PresetsError) as caught:
        parse_presets(f"a0: &a0 [x]\n{levels}version: *a29\nsets: *a29\npresets: *a29\n", "my.yaml")
    assert len(str(caught.value)) < 20_000


def test_presets_survive_the_way_to_the_workers(presets):
    assert cloudpickle.loads(cloudpickle.dumps(presets)) == presets
    assert pickle.loads(pickle.dumps(presets.get("small"))) == presets.get("small")
    assert b"cloudpickle" not in cloudpickle.dumps(presets)  # no class travels by value


def test_a_preset_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        PRESET_MODEL(name="a", width=1, format="png").width = 3


def test_the_quality_of_the_format_a_derivative_ends_in():
    by_format = QualityByFormat(jpeg=80, webp=78, avif=55)
    preset = Preset(name="a", width=1, format="auto", quality=by_format)
    assert [preset.quality_for(format) for format in ("jpeg", "webp", "avif", "png")] == [80, 78, 55, None]
    assert Preset(name="a", width=1, format="auto", quality=70).quality_for("avif") == 70
    assert Preset(name="a", width=1, format="auto", max_bytes=700).quality_for("avif") is None
