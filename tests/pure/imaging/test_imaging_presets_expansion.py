import pytest

from udfs.imaging.preset import Responsive
from udfs.imaging.presets import PresetsError, parse_presets


def expanded(entry):
    file = f"version: 1\npresets:\n  - {{name: hero, {entry}}}\nsets: {{default: [hero]}}\n"
    return parse_presets(file, "my.yaml").choose(None)


def problems(entry):
    with pytest.raises(PresetsError) as caught:
        expanded(entry)
    return [problem.removeprefix("my.yaml, line 3: presets[0].") for problem in caught.value.problems]


def test_widths_and_formats():
    presets = expanded("widths: [320, 640], formats: [avif, webp, jpeg], sizes: 50vw, quality: 70")
    assert [(preset.name, preset.width, preset.height, preset.format) for preset in presets] == [
        ("hero-320w-avif", 320, None, "avif"),
        ("hero-320w-webp", 320, None, "webp"),
        ("hero-320w-jpeg", 320, None, "jpeg"),
        ("hero-640w-avif", 640, None, "avif"),
        ("hero-640w-webp", 640, None, "webp"),
        ("hero-640w-jpeg", 640, None, "jpeg"),
    ]
    assert presets[4].responsive == Responsive(entry="hero", descriptor="640w", sizes="50vw")


def test_pixel_ratios():
    presets = expanded("width: 100, height: 50, geometry: cover, gravity: smart, dprs: [1, 1.5, 3], format: png")
    assert [preset.name for preset in presets] == ["hero-1x", "hero-1-5x", "hero-3x"]
    assert [preset.box for preset in presets] == [(100, 50), (150, 75), (300, 150)]
    assert [preset.responsive.descriptor for preset in presets] == ["1x", "1.5x", "3x"]


def test_formats_alone():
    presets = expanded("width: 100, dpr: 2, formats: [webp, png], quality: 70")
    assert [(preset.name, preset.responsive.descriptor) for preset in presets] == [
        ("hero-webp", "2x"),
        ("hero-png", "2x"),
    ]


def test_the_aspect_ratio_of_width_and_height_is_kept():
    presets = expanded("geometry: cover, width: 1600, height: 900, widths: [320, 1000, 1], format: png")
    assert [(preset.width, preset.height) for preset in presets] == [(320, 180), (1000, 563), (1, 1)]
    (flat,) = expanded("geometry: cover, width: 1000, height: 1, widths: [100], format: png")
    assert (flat.width, flat.height) == (100, 1)


def test_each_format_gets_what_does_something_for_it():
    avif, jpeg, png = expanded(
        "width: 9, formats: [avif, jpeg, png], quality: {avif: 55, jpeg: 80}, effort: 4, progressive: true"
    )
    assert (avif.quality, avif.effort, avif.progressive) == (55, 4, False)
    assert (jpeg.quality, jpeg.effort, jpeg.progressive) == (80, None, True)
    assert (png.quality, png.effort, png.progressive) == (None, 4, False)


def test_a_preset_of_an_entry_has_the_fingerprint_of_the_same_recipe_written_alone():
    (webp,) = expanded("widths: [320], formats: [webp], quality: {webp: 70}")
    (alone,) = expanded("width: 320, format: webp, quality: 70")
    assert (webp.name, alone.name) == ("hero-320w-webp", "hero")
    assert webp.recipe_fingerprint == alone.recipe_fingerprint


