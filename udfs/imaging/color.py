"""Which ICC profile describes the samples of a picture, what it is called, and the conversion to sRGB.

Relative colorimetric with black point compensation: what Adobe's programs do by default. White stays white and colours
that a screen can show stay exact; without the compensation the black of a press, far from a screen's, would be grey.
A profile that cannot be used is no reason to refuse a picture: it is ignored, as browsers do.
"""

import io
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final

from PIL import Image, ImageChops, ImageCms

from udfs.imaging.matrix_profile import png_profile
from udfs.imaging.press_profile import press_profile

# The largest printers' profiles in circulation, those of coated paper by Fogra and GRACoL, have 0.5 to 2.7 MB.
MAX_PROFILE_BYTES: Final = 4 * 1024 * 1024
MAX_NAME_CHARS: Final = 80

OPAQUE: Final = {"L": "L", "La": "L", "LA": "L", "RGB": "RGB", "RGBa": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
STRAIGHT: Final = {"La": "LA", "RGBa": "RGBA"}
SPACES: Final = {"L": (b"GRAY", b"RGB "), "RGB": (b"RGB ",), "CMYK": (b"CMYK",)}

Convert = Callable[[Image.Image], Image.Image]

# One step of 8 bits comes from the rounding of a curve; profiles that differ from sRGB at all move some probe by 5.
SRGB_TOLERANCE: Final = 2
PROBES: Final = bytes(level for red in range(0, 256, 51) for green in range(0, 256, 51) for blue in range(0, 256, 51)
                      for level in (red, green, blue))  # fmt: skip

# Making a transform takes 3 ms for RGB and 30 ms for CMYK, as long as shrinking a picture, and phones send the same
# profile in every file. A transform is immutable and may be used by several threads at once (LittleCMS keeps the state
# of a call on the stack); with its profile it has up to 5 MB, so few are kept.
TRANSFORMS_KEPT: Final = 8


def profile_of(info: Mapping[Any, Any], mode: str, coded: bytes | None = None) -> bytes | None:
    """Return the profile to convert from, or None where the samples are sRGB or as good as.

    `info` is what Pillow found in the file, `mode` the working mode of the pixels, `coded` the profile that stands for
    the file's CICP code points. An embedded profile comes first: beside code points for HDR it is the one for a screen.
    """
    for profile in (info.get("icc_profile"), coded, _chunks(info)):
        if profile and conversion(profile, OPAQUE[mode]):
            return profile if _moves_colours(profile, OPAQUE[mode]) else None
    return press_profile() if mode == "CMYK" else None


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return L, LA, RGB or RGBA in sRGB, with straight alpha; unchanged where the profile does not fit the samples."""
    convert = conversion(profile, OPAQUE[image.mode])
    if convert is None:
        return image
    straight = image.convert(STRAIGHT.get(image.mode, image.mode))
    if straight.mode not in ("LA", "RGBA"):
        return convert(straight)
    converted = convert(straight.convert(OPAQUE[image.mode]))
    converted.putalpha(straight.getchannel("A"))
    return converted


def profile_name(profile: bytes | None) -> str | None:
    """Return the description in a profile: one line of printable characters, or None where there is none to read."""
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return None
    try:
        text = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.profile_description or ""
    except Exception:  # of a stranger's bytes; LittleCMS promises no closed set
        return None
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:MAX_NAME_CHARS] or None


@lru_cache(maxsize=TRANSFORMS_KEPT)
def conversion(profile: bytes, mode: str) -> Convert | None:
    """Return what turns L, RGB or CMYK into sRGB, None for a profile that is damaged, too large or not of this mode."""
    space = profile[16:20]  # Source: ICC.1:2022, 7.2.6
    if len(profile) > MAX_PROFILE_BYTES or space not in SPACES[mode]:
        return None
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            "L" if space == b"GRAY" else "RGB" if mode == "L" else mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:  # as above
        return None
    return _gray(transform) if mode == "L" else partial(_apply, transform)


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = transform.apply(image.convert(transform.input_mode))
    converted.info = {}  # Pillow puts an sRGB profile there, which an encoder would write
    return converted


def _gray(transform: ImageCms.ImageCmsTransform) -> Convert:
    """A profile for grey, or of neutral RGB, is a curve: 256 levels tell all of it."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    curve = list(_apply(transform, ramp).getchannel("G").tobytes())
    return lambda image: image.point(curve)


def _moves_colours(profile: bytes, mode: str) -> bool:
    if mode == "CMYK":
        return True
    convert = conversion(profile, mode)
    probes = Image.frombytes("RGB", (len(PROBES) // 3, 1), PROBES).convert(mode)
    if convert is None:
        return False
    moved = ImageChops.difference(probes, convert(probes)).tobytes()
    return max(moved) > SRGB_TOLERANCE


def _chunks(info: Mapping[Any, Any]) -> bytes | None:
    """A PNG's gAMA and cHRM count only where no sRGB chunk does. Source: PNG, third edition, 4.3."""
    return None if "srgb" in info else png_profile(info.get("gamma"), info.get("chromaticity"))
