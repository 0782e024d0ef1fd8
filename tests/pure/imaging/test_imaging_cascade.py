"""What a copy may stand in for, and that nobody sees that it did."""

import random

import numpy as np
import pytest
from pictures import opened, photo
from PIL import Image
from test_imaging_quality import db, lanczos, zone_plate

from udfs.imaging import cascade as module
from udfs.imaging.cascade import Cascade
from udfs.imaging.plan import Plan
from udfs.imaging.shrink import shrink

PICTURES = ["rocket.jpg", "flower.jpg", "camera.png", "clock_motion.png", "brick.png", "zone plate"]


def picture(name):
    return zone_plate(600) if name == "zone plate" else opened(photo(name))


def whole(image, width, **parameters):
    return Plan(box=(0, 0, *image.size), size=(width, round(image.height * width / image.width)), **parameters)


@pytest.fixture
def shrunk_from(monkeypatch):
    """The widths that pictures were shrunk from."""
    widths = []
    monkeypatch.setattr(module, "shrink", lambda image, plan: widths.append(image.width) or shrink(image, plan))
    return widths


def test_small_ones_come_from_the_smallest_copy_that_is_twice_as_large(shrunk_from):
    image = Image.new("RGB", (1000, 500))
    cascade = Cascade(image)
    for width in (700, 400, 350, 200, 175, 60):
        assert cascade.shrunk(whole(image, width)).width == width
    assert shrunk_from == [1000, 1000, 700, 400, 400, 400], "350 is a copy of a copy and serves nothing"


def test_both_sides_must_be_twice_as_large(shrunk_from):
    image = Image.new("RGB", (1000, 1000))
    cascade = Cascade(image)
    cascade.shrunk(Plan(box=(0, 0, 1000, 1000), size=(600, 600)))
    cascade.shrunk(Plan(box=(0, 0, 1000, 1000), size=(300, 310)))
    cascade.shrunk(Plan(box=(250, 0, 750, 1000), size=(150, 300)))
    cascade.shrunk(Plan(box=(250, 0, 750, 1000), size=(160, 300)))
    assert shrunk_from == [1000, 1000, 600, 1000]


@pytest.mark.parametrize(
    "first",
    [
        {"box": (0, 0, 999, 500), "size": (500, 250)},
        {"box": (10, 0, 1000, 500), "size": (500, 250)},
        {"box": (0, 0, 1000, 500), "size": (500, 250), "linear_light": True},
        {"box": (0, 0, 1000, 500), "size": (800, 400)},
    ],
    ids=["cut off at the right", "cut off at the left", "in linear light", "hardly smaller than the decoded copy"],
)
def test_not_every_copy_serves(shrunk_from, first):
    image = Image.new("RGB", (1000, 500))
    cascade = Cascade(image)
    cascade.shrunk(Plan(**first))
    cascade.shrunk(whole(image, 100))
    assert shrunk_from == [1000, 1000]


def test_linear_light_is_never_served_from_a_copy(shrunk_from):
    image = Image.new("RGB", (1000, 500))
    cascade = Cascade(image)
    cascade.shrunk(whole(image, 500))
    cascade.shrunk(whole(image, 100, linear_light=True))
    assert shrunk_from == [1000, 1000]


def test_a_copy_decoded_at_reduced_scale_ends_within_its_last_pixels(shrunk_from):
    image = Image.new("RGB", (251, 126))  # of 1001 x 501 at scale 4
    box = (0, 0, 1001 / 4, 501 / 4)
    cascade = Cascade(image)
    cascade.shrunk(Plan(box=box, size=(120, 60)))
    cascade.shrunk(Plan(box=box, size=(40, 20)))
    cascade.shrunk(Plan(box=(0, 0, 251, 125), size=(40, 20)))
    cascade.shrunk(Plan(box=(0, 0, 250, 126), size=(40, 20)))
    assert shrunk_from == [251, 120, 251, 251]


@pytest.mark.parametrize("box", [(0, 0, 500, 500), (0, 0, 1000, 400)])
def test_a_crop_serves_nothing(shrunk_from, box):
    cascade = Cascade(Image.new("RGB", (1000, 500)))
    cascade.shrunk(Plan(box=box, size=(250, 250)))
    cascade.shrunk(Plan(box=(0, 0, 400, 400), size=(20, 20)))
    assert shrunk_from == [1000, 1000]


def test_the_order_of_equal_areas_changes_nothing():
    image = opened(photo("flower.jpg"))
    sizes = [(400, 200), (200, 400), (320, 250), (250, 320), (160, 100), (100, 160), (80, 200), (90, 60), (60, 90)]
    plans = [Plan(box=(0, 0, *image.size), size=size) for size in sizes]

    def pixels():
        random.Random(len(orders)).shuffle(plans)
        cascade = Cascade(image)
        largest_first = sorted(plans, key=lambda plan: plan.size[0] * plan.size[1], reverse=True)
        return {plan.size: cascade.shrunk(plan).tobytes() for plan in largest_first}

    orders = []
    for _ in range(8):
        orders.append(pixels())
    assert all(order == orders[0] for order in orders)


@pytest.mark.parametrize("name", PICTURES)
def test_nobody_sees_that_a_copy_served(name):
    """The bounds of cascade.py, against full precision from the picture itself: no worse than without the copy."""
    image = picture(name)
    served = straight = np.inf
    for share in (0.7, 0.5, 0.31):
        copy = int(image.width * share)
        for width in range(copy // 2, 15, -29):
            cascade = Cascade(image)
            cascade.shrunk(whole(image, copy))
            plan = whole(image, width)
            if not any(copy.serves(plan) for copy in cascade._copies):
                continue
            reference = lanczos(image, plan.size)
            from_copy, from_picture = db(cascade.shrunk(plan), reference), db(shrink(image, plan), reference)
            assert from_copy > from_picture - 3.7
            served, straight = min(served, from_copy), min(straight, from_picture)
    assert served > (52 if name == "zone plate" else 54)
    assert served > straight - 2.6


def test_crops_are_served_where_they_are(shrunk_from):
    image = opened(photo("rocket.jpg"))
    cascade = Cascade(image)
    cascade.shrunk(whole(image, 320))
    plan = Plan(box=(200, 0, 627, 427), size=(90, 90))
    assert db(cascade.shrunk(plan), lanczos(image, (90, 90), plan.box)) > 45
    assert shrunk_from == [640, 320]
