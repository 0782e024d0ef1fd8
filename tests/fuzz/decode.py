"""Looks for bytes that make `udfs.imaging` raise anything but an ImagingError, hang, crash or eat memory.

    python -m tests.fuzz.decode [FOLDER] [libFuzzer's flags]     e.g. -max_total_time=600
    python -m tests.fuzz.decode FOLDER/findings/crash-…          what one finding does, with its traceback

FOLDER (default: `darkroom-fuzz` in the user's cache folder) keeps `corpus`, which grows with every run and starts from
tests/hostile/good.py, and `findings`. A finding, cut down by -minimize_crash=1, becomes one entry of
tests/hostile/attacks_regressions.py, as code.
The Python code of udfs.imaging and of Pillow is instrumented; their C code is not, yet runs under the same watch.
"""

import sys
from pathlib import Path
from typing import Final

import atheris
from platformdirs import user_cache_path

from tests.fuzz.dictionary import write_dictionary

with atheris.instrument_imports(include=["udfs.imaging", "PIL", "pi_heif", "pylibjxl"]):
    from udfs.imaging.errors import ImagingError, RenderFailed
    from udfs.imaging.limits import Limits
    from udfs.imaging.presets import parse_presets
    from udfs.imaging.render import render

# Small, so that one execution is quick and what is refused at a limit is refused here with fewer bytes.
LIMITS: Final = Limits(
    max_source_bytes=1 << 20, max_pixels=1_000_000, max_pixels_all_frames=4_000_000, max_side_px=20_000, max_frames=50
)
TINY: Final = parse_presets(
    """
version: 1
presets:
  - {name: tiny, geometry: fit, width: 16, height: 16, format: jpeg, quality: 80}
  - {name: moving, geometry: fit, width: 16, height: 16, format: gif, animation: keep}
sets:
  default: [tiny, moving]
""",
    "tests/fuzz/decode.py",
).choose(None)

# One input in memory: a picture at the limits takes 20 MB, what decoders keep beside it is their affair up to here.
FLAGS: Final = ("-timeout=10", "-rss_limit_mb=2048", "-malloc_limit_mb=1024", "-max_len=32768", "-len_control=0")


def decode_one(source: bytes) -> None:
    """Render one input; whatever is raised here and is no ImagingError is a finding."""
    try:
        rendering = render(source, TINY, LIMITS)
    except ImagingError:
        return
    if not rendering.derivatives and not rendering.failures:
        msg = "a rendering without a derivative and without a failure"
        raise AssertionError(msg)
    assert all(failure.reason != RenderFailed.reason or failure.message for failure in rendering.failures)


def seed(corpus: Path) -> None:
    """Write the good files of the generator, one per format and flavour."""
    from tests.hostile.good import GOOD  # imports Pillow, which must be instrumented first

    corpus.mkdir(parents=True, exist_ok=True)
    for name, make in GOOD.items():
        (corpus / f"good-{name}").write_bytes(make())


def main(arguments: list[str]) -> None:
    """Fuzz until a flag of libFuzzer says stop, or replay one file."""
    if {"-h", "--help"} & set(arguments):
        print(__doc__)  # and libFuzzer's own flags by -help=1
        return
    places = [argument for argument in arguments if not argument.startswith("-")]
    flags = [argument for argument in arguments if argument.startswith("-")]
    if places and Path(places[0]).is_file():
        decode_one(Path(places[0]).read_bytes())
        print("no finding")
        return
    folder = Path(places[0]) if places else user_cache_path("darkroom-fuzz")
    (folder / "findings").mkdir(parents=True, exist_ok=True)
    seed(folder / "corpus")
    dictionary = write_dictionary(folder / "dictionary.txt")
    kept = (f"-artifact_prefix={folder}/findings/", f"-dict={dictionary}", *FLAGS)
    atheris.Setup([sys.argv[0], str(folder / "corpus"), *kept, *flags], decode_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
