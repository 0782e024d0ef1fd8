"""Any effect with any allowed value on any picture: a picture of the right size and mode, the same every time."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import encoded, four_corners, opened
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from udfs.imaging.geometry import Canvas, Size
from udfs.imaging.parameters import HALVES, Asset
from udfs.imaging.plan import Plan
from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.render import render
from udfs.imaging.steps import EFFECTS, develop
from udfs.imaging.steps.sharpen import UnsharpMask
from udfs.imaging.steps.text import Text
from udfs.imaging.steps.watermark import Watermark

ASSETS = [
    Asset.of(f"{index}.png", encoded(image, "PNG"))
    for index, image in enumerate(
        [
            Image.new("RGBA", (7, 3), (255, 0, 0, 128)),
            Image.new("LA", (1, 1), (200, 90)),
            Image.new("RGB", (1, 60), "navy"),
            Image.new("L", (200, 2), 255),
        ]
    )
]
COMPASS = st.sampled_from(sorted(HALVES))
OPACITIES = st.floats(0.001, 1)
MARGINS = st.integers(0, 1000)
COLOURS = st.sampled_from(["#ffffff", "#000000", "#ff000080", "#00000000", "#336699"])

VALUES = {
    "grayscale": st.just(True),
    "blur": st.floats(0.1, 100),
    "sharpen": st.integers(1, 500)
    | st.builds(UnsharpMask, radius=st.floats(0.1, 10), amount=st.integers(1, 500)),
    "watermark": st.builds(
        Watermark,
        image=st.sampled_from(ASSETS),
        position=COMPASS,
        opacity=OPACITIES,
        scale=st.floats(0.001, 1),
        margin=MARGINS,
        tile=st.booleans(),
    ),
    "text": st.builds(
        Text,
        text=st.text(st.sampled_from("aWg 1.\n"), min_size=1, max_size=200),
        position=COMPASS,
        size=st.integers(4, 500),
        color=COLOURS,
        outline=st.none() | COLOURS,
        opacity=OPACITIES,
        margin=MARGINS,
    ),
    "corner_radius": st.integers(1, 8192) | st.just("full"),
}  # fmt: skip
SIDES = st.integers(1, 90)
ASKED = st.fixed_dictionaries({}, optional=VALUES)


@st.composite
def pictures(draw):
    size, seed = (draw(SIDES), draw(SIDES)), draw(st.integers(0, 255))
    image = Image.linear_gradient("L").resize(size).rotate(seed)
    mode = draw(st.sampled_from(["L", "LA", "RGB", "RGBA"]))
    return Image.merge(mode, [image.point(lambda v, band=band: (v + band * 50) % 256) for band in range(len(mode))])


def plan_of(image, asked, dpr, canvas=None):
    effects = tuple((effect.key, asked[effect.key]) for effect in EFFECTS if effect.key in asked)
    return Plan(box=(0, 0, *image.size), size=image.size, effects=effects, dpr=dpr, canvas=canvas)


@given(image=pictures(), asked=ASKED, dpr=st.floats(1, 4))
def test_any_effects_on_any_picture_give_a_picture_of_its_size_that_can_be_encoded(image, asked, dpr):
    before = image.tobytes()
    plan = plan_of(image, asked, dpr)
    done = develop(image, plan)
    assert done.size == image.size
    assert done.mode in ("L", "LA", "RGB", "RGBA")
    assert done.mode.endswith("A") == (image.mode.endswith("A") or "corner_radius" in asked)
    assert image.tobytes() == before
    assert develop(image, plan).tobytes() == done.tobytes()


@given(image=pictures(), asked=ASKED, right=SIDES, lower=SIDES, left=SIDES, upper=SIDES)
def test_effects_on_a_padded_picture_give_the_canvas(image, asked, right, lower, left, upper):
    canvas = Canvas(Size(image.width + left + right, image.height + upper + lower), left, upper)
    assert develop(image, plan_of(image, asked, 1.0, canvas)).size == canvas.size


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@given(asked=ASKED)
def test_grey_stays_grey_without_colour(mode, asked):
    grey_only = {key: value for key, value in asked.items() if key not in ("watermark", "text")}
    done = develop(Image.new(mode, (5, 4)), plan_of(Image.new(mode, (5, 4)), grey_only, 1.0))
    assert done.mode.startswith("L") == (mode.startswith("L") or "grayscale" in asked)


@given(asked=ASKED)
def test_a_plan_with_any_effects_can_be_compared_and_sent_to_another_process(asked):
    plan = plan_of(Image.new("L", (1, 1)), asked, 1.0)
    assert hash(plan) == hash(plan_of(Image.new("L", (1, 1)), dict(asked), 1.0))
    assert pickle.loads(pickle.dumps(plan)) == plan


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("grayscale", False),
        ("blur", 0), ("blur", 101), ("blur", float("nan")), ("blur", "3"),
        ("sharpen", 0), ("sharpen", 501), ("sharpen", 0.5), ("sharpen", {"radius": 11}), ("sharpen", {"sigma": 1}),
        ("sharpen", True),
        ("corner_radius", 0), ("corner_radius", 8193), ("corner_radius", "max"),
        ("watermark", {}), ("watermark", {"image": ASSETS[0], "scale": 0}),
        ("watermark", {"image": ASSETS[0], "opacity": 1.1}), ("watermark", {"image": ASSETS[0], "position": "left"}),
        ("text", "Hello"), ("text", {"text": "a", "size": 3}), ("text", {"text": "a", "color": "red"}),
        ("text", {"text": "a", "margin": -1}),
    ],
)  # fmt: skip
def test_values_out_of_bounds_are_refused(key, value):
    with pytest.raises(ValidationError, match=key):
        PRESET_MODEL(name="p", width=10, format="png", **{key: value})


def test_every_effect_changes_the_fingerprint_and_the_picture():
    plain = PRESET_MODEL(name="p", width=100, format="png")
    source = encoded(four_corners(), "PNG")
    whole = render(source, [plain]).derivatives[0]
    for key, value in {
        "grayscale": True,
        "blur": 3,
        "sharpen": {"radius": 2, "amount": 200},
        "watermark": {"image": ASSETS[2]},
        "text": {"text": "Hello"},
        "corner_radius": "full",
    }.items():
        preset = PRESET_MODEL(name="p", width=100, format="png", **{key: value})
        assert preset.recipe_fingerprint != plain.recipe_fingerprint
        done = render(source, [preset]).derivatives[0]
        assert (done.width, done.height) == (whole.width, whole.height)
        assert opened(done.data).convert("RGBA").tobytes() != opened(whole.data).convert("RGBA").tobytes()


def test_the_fingerprint_sees_what_a_watermark_file_holds_and_not_its_name():
    def fingerprint(asset):
        preset = PRESET_MODEL(name="p", width=100, format="png", watermark={"image": asset})
        return preset.recipe_fingerprint

    assert fingerprint(ASSETS[0]) == fingerprint(Asset.of("renamed.png", ASSETS[0].data))
    assert fingerprint(ASSETS[0]) != fingerprint(ASSETS[1])


def test_every_parameter_has_a_json_schema_that_says_what_is_allowed():
    for effect in EFFECTS:
        assert TypeAdapter(effect.parameter).json_schema()
        assert effect.description
