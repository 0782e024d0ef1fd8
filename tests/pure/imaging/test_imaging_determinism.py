"""The same source and the same presets, in any order, thread or process, give the same bytes."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest
from pictures import animated, encoded, exif_orientation, four_corners, opened, photo

from udfs.imaging.preset import PRESET_MODEL
from udfs.imaging.render import render

KEYS = [
    {"format": "jpeg", "quality": 80},
    {"format": "jpeg", "quality": 80, "progressive": True, "chroma_subsampling": "4:4:4", "geometry": "cover"},
    {"format": "jpeg", "target_ssim": 0.9},
    {"format": "jpeg", "max_bytes": 3_000, "metadata": "attribution"},
    {"format": "webp", "quality": 70},
    {"format": "webp", "target_ssim": 0.9, "max_bytes": 4_000},
    {"format": "webp", "quality": 70, "animation": "keep", "metadata": "all"},
    {"format": "avif", "quality": 60},
    {"format": "avif", "quality": 60, "effort": 4, "animation": "keep"},
    {"format": "avif", "max_bytes": 2_500},
    {"format": "png", "linear_light": True},
    {"format": "png", "animation": "keep", "effort": 6},
    {"format": "gif"},
    {"format": "gif", "animation": "keep"},
    {"format": "source", "quality": 75},
    {"format": "auto", "quality": 75, "animation": "keep", "color_profile": "keep"},
    {"format": "jpeg", "quality": 80, "grayscale": True, "geometry": "cover", "height": 120},
    {"format": "webp", "quality": 80, "width": 60},
    {"format": "webp", "quality": 80, "width": 60, "blur": 2.0},
]
PRESETS = [PRESET_MODEL(name=f"p{index}", **{"width": 120, "height": 90, **keys}) for index, keys in enumerate(KEYS)]


def transparent():
    image = opened(photo("flower.jpg")).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 200, 200))
    return encoded(image, "PNG")


SOURCES = {
    "photograph": photo("flower.jpg"),
    "grey": photo("camera.png"),
    "transparent": transparent(),
    "turned": encoded(four_corners(400, 300), "JPEG", exif=exif_orientation(6)),
    "animated gif": animated("GIF", 4, (200, 150)),
    "animated png": animated("PNG", 3, (200, 150)),
    "animated webp": animated("WEBP", 3, (200, 150)),
}


def digests(source, presets=PRESETS):
    rendering = render(source, presets)
    assert rendering.failures == ()
    return {one.preset.name: hashlib.sha256(one.data).hexdigest() for one in rendering.derivatives}


def lines(shuffle=list):
    for name, source in SOURCES.items():
        yield from (f"{name}:{preset}:{digest}" for preset, digest in digests(source, shuffle(PRESETS)).items())


IN_ANOTHER_PROCESS = """
import sys
sys.path[:0] = sys.argv[2:3]
from random import Random
from test_imaging_determinism import lines
print(*lines(lambda presets: Random(int(sys.argv[1])).sample(presets, len(presets))), sep="\\n")
"""


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_fresh_processes_with_other_hashes_and_other_orders(hash_seed):
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, hash_seed, os.path.dirname(__file__)]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    there = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()
    here = [
        f"{name}:{preset}:{digest}" for name, source in SOURCES.items() for preset, digest in digests(source).items()
    ]
    assert sorted(there) == sorted(here)
    assert len(here) == len(SOURCES) * len(PRESETS)


@pytest.mark.parametrize("name", SOURCES)
def test_orders(name):
    """Presets of equal area, of different boxes and effects: none may depend on which of them came first."""
    few = [PRESETS[index] for index in (0, 1, 16, 18)]
    results = {tuple(sorted(digests(SOURCES[name], list(order)).items())) for order in permutations(few)}
    assert len(results) == 1


def test_threads():
    sources = list(SOURCES.values())
    alone = [digests(source) for source in sources]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(digests, sources * 2)) == alone * 2


def test_one_core_gives_the_bytes_of_many(tmp_path):
    """AVIF is cut into tiles by the number of threads, and Pillow takes as many as there are cores."""
    code = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n" + IN_ANOTHER_PROCESS
    command = [sys.executable, "-c", code, "7", os.path.dirname(__file__)]
    there = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    here = [
        f"{name}:{preset}:{digest}" for name, source in SOURCES.items() for preset, digest in digests(source).items()
    ]
    assert sorted(there) == sorted(here)
