import io

import pytest
from PIL import Image, ImageColor

from darkroom.contact_sheet import BADGES, CARD, SheetPicture, SheetRow, contact_sheet
from darkroom.synthetic import corrupt_image, synthetic_image

SOURCE = synthetic_image(1, 300, 200)
THUMB = SheetPicture("thumb", 300, 200, SOURCE)


def sheet(*rows):
    with Image.open(io.BytesIO(contact_sheet(rows, "Title"))) as image:
        return image.convert("RGB")


def shows(image, colour):
    return ImageColor.getrgb(colour) in {found for _, found in image.getcolors(image.width * image.height)}


@pytest.mark.parametrize("outcome", BADGES)
def test_each_outcome_has_its_colour(outcome):
    image = sheet(SheetRow("user / image", SOURCE, outcome, (THUMB,)))
    assert [colour for colour in BADGES.values() if shows(image, colour)] == [BADGES[outcome]]


def test_columns_follow_the_presets_and_rows_the_images():
    pictures = tuple(SheetPicture(f"preset-{index}", 300, 200, SOURCE) for index in range(5))
    one, two = sheet(SheetRow("a", SOURCE, "READY", pictures)), sheet(*[SheetRow("a", SOURCE, "READY", pictures)] * 2)
    narrow = sheet(SheetRow("a", SOURCE, "READY", pictures[:3]))
    assert one.width == two.width > narrow.width
    assert two.height > one.height


def test_a_row_without_pictures_is_short_and_says_why():
    full = sheet(SheetRow("a", SOURCE, "READY", (THUMB,)))
    bare = sheet(SheetRow("a", corrupt_image(1), "REJECTED", (), "CORRUPT_IMAGE", "the file is cut off"))
    assert bare.height < full.height
    assert shows(bare, BADGES["REJECTED"])


@pytest.mark.parametrize(
    "row",
    [
        SheetRow("deleted", None, "DELETED"),
        SheetRow("source kept", SOURCE, "SUPERSEDED", (), None, "a newer version was first"),
        SheetRow("n" * 300, SOURCE, "PARTIAL", (THUMB,), "RENDER_FAILED", "long " * 300),
        SheetRow("\N{CAT FACE} ../\x00", b"", "FAILED", (), "R" * 200, "long " * 300),
        SheetRow("unknown", SOURCE, "NOVEL", (SheetPicture("broken", 1, 1, b"no image"),)),
    ],
    ids=lambda row: row.outcome,
)
def test_odd_rows_are_drawn(row):
    assert shows(sheet(row), CARD)


def test_no_rows():
    assert sheet().height > 0
