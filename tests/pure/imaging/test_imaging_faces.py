"""Faces: one photograph of the public domain (NASA, in scikit-image), and what is put together from its face."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import skimage
from PIL import Image

from udfs.imaging import faces
from udfs.imaging.faces import faces_in, most_faces
from udfs.imaging.gaze import Gaze
from udfs.imaging.geometry import Box, Size, cover

DATA = Path(skimage.__file__).parent / "data"
FACE = Box(180, 70, 270, 160)  # eyes, nose and mouth in the photograph


def astronaut():
    return Image.open(DATA / "astronaut.png").convert("RGB")


def with_faces(*places, size=(320, 120)):
    head = astronaut().crop((140, 10, 310, 190)).resize((85, 90), Image.Resampling.LANCZOS)
    image = Image.new("RGB", size, (120, 130, 120))
    for place in places:
        image.paste(head, place)
    return image


def face_crop(image, ratio):
    size = Size(*image.size)
    return cover(size, *ratio, Gaze(image, (0, 0, *size), 1).face).crop


def test_the_face_is_found_and_nothing_else():
    (found,) = faces_in(astronaut().resize((320, 320), Image.Resampling.LANCZOS))
    left, upper, right, lower = (edge * 512 / 320 for edge in found)
    assert left < FACE.left + 15
    assert upper < FACE.upper + 15
    assert right > FACE.right - 15
    assert lower > FACE.lower - 15
    assert right - left < 140


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg", "chelsea.png", "gravel.png", "page.png", "coins.png"])
def test_no_face_is_seen_where_there_is_none(name):
    image = Image.open(DATA / name).convert("RGB")
    assert faces_in(Gaze(image, (0, 0, *image.size), 1)._miniature) == ()


@pytest.mark.parametrize("ratio", [(2, 1), (3, 1), (1, 3), (4, 1)])
def test_the_face_stays_in_the_crop(ratio):
    crop = face_crop(astronaut(), ratio)
    assert crop.left <= FACE.left
    assert crop.upper <= FACE.upper
    assert crop.right >= FACE.right
    assert crop.lower >= FACE.lower


@pytest.mark.parametrize("shift", [0, 60, 235])
def test_a_face_is_in_the_middle_as_far_as_the_edges_allow(shift):
    crop = face_crop(with_faces((shift, 15)), (1, 1))
    assert abs((crop.left + crop.right) / 2 - min(max(shift + 42, 60), 260)) < 8


def test_of_several_faces_the_largest_group_that_fits_is_kept():
    image = with_faces((0, 15), (140, 15), (230, 15))
    assert len(faces_in(image)) == 3
    crop = face_crop(image, (3, 2))
    assert 110 < crop.left < 165
    assert crop.right >= 295


def face(left, upper, side):
    return Box(left, upper, left + side, upper + side)


@pytest.mark.parametrize(
    ("found", "inner", "expected"),
    [
        ([face(0, 0, 10)], Size(40, 100), (0, 0)),
        ([face(100, 0, 10)], Size(40, 100), (85, 0)),
        ([face(190, 0, 10)], Size(40, 100), (160, 0)),
        ([face(10, 0, 10), face(100, 0, 30)], Size(60, 100), (85, 0)),  # the larger one
        ([face(10, 0, 20), face(30, 50, 20), face(150, 0, 25)], Size(60, 100), (0, 0)),  # two are more than one
        ([face(20, 0, 10), face(45, 0, 10), face(100, 0, 10)], Size(100, 100), (15, 0)),  # all three
        ([face(20, 0, 60), face(150, 0, 40)], Size(30, 100), (35, 0)),  # none fits: the middle of the larger
        ([face(20, 60, 20)], Size(200, 30), (0, 55)),
        ([face(20, 90, 10), face(90, 85, 10)], Size(200, 30), (0, 70)),
        ([face(20, 50, 10), face(90, 40, 10)], Size(200, 30), (0, 35)),  # beside each other, neither above the other
    ],
)
def test_places_of_groups(found, inner, expected):
    size = Size(200, 100)
    assert most_faces(found, size)(size, inner) == expected
    doubled = most_faces(found, size)(Size(400, 200), Size(2 * inner.width, 2 * inner.height))
    assert doubled == (2 * expected[0], 2 * expected[1])


def test_where_no_face_is_found_the_crop_is_a_smart_one():
    image = Image.open(DATA / "coffee.png").convert("RGB").crop((60, 0, 600, 400))
    gaze = Gaze(image, (0, 0, *image.size), 1)
    assert gaze.face is gaze.smart


def test_a_turned_picture_is_looked_at_upright():
    sideways = astronaut().transpose(Image.Transpose.ROTATE_90)
    upright = Gaze(sideways, (0, 0, 512, 512), 6)
    assert upright.face is not upright.smart
    assert upright.face(Size(512, 512), Size(512, 200)) == Gaze(astronaut(), (0, 0, 512, 512), 1).face(
        Size(512, 512), Size(512, 200)
    )


def test_the_same_faces_in_every_thread_and_process():
    image = with_faces((0, 15), (140, 15), (230, 15))
    expected = faces_in(image)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(faces_in, [image] * 12)) == [expected] * 12
    script = (
        "import sys, cv2; cv2.setNumThreads(int(sys.argv[1]));"
        "from PIL import Image; from udfs.imaging.faces import faces_in;"
        "print(faces_in(Image.frombytes('RGB', (320, 120), sys.stdin.buffer.read())))"
    )
    for threads in ("1", "3"):
        told = subprocess.run([sys.executable, "-c", script, threads], input=image.tobytes(), capture_output=True)
        assert told.stdout.decode().strip() == repr(expected), told.stderr


def test_without_the_extra_it_is_told(monkeypatch):
    assert faces.available()
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert not faces.available()
    with pytest.raises(ModuleNotFoundError, match="cv2"):
        faces_in(with_faces((0, 15)))
