import pytest
from pictures import animated, encoded, four_corners

from udfs.imaging.errors import CorruptImage
from udfs.imaging.headers import gif_frames, webp_size


@pytest.mark.parametrize("frames", [1, 2, 17])
def test_gif_frames_are_counted(frames):
    assert gif_frames(animated("GIF", frames), 100) == frames


def test_counting_ends_at_one_more_than_asked():
    assert gif_frames(animated("GIF", 30), 10) == 11


def test_a_missing_gif_trailer_is_forgiven():
    assert gif_frames(animated("GIF", 3)[:-1], 100) == 3


@pytest.mark.parametrize("cut", [10, 40, -10])
def test_a_gif_that_ends_inside_a_block_is_corrupt(cut):
    with pytest.raises(CorruptImage, match="ends inside a block"):
        gif_frames(encoded(four_corners(), "GIF")[:cut], 100)


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}])
def test_webp_sizes_of_all_three_chunk_kinds(options):
    assert webp_size(encoded(four_corners(333, 77), "WEBP", **options)) == (333, 77)


def test_a_webp_cut_before_its_size_has_none():
    assert webp_size(b"RIFF\0\0\0\0WEBPVP8X") == (1, 1)
