import pytest
from pictures import encoded
from PIL import Image
from pydantic import ValidationError

from udfs.imaging.parameters import Asset
from udfs.imaging.preset import PRESET_MODEL, Preset
from udfs.imaging.preset_relations import TAKEN_BY
from udfs.imaging.steps.watermark import Watermark

FORMATS = ("jpeg", "webp", "avif", "png", "gif", "source", "auto")
OTHER_VALUES = {
    "quality": 80,
    "target_ssim": 0.95,
    "max_bytes": 5000,
    "effort": 3,
    "chroma_subsampling": "4:4:4",
    "progressive": True,
    "color_profile": "keep",
    "metadata": "all",
    "animation": "keep",
}
MARK = encoded(Image.new("RGB", (2, 2), "red"), "PNG")
BOX = {"width": 9, "height": 9}
ALL = {"jpeg": 80, "webp": 78, "avif": 55}


def clashes(**keys):
    """The keys refused, each with its sentence; nothing when the preset is good."""
    try:
        PRESET_MODEL(**{"name": "a", **BOX, **keys})
    except ValidationError as error:
        (detail,) = error.errors()
        return [(clash.key, clash.message) for clash in detail["ctx"]["clashes"]]
    return []


def test_every_key_that_depends_on_the_format_is_tried():
    assert set(OTHER_VALUES) == set(TAKEN_BY)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("key", OTHER_VALUES)
def test_a_key_that_does_nothing_for_a_format_is_refused(key, format):
    needed = {} if format in ("png", "gif") or key in ("quality", "target_ssim", "max_bytes") else {"max_bytes": 5000}
    found = clashes(format=format, **needed, **{key: OTHER_VALUES[key]})
    if format in (*TAKEN_BY[key], "source", "auto"):
        assert found == []
    else:
        ((refused, sentence),) = found
        assert refused == key
        assert sentence.startswith(f"does nothing for {format}; it is for ")
        assert sentence.endswith(" source and auto")


@pytest.mark.parametrize("key", ["chroma_subsampling", "progressive", "color_profile", "metadata", "animation"])
def test_what_a_format_does_anyway_may_be_said(key):
    default = Preset.model_fields[key].default
    assert [clashes(format=format, **{key: default}) for format in ("png", "gif")] == [[], []]


@pytest.mark.parametrize(
    ("gravity", "good"),
    [
        ("center", {"fit", "fill", "cover", "pad", "stretch"}),
        ("north-east", {"cover", "pad"}),
        ("south", {"cover", "pad"}),
        ("focal", {"cover"}),
        ("smart", {"cover"}),
        ("face", {"cover"}),
    ],
)
def test_a_gravity_needs_something_to_pull_at(gravity, good):
    found = {
        geometry: clashes(format="png", gravity=gravity, geometry=geometry)
        for geometry in ("fit", "fill", "cover", "pad", "stretch")
    }
    assert {geometry for geometry, problems in found.items() if not problems} == good
    assert all(problems[0][0] == "gravity" for problems in found.values() if problems)


@pytest.mark.parametrize("geometry", ["fill", "cover", "pad", "stretch"])
def test_all_geometries_but_fit_need_a_whole_box(geometry):
    assert [key for key, _ in clashes(format="png", geometry=geometry, width=None, height=None)] == ["width", "height"]
    assert [key for key, _ in clashes(format="png", geometry=geometry, width=None)] == ["width"]
    assert clashes(format="png", geometry=geometry) == []


def test_fit_needs_one_side():
    assert clashes(format="png", width=None) == clashes(format="png", height=None) == []
    assert clashes(format="png", width=None, height=None) == [("width", "fit needs width, height or both")]


def test_device_pixels_are_bounded_like_others():
    assert clashes(format="png", width=8191, dpr=2) == []
    assert clashes(format="png", width=8192, dpr=2) == [("width", "8192 at a dpr of 2 is more than 16383 pixels")]


