"""Plans against pixels: what Pillow makes of the whole picture step by step is what the plan of one pass gives."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import encoded, exif_orientation, four_corners, mean_difference, opened, photo
from PIL import Image, ImageDraw, ImageOps
from PIL.Image import Transpose

from udfs.imaging import gaze
from udfs.imaging.cascade import Cascade
from udfs.imaging.decode import Decoded, decode
from udfs.imaging.geometry import Size
from udfs.imaging.limits import DEFAULT_LIMITS
from udfs.imaging.parameters import HALVES
from udfs.imaging.planner import Planner, framing_of
from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.probe import probe
from udfs.imaging.steps import develop

ROTATIONS = (None, 90, 180, 270)
FLIPS = (None, "horizontal", "vertical")


def preset(**keys):
    return PRESET_MODEL(**{"name": "any", "format": "png", **keys})


def decoded_for(source, *presets) -> Decoded:
    return decode(probe(source, DEFAULT_LIMITS), lambda shown: [framing_of(one, shown) for one in presets])


def made(source, asked, focal_point=None):
    """Return the picture that a preset makes of a source, before encoding."""
    decoded = decoded_for(source, asked)
    plan = Planner(decoded, focal_point).plan(asked)
    return develop(Cascade(decoded.image).shrunk(plan), plan)


def stored_for(shown, orientation):
    """Return what must be stored so that EXIF's orientation shows it."""
    tagged = shown.copy()
    tagged.getexif()[0x0112] = {6: 8, 8: 6}.get(orientation, orientation)
    return ImageOps.exif_transpose(tagged)


def turned(image, rotate, flip):
    image = image.rotate(-(rotate or 0), expand=True)
    if flip is None:
        return image
    return image.transpose(Transpose.FLIP_LEFT_RIGHT if flip == "horizontal" else Transpose.FLIP_TOP_BOTTOM)


def jpeg(image, orientation=1):
    return encoded(image, "JPEG", quality=95, exif=exif_orientation(orientation))


@pytest.mark.parametrize(("rotate", "flip"), list(product(ROTATIONS, FLIPS)))
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_compose_with_the_orientation_of_the_source_also_from_a_reduced_decode(orientation, rotate, flip):
    shown = four_corners(1200, 800)
    source = jpeg(stored_for(shown, orientation), orientation)
    expected = turned(shown, rotate, flip)
    for keys in ({"width": 96}, {"height": 96}, {"width": 96, "height": 48, "geometry": "stretch"}):
        asked = preset(rotate=rotate, flip=flip, **keys)
        assert decoded_for(source, asked).scale > 1
        result = made(source, asked)
        if "geometry" in keys:
            assert result.size == (96, 48)
        else:
            side = 0 if "width" in keys else 1
            assert result.size[side] == 96
            assert result.size[1 - side] == round(96 * expected.size[1 - side] / expected.size[side])
        assert mean_difference(result, expected.resize(result.size)) < 4


def coloured_grid(width, height, columns=6, rows=4):
    image = Image.new("RGB", (width, height))
    cell = (width // columns, height // rows)
    for column, row in product(range(columns), range(rows)):
        colour = (40 + 40 * column, 40 + 60 * row, 128)
        image.paste(colour, (column * cell[0], row * cell[1], (column + 1) * cell[0], (row + 1) * cell[1]))
    return image


@pytest.mark.parametrize("gravity", list(HALVES))
@pytest.mark.parametrize(("orientation", "rotate", "flip"), [(1, None, None), (6, None, None), (6, 90, "horizontal")])
@pytest.mark.parametrize("box", [(60, 60), (120, 30)])
def test_compass_points_are_those_of_the_final_picture(gravity, orientation, rotate, flip, box):
    shown = coloured_grid(1200, 800)
    source = jpeg(stored_for(shown, orientation), orientation)
    asked = preset(geometry="cover", width=box[0], height=box[1], gravity=gravity, rotate=rotate, flip=flip)
    x, y = HALVES[gravity]
    expected = ImageOps.fit(turned(shown, rotate, flip), box, centering=(x / 2, y / 2))
    result = made(source, asked)
    assert result.size == box
    assert mean_difference(result, expected) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("rotate", "flip"), [(None, None), (90, None), (270, "vertical"), (180, "horizontal")])