def test_effects_come_along():
    assert [preset.effects for preset in expanded("widths: [3, 4], format: png, grayscale: true")] == [
        (("grayscale", True),),
        (("grayscale", True),),
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("widths: [3], dprs: [1], format: png", "dprs: give widths or dprs, not both"),
        ("widths: [3], dpr: 2, format: png", "dpr: does nothing beside widths"),
        ("width: 3, dpr: 2, dprs: [1], format: png", "dpr: does nothing beside dprs"),
        ("width: 3, format: png, formats: [png]", "format: give format or formats, not both"),
        ("widths: [3]", "format is missing; allowed: jpeg"),
        ("width: 3, format: png, sizes: 50vw", "sizes: does nothing without widths"),
        ("widths: [3], width: 3, format: png", "widths: needs width and height for the aspect ratio, or neither"),
        ("widths: [3], height: 3, format: png", "widths: needs width and height for the aspect ratio, or neither"),
        ("widths: [3], geometry: cover, format: png", "widths: cover needs both width and height"),
        ("widths: [3, 4, 3], format: png", "widths: names a value twice"),
        ("width: 3, formats: [png, png]", "formats: names a value twice"),
        ("width: 3, formats: [source]", "formats[0] = 'source': not allowed; allowed: a list of jpeg"),
        ("widths: [], format: png", "widths = []: not allowed"),
        ("widths: [3], formats: [webp, png]", "quality: webp needs a quality"),
        (
            "widths: [3], formats: [webp, png], quality: {jpeg: 3, webp: 3}",
            "quality: jpeg does nothing, the formats are webp and",
        ),
        (
            "width: 3, formats: [png, gif], quality: 3",
            "quality: does nothing for png and gif; it is for jpeg, webp, avif",
        ),
        ("width: 3, formats: [webp, png], progressive: true, quality: 3", "progressive: does nothing for webp and png"),
        ("width: 9000, dprs: [1, 2], format: png", "width: 9000 at a dpr of 2 is more than 16383 pixels"),
        (
            "geometry: cover, width: 1, height: 99, widths: [999], format: png",
            "widths: becomes 98901; allowed: a whole",
        ),
        (
            "widths: [3, 4], format: auto, quality: 80",
            "format: auto may choose another format for each of the widths; give formats instead",
        ),
        (
            "width: 3, dprs: [1, 2], format: source, quality: 80",
            "format: source may choose another format for each of the dprs; give formats instead",
        ),
        (
            "width: 3, formats: [webp, jpeg], quality: 3, color_profile: keep, corner_radius: 1",
            "color_profile: keep leaves the source's colours, and the background behind",
        ),
        ("widths: [3], format: png, gravity: smart", "gravity: smart does nothing for fit"),
        (
            "width: 3, formats: [jpeg, png], quality: 3, background: '#00000000'",
            "background: #00000000 lets something through",
        ),
        (
            f"widths: {list(range(1, 34))}, formats: [webp, png], quality: 3",
            "widths: becomes 66 presets, more than 64",
        ),
    ],
)
def test_an_entry_that_makes_no_sense_is_told_once_by_the_keys_that_were_written(entry, expected):
    (problem,) = problems(entry)
    assert problem.startswith(expected)


def test_the_names_are_as_short_as_others():
    file = "version: 1\npresets:\n  - {name: %s, widths: [320], format: png}\nsets: {default: [%s]}\n"
    assert len(parse_presets(file % ("h" * 58, "h" * 58), "x").choose(None)[0].name) == 63
    with pytest.raises(PresetsError, match=r"name: becomes 'h{59}-320w'; allowed: 1 to 63"):
        parse_presets(file % ("h" * 59, "h" * 59), "my.yaml")


def test_a_set_may_name_what_a_broken_entry_would_become():
    file = "version: 1\npresets:\n  - {name: hero, widths: [3], format: pngg}\nsets: {default: [hero-3w]}\n"
    with pytest.raises(PresetsError) as caught:
        parse_presets(file, "my.yaml")
    (problem,) = caught.value.problems
    assert "did you mean png?" in problem


def test_no_preset_is_called_as_one_that_an_entry_becomes():
    file = """
version: 1
presets:
  - {name: hero, widths: [320], format: png}
  - {name: hero-320w, width: 3, format: png}
sets: {default: [hero]}
"""
    with pytest.raises(PresetsError) as caught:
        parse_presets(file, "my.yaml")
    first, second = caught.value.problems
    assert first.startswith("my.yaml, line 4: presets[0].name: becomes 'hero-320w', used 2 times")
    assert second.startswith("my.yaml, line 5: presets[1].name = 'hero-320w': used 2 times")