@pytest.mark.parametrize("format", ["jpeg", "webp", "avif", "source", "auto"])
def test_a_lossy_format_needs_to_know_how_good(format):
    assert clashes(format=format) == [("quality", f"{format} needs a quality, a target_ssim or max_bytes")]


def test_quality_and_target_contradict_and_a_budget_goes_with_both():
    assert clashes(format="jpeg", quality=80, target_ssim=0.9) == [("quality", "give quality or target_ssim, not both")]
    assert clashes(format="jpeg", quality=80, max_bytes=900) == clashes(format="jpeg", target_ssim=0.9, max_bytes=900)


@pytest.mark.parametrize(
    ("format", "missing"),
    [("source", "jpeg"), ("source", "webp"), ("source", "avif"), ("auto", "jpeg"), ("auto", "webp")],
)
def test_qualities_by_format_cover_every_format_a_preset_may_end_in(format, missing):
    rest = {key: value for key, value in ALL.items() if key != missing}
    assert clashes(format=format, quality=ALL) == []
    assert clashes(format=format, quality=rest) == [
        ("quality", f"{missing} is missing, and {format} may end in it"),
    ]


def test_auto_never_ends_in_avif_and_needs_no_quality_for_it():
    assert clashes(format="auto", quality={"jpeg": 80, "webp": 78}) == []


def test_the_name_of_the_manifest_in_keys_is_taken():
    assert Preset(name="manifests", width=9, format="png").name == "manifests"
    assert clashes(name="manifest", format="png") == [
        ("name", "manifest is what the list of responsive derivatives is called")
    ]


def test_faces_need_their_extra(monkeypatch):
    face = {"geometry": "cover", "gravity": "face", "format": "png"}
    assert clashes(**face) == []
    monkeypatch.setattr("udfs.imaging.preset_relations.available", lambda: False)
    assert clashes(**face) == [("gravity", "face needs OpenCV; run pip install -e '.[faces]' in the checkout")]


def test_a_quality_for_another_format_does_nothing():
    assert clashes(format="webp", quality={"webp": 78}) == []
    assert clashes(format="webp", quality={"webp": 78, "avif": 55}) == [
        ("quality", "avif does nothing, the format is webp")
    ]


def test_a_jpeg_has_no_transparent_background():
    assert clashes(format="jpeg", quality=80, background="#00ff00ff") == []
    assert clashes(format="png", background="#00ff0080") == []
    ((key, sentence),) = clashes(format="jpeg", quality=80, background="#00ff0080")
    assert key == "background"
    assert sentence.endswith("write '#00ff00'")


def test_every_clash_is_told():
    found = clashes(format="gif", quality=3, effort=2, gravity="face", metadata="all", width=9000, dpr=3)
    assert sorted(key for key, _ in found) == ["effort", "gravity", "metadata", "quality", "width"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"grayscale": True}, "grayscale leaves none"),
        ({"watermark": Watermark(image=Asset.of("a.png", MARK))}, "a watermark is sRGB"),
        ({"text": {"text": "a"}}, "the colours of a text are sRGB"),
        ({"geometry": "pad"}, "the background of a pad is sRGB"),
        ({"corner_radius": 3, "format": "jpeg", "quality": 80}, "the background behind round corners is sRGB"),
        ({"corner_radius": 3, "format": "auto", "quality": 80}, "the background behind round corners is sRGB"),
    ],
)
def test_colours_of_the_preset_are_not_shown_by_the_profile_of_the_source(keys, why):
    keys = {"format": "png", **keys}
    assert clashes(**keys) == []
    assert clashes(color_profile="keep", **keys) == [("color_profile", f"keep leaves the source's colours, and {why}")]


def test_a_kept_profile_goes_with_what_draws_no_colour():
    assert clashes(format="png", color_profile="keep", corner_radius="full", blur=1.0, background="#00000000") == []