@pytest.mark.parametrize("spot", [(0.25, 0.5), (0.7, 0.3), (0.02, 0.98)])
def test_the_focal_point_of_the_displayed_picture_stays_in_the_crop(orientation, rotate, flip, spot):
    shown = Image.new("RGB", (1200, 800), "white")
    x, y = round(spot[0] * 1200), round(spot[1] * 800)
    ImageDraw.Draw(shown).ellipse((x - 24, y - 24, x + 24, y + 24), fill="black")
    source = jpeg(stored_for(shown, orientation), orientation)
    width, height = (40, 80) if rotate in (90, 270) else (80, 40)
    for box in ((min(width, height),) * 2, (width, height // 2), (width // 4, height)):
        asked = preset(geometry="cover", width=box[0], height=box[1], gravity="focal", rotate=rotate, flip=flip)
        result = np.asarray(made(source, asked, spot).convert("L"), float)
        across, down = (int((255 - result).sum(axis).argmax()) for axis in (0, 1))
        share = turned_share(spot, rotate, flip)
        whole = Size(1200, 800) if rotate in (None, 180) else Size(800, 1200)
        scale = max(box[0] / whole.width, box[1] / whole.height)
        for found, side, full, at in zip((across, down), box, whole, share, strict=True):
            length = full * scale
            start = min(max(at * length - side / 2, 0), length - side)
            assert abs(found + 0.5 - (at * length - start)) <= 3


def turned_share(spot, rotate, flip):
    x, y = spot
    for _ in range((rotate or 0) // 90):
        x, y = 1 - y, x
    return (1 - x if flip == "horizontal" else x), (1 - y if flip == "vertical" else y)


def test_a_focal_crop_without_a_focal_point_is_a_smart_one():
    source = encoded(opened(photo("flower.jpg")).crop((0, 70, 460, 370)), "PNG")
    box = {"geometry": "cover", "width": 100, "height": 100}
    planner = Planner(decoded_for(source), None)
    focal, smart, centred = (planner.plan(preset(gravity=gravity, **box)) for gravity in ("focal", "smart", "center"))
    assert focal == smart != centred


def test_padding_is_a_canvas_of_the_box_in_the_final_orientation():
    shown = four_corners(1200, 800)
    source = jpeg(stored_for(shown, 6), 6)
    asked = preset(geometry="pad", width=100, height=60, rotate=90, gravity="north-west", background="#102030")
    result = made(source, asked)
    expected = Image.new("RGB", (100, 60), "#102030")
    expected.paste(turned(shown, 90, None).resize((40, 60)), (0, 0))
    assert mean_difference(result, expected) < 4


def test_fill_stretch_and_enlarge():
    source = encoded(four_corners(120, 80), "PNG")
    for keys, size in (
        ({"geometry": "fill", "width": 40, "height": 40}, (60, 40)),
        ({"geometry": "stretch", "width": 40, "height": 70}, (40, 70)),
        ({"geometry": "stretch", "width": 200, "height": 70}, (120, 70)),
        ({"width": 240}, (120, 80)),
        ({"width": 240, "enlarge": True}, (240, 160)),
        ({"width": 120, "dpr": 2.0, "enlarge": True}, (240, 160)),
        ({"geometry": "fill", "width": 240, "height": 240, "enlarge": True}, (360, 240)),
        ({"geometry": "cover", "width": 240, "height": 240, "enlarge": True}, (240, 240)),
        ({"geometry": "cover", "width": 240, "height": 240}, (80, 80)),
        ({"geometry": "stretch", "width": 240, "height": 20, "enlarge": True}, (240, 20)),
        ({"geometry": "pad", "width": 240, "height": 200}, (240, 200)),
    ):
        result = made(source, preset(**keys))
        assert result.size == size
        if keys.get("geometry") not in ("pad", "cover"):
            assert mean_difference(result, four_corners(120, 80).resize(size)) < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_border_is_trimmed_before_anything_else(orientation, format):
    """The border is the colour of the displayed upper left corner; one stripe of another colour is content."""
    content = four_corners(400, 240)
    shown = Image.new("RGB", (1000, 800), (90, 90, 90))
    shown.paste(content, (160, 240))
    options = {"quality": 95} if format != "PNG" else {}
    source = encoded(stored_for(shown, orientation), format, exif=exif_orientation(orientation), **options)
    whole = made(source, preset(width=200, trim=10))
    assert whole.size == (200, 120)
    assert mean_difference(whole, content.resize((200, 120))) < 6
    corner = made(source, preset(geometry="cover", width=60, height=60, gravity="east", trim=10, rotate=90))
    assert mean_difference(corner, ImageOps.fit(turned(content, 90, None), (60, 60), centering=(1, 0.5))) < 6


def test_the_corner_that_tells_the_border_is_that_of_the_displayed_picture():
    shown = Image.new("RGB", (200, 100), "white")
    shown.paste("black", (50, 0, 200, 100))
    for orientation in range(1, 9):
        source = encoded(stored_for(shown, orientation), "PNG", exif=exif_orientation(orientation))
        result = made(source, preset(width=200, trim=5))
        assert result.size == (150, 100)
        assert result.getextrema() == ((0, 0),) * 3


def test_a_focal_point_is_one_of_the_whole_picture_also_when_that_is_trimmed():
    shown = Image.new("RGB", (1000, 400), "white")
    shown.paste(coloured_grid(600, 300), (300, 50))
    source = encoded(shown, "PNG")
    asked = preset(geometry="cover", width=300, height=300, gravity="focal", trim=5)
    centre = made(source, asked, (0.6, 0.5))
    assert mean_difference(centre, coloured_grid(600, 300).crop((150, 0, 450, 300))) < 1
    outside = made(source, asked, (0.1, 0.5))
    assert mean_difference(outside, coloured_grid(600, 300).crop((0, 0, 300, 300))) < 1


def test_a_trim_has_every_pixel_decoded_because_what_it_leaves_may_be_small():
    shown = Image.new("RGB", (1600, 1600), "white")
    shown.paste(coloured_grid(120, 80), (800, 800))
    source = jpeg(shown)
    assert decoded_for(source, preset(width=100)).scale == 8
    trimmed = preset(width=100, trim=15)
    assert decoded_for(source, trimmed).scale == 1
    result = made(source, trimmed)
    assert mean_difference(result, coloured_grid(120, 80).resize(result.size)) < 6


SHAPES = [
    {"width": 64, "height": 64},
    {"width": 64},
    {"geometry": "cover", "width": 64, "height": 64, "gravity": "smart"},
    {"geometry": "cover", "width": 64, "height": 64, "gravity": "face"},
    {"geometry": "fill", "width": 64, "height": 64, "rotate": 90},
    {"geometry": "pad", "width": 64, "height": 64, "background": "#00ff00"},
    {"geometry": "stretch", "width": 64, "height": 30, "flip": "vertical"},
    {"width": 64, "trim": 10},
]


@pytest.mark.parametrize("keys", SHAPES)
def test_presets_that_end_in_the_same_pixels_have_equal_plans(keys):
    planner = Planner(decoded_for(photo("rocket.jpg")), (0.3, 0.3))
    one = planner.plan(preset(**keys))
    other = {**keys, "name": "other", "format": "jpeg", "quality": 50, "dpr": 2.0}
    for side in {"width", "height"} & set(keys):
        other[side] = keys[side] // 2
    assert planner.plan(preset(**other)) == one
    assert hash(planner.plan(preset(**other))) == hash(one)


def test_a_background_tells_plans_apart_only_where_it_shows():
    planner = Planner(decoded_for(photo("rocket.jpg")), None)
    white, green = (preset(width=64, height=64, background=colour) for colour in ("#ffffff", "#00ff00"))
    assert planner.plan(white) == planner.plan(green)
    white, green = (one.model_copy(update={"geometry": "pad"}) for one in (white, green))
    assert planner.plan(white) != planner.plan(green)


def test_the_pixel_ratio_tells_plans_apart_only_where_there_are_effects():
    planner = Planner(decoded_for(photo("rocket.jpg")), None)
    assert planner.plan(preset(width=64, blur=2.0)) != planner.plan(preset(width=32, dpr=2.0, blur=2.0))


def test_turns_that_come_to_the_same_have_equal_plans():
    planner = Planner(decoded_for(photo("rocket.jpg")), None)
    box = {"width": 64, "height": 64}
    mirrored = planner.plan(preset(rotate=180, flip="horizontal", **box))
    assert mirrored == planner.plan(preset(flip="vertical", **box))


def test_the_pixels_are_looked_at_once_and_only_when_asked(monkeypatch):
    looks = []
    interest_of = gaze.interest_of
    monkeypatch.setattr(gaze, "interest_of", lambda image: looks.append("smart") or interest_of(image))
    monkeypatch.setattr(gaze, "faces_in", lambda image: looks.append("face") or ())
    planner = Planner(decoded_for(photo("rocket.jpg")), (0.5, 0.5))
    box = {"geometry": "cover", "width": 64, "height": 100}
    for gravity in ("north", "focal"):
        planner.plan(preset(gravity=gravity, **box))
    planner.plan(preset(width=64))
    assert looks == []
    for gravity in ("smart", "face", "smart", "face"):
        planner.plan(preset(gravity=gravity, **box))
        planner.plan(preset(gravity=gravity, geometry="cover", width=90, height=20))
    assert looks == ["smart", "face"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_smart_crop_is_the_same_from_a_reduced_decode_and_from_a_turned_source(orientation):
    shown = opened(photo("flower.jpg")).crop((0, 70, 460, 370)).resize((1840, 1200))
    box = {"geometry": "cover", "width": 64, "height": 64}
    source = jpeg(stored_for(shown, orientation), orientation)
    expected = made(encoded(shown, "PNG"), preset(gravity="smart", **box))
    result = made(source, preset(gravity="smart", **box))
    assert decoded_for(source, preset(gravity="smart", **box)).scale > 1
    assert mean_difference(result, expected) < 4
    assert mean_difference(result, made(source, preset(**box))) > 8


modes = st.sampled_from(["fit", "fill", "cover", "pad", "stretch"])


@given(
    modes, st.sampled_from(list(HALVES)), st.sampled_from(ROTATIONS), st.sampled_from(FLIPS), st.booleans(),
    st.integers(1, 200), st.integers(1, 200), st.integers(1, 60), st.integers(1, 60), st.integers(1, 8),
)  # fmt: skip
def test_what_is_told_before_the_pixels_is_what_is_planned_with_them(
    geometry, gravity, rotate, flip, enlarge, width, height, source_width, source_height, orientation
):
    gravity = gravity if geometry in ("cover", "pad") else "center"
    asked = preset(
        geometry=geometry, gravity=gravity, rotate=rotate, flip=flip, enlarge=enlarge, width=width, height=height
    )
    image = Image.new("RGB", (source_width, source_height))
    decoded = Decoded(image, Size(*image.size), orientation, 1, False, None)
    plan, framing = Planner(decoded, None).plan(asked), framing_of(asked, decoded.displayed)
    left, upper, right, lower = plan.box
    assert 0 <= left < right <= source_width
    assert 0 <= upper < lower <= source_height
    swaps = (orientation >= 5) != (rotate in (90, 270))
    assert plan.size == (framing.size[::-1] if swaps else framing.size)
    assert (right - left, lower - upper) == (framing.crop.size[::-1] if swaps else framing.crop.size)
    developed = develop(Cascade(image).shrunk(plan), plan)
    assert developed.size == (framing.canvas.size if framing.canvas else framing.size)
