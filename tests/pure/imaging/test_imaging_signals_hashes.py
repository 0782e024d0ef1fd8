"""The three hashes against their reference implementations, and pHash as what it is for: finding copies."""

import base64
from itertools import combinations

import blurhash as blurhash_referee
import fast_thumbhash as thumbhash_referee
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import encoded, opened, photo
from PIL import Image, ImageDraw

from udfs.imaging.signals.blurhash import blurhash
from udfs.imaging.signals.paper import on_paper, thumbnail
from udfs.imaging.signals.perceptual_hash import perceptual_hash
from udfs.imaging.signals.thumbhash import thumbhash

PHOTOS = ("rocket.jpg", "flower.jpg", "camera.png", "clock_motion.png", "brick.png")


def flower_in_an_ellipse():
    flower = opened(photo("flower.jpg")).convert("RGBA")
    mask = Image.new("L", flower.size, 0)
    ImageDraw.Draw(mask).ellipse((100, 50, 540, 380), fill=255)
    flower.putalpha(mask)
    return flower


def portrait():
    return opened(photo("rocket.jpg")).crop((200, 0, 400, 427))


def noise(size, seed, mode="RGB"):
    samples = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], len(mode)), np.uint8)
    return Image.frombytes(mode, size, samples.tobytes())


def distance(one, other):
    return (int(perceptual_hash(one), 16) ^ int(perceptual_hash(other), 16)).bit_count()


seeds = st.integers(0, 2**32)
small_sizes = st.tuples(st.integers(1, 40), st.integers(1, 40))


@pytest.mark.parametrize(
    ("picture", "expected"),
    [  # made from the same thumbnails by the author's own package, npm thumbhash 0.1.1 (rgbaToThumbHash)
        (opened(photo("rocket.jpg")), "EOcFFYItd2ZwiZd1h4iIdnZwbgbn"),
        (opened(photo("flower.jpg")), "D9gJNY4HuIeWeYdjmmiIeAh1hWBX"),
        (opened(photo("camera.png")), "IAgOBwCAiZidmnetdodoZ3iHCAAAAAAA"),
        (opened(photo("clock_motion.png")), "JAgGBYBvyFd7h4eCfJR4egAAAAAA"),
        (opened(photo("brick.png")), "HAgCBwDQRZcsZ4h4djd2iKmYBQAAAAAA"),
        (portrait(), "U/cJGwRXkGmHiHd4VZBdBtk="),
        (flower_in_an_ellipse(), "VimGE4Q2KfWHeGUIdpVgRwdoh3iBimc="),
    ],
)
def test_thumbhash_equals_the_reference(picture, expected):
    assert thumbhash(thumbnail(picture)) == expected


@given(small_sizes, seeds, st.sampled_from(["RGB", "RGBA"]))
def test_thumbhash_is_the_reference_crates_to_one_step(size, seed, mode):
    """The crate sums in 32 bits, so that what lies between two steps may round the other way."""
    picture = noise(size, seed, mode)
    ours, our_shape = steps(base64.b64decode(thumbhash(picture)))
    reference, shape = steps(bytes(thumbhash_referee.rgba_to_thumb_hash(*size, picture.convert("RGBA").tobytes())))
    assert our_shape == shape
    assert len(ours) == len(reference)
    assert max(abs(one - other) for one, other in zip(ours, reference, strict=True)) <= 1


def steps(data):
    """Take a hash apart: the means, scales and waves; and has_alpha, number of terms, is_landscape."""
    header, fields = int.from_bytes(data[:5], "little"), []
    for bits in (6, 6, 6, 5, 1, 3, 6, 6, 1):
        fields.append(header % 2**bits)
        header >>= bits
    waves = [part for byte in data[5:] for part in (byte & 15, byte >> 4)]
    return fields[:4] + fields[6:8] + waves, (fields[4], fields[5], fields[8])


def test_a_flat_picture_has_no_waves():
    assert set(base64.b64decode(thumbhash(Image.new("RGB", (97, 31), "#123456")))[5:]) == {0}


@pytest.mark.parametrize("name", PHOTOS)
def test_blurhash_of_photographs_equals_the_reference(name):
    picture = on_paper(thumbnail(opened(photo(name))))
    width, height = picture.size
    across, down = 4 if width > height else 3, 4 if height > width else 3
    assert blurhash(picture) == blurhash_referee.encode(np.asarray(picture), across, down)


@settings(max_examples=50)
@given(small_sizes, seeds)
def test_blurhash_is_the_reference(size, seed):
    picture = noise(size, seed)
    across, down = 4 if size[0] > size[1] else 3, 4 if size[1] > size[0] else 3
    assert blurhash(picture) == blurhash_referee.encode(np.asarray(picture), across, down)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [  # by blurhash 1.1.5, and equal from the Rust crate blurhash 0.2.3
        (opened(photo("rocket.jpg")), "L87d^K%i9Zad0MRj-mfR#hjDNdkC"),
        (portrait(), "TF9js7NNE30gxY%0$INGbFOat6af"),
        (opened(photo("camera.png")), "KTHV9w9Ft7~qxu%M_3xuRj"),
        (flower_in_an_ellipse(), "L,PPu|of?wbboffQjtf7.Sa|Z~oL"),
    ],
)
def test_blurhash_vectors(picture, expected):
    assert blurhash(on_paper(thumbnail(picture))) == expected


@pytest.mark.parametrize("name", PHOTOS)
def test_the_perceptual_hash_of_photographs_is_that_of_imagehash(name):
    picture = opened(photo(name))
    assert perceptual_hash(picture.convert("L")) == str(imagehash.phash(picture))


@settings(max_examples=200)
@given(st.tuples(st.integers(3, 512), st.integers(3, 512)), seeds)
def test_the_perceptual_hash_is_that_of_imagehash(size, seed):
    picture = noise(size, seed, "L")
    assert perceptual_hash(picture) == str(imagehash.phash(picture))


@pytest.mark.parametrize("level", [1, 77, 255])
def test_a_flat_picture_has_one_wave_only(level):
    assert perceptual_hash(Image.new("L", (40, 30), level)) == "8000000000000000"


@pytest.mark.parametrize("name", PHOTOS)
def test_a_copy_is_near(name):
    picture = opened(photo(name)).convert("L")
    for copy in (
        opened(encoded(picture, "JPEG", quality=40)),
        picture.resize((256, 171)),
        picture.point(lambda sample: sample * 0.8 + 20),
    ):
        assert distance(picture, copy) <= 6


def test_another_picture_is_far():
    pictures = [opened(photo(name)).convert("L") for name in PHOTOS]
    assert min(distance(one, other) for one, other in combinations(pictures, 2)) >= 20
