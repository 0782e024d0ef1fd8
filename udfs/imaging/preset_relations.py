"""Which keys of a preset make sense together; a key that would silently do nothing is refused with a sentence."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from udfs.imaging.faces import available

if TYPE_CHECKING:
    from udfs.imaging.preset import Preset

MAX_SIDE_PX: Final = 16_383  # the longest side of a WebP, so that any preset may change its format
RELATION: Final = "relation"  # the type of an error between keys

OPEN: Final = ("source", "auto")  # formats that are known once the source is
WITH_QUALITY: Final = ("jpeg", "webp", "avif")
MAY_END_IN: Final[Mapping[str, tuple[str, ...]]] = {"source": WITH_QUALITY, "auto": ("jpeg", "webp")}
RESERVED_NAME: Final = "manifest"  # what object keys call the list of an image's responsive derivatives
LOSSY: Final = frozenset({*WITH_QUALITY, *OPEN})  # may need a quality

# The formats in which a key does something; those that are open take every key.
TAKEN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "quality": WITH_QUALITY,
    "target_ssim": WITH_QUALITY,
    "max_bytes": (*WITH_QUALITY, "png", "gif"),  # these two lose colours instead of quality
    "effort": ("webp", "avif", "png"),
    "chroma_subsampling": ("jpeg", "avif"),
    "progressive": ("jpeg",),
    "color_profile": ("jpeg", "webp", "avif", "png"),
    "metadata": ("jpeg", "webp", "avif", "png"),
    "animation": ("webp", "avif", "png", "gif"),
}

# What draws with a preset's own colours, which are sRGB, or leaves no place for a profile; the keys of effects.
DRAWN_IN_SRGB: Final[Mapping[str, str]] = {"watermark": "a watermark is sRGB", "text": "the colours of a text are sRGB"}
MAY_BE_FLATTENED: Final = ("jpeg", *OPEN)  # formats in which transparency may become the background

# The geometries in which a gravity does something; the compass points are those not named.
GRAVITY_TAKEN_BY: Final[Mapping[str, tuple[str, ...]]] = dict.fromkeys(("focal", "smart", "face"), ("cover",))
COMPASS_TAKEN_BY: Final = ("cover", "pad")


class Clash(NamedTuple):
    """Keys that make no sense together: the one to change, why, and all that are involved."""

    key: str
    message: str
    keys: tuple[str, ...]


def clashes(preset: "Preset") -> Iterator[Clash]:
    """Find every pair of keys that contradict each other, or of which one takes the sense from the other."""
    for rule in (_name, _box, _device_pixels, _gravity, _takers, _quality, _qualities, _background, _kept_colours):
        yield from rule(preset)


def refusal(found: list[Clash]) -> PydanticCustomError:
    """Return the one error that a model may raise for all of them."""
    message = "; ".join(f"{clash.key}: {clash.message}" for clash in found)
    return PydanticCustomError(RELATION, "{message}", {"message": message, "clashes": found})


def does_something(key: str, format: str) -> bool:
    """Tell whether a key of TAKEN_BY, or any other, does something in a format."""
    return key not in TAKEN_BY or format in OPEN or format in TAKEN_BY[key]


def listed(words: tuple[str, ...], last: str = "and") -> str:
    """Return words as a sentence has them: `a, b and c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def differs(preset: "Preset", key: str) -> bool:
    """Tell whether a key is at another value than its default."""
    return bool(getattr(preset, key) != type(preset).model_fields[key].default)


def _box(preset: "Preset") -> Iterator[Clash]:
    keys = ("geometry", "width", "height")
    sides = {"width": preset.width, "height": preset.height}
    if preset.geometry == "fit":
        if preset.width is preset.height is None:
            yield Clash("width", "fit needs width, height or both", keys)
        return
    for key, side in sides.items():
        if side is None:
            yield Clash(key, f"{preset.geometry} needs both width and height", keys)


def _name(preset: "Preset") -> Iterator[Clash]:
    if preset.name == RESERVED_NAME:
        yield Clash("name", f"{RESERVED_NAME} is what the list of responsive derivatives is called", ("name",))


def _device_pixels(preset: "Preset") -> Iterator[Clash]:
    for key, side in (("width", preset.width), ("height", preset.height)):
        if side is not None and side * preset.dpr > MAX_SIDE_PX:
            message = f"{side} at a dpr of {preset.dpr:g} is more than {MAX_SIDE_PX} pixels"
            yield Clash(key, message, (key, "dpr"))


def _gravity(preset: "Preset") -> Iterator[Clash]:
    takers = GRAVITY_TAKEN_BY.get(preset.gravity, COMPASS_TAKEN_BY)
    if differs(preset, "gravity") and preset.geometry not in takers:
        why = f"{preset.gravity} does nothing for {preset.geometry}; it is for {listed(takers)}"
        yield Clash("gravity", why, ("gravity", "geometry"))
    if preset.gravity == "face" and not available():
        yield Clash("gravity", "face needs OpenCV; run pip install -e '.[faces]' in the checkout", ("gravity",))


def _takers(preset: "Preset") -> Iterator[Clash]:
    for key, formats in TAKEN_BY.items():
        if not does_something(key, preset.format) and differs(preset, key):
            yield Clash(key, f"does nothing for {preset.format}; it is for {listed(formats + OPEN)}", (key, "format"))


def _quality(preset: "Preset") -> Iterator[Clash]:
    keys = ("format", "quality", "target_ssim", "max_bytes")
    if preset.format in LOSSY and preset.quality is preset.target_ssim is preset.max_bytes is None:
        yield Clash("quality", f"{preset.format} needs a quality, a target_ssim or max_bytes", keys)
    if preset.quality is not None and preset.target_ssim is not None:
        yield Clash("quality", "give quality or target_ssim, not both", keys)


def _qualities(preset: "Preset") -> Iterator[Clash]:
    """Hold a mapping of qualities against the formats a preset may end in."""
    if isinstance(preset.quality, int | None) or preset.format not in LOSSY:
        return
    given: dict[str, Any] = preset.quality.model_dump(exclude_none=True)
    needed = MAY_END_IN.get(preset.format, (preset.format,))
    for format in needed:
        if format not in given:
            yield Clash("quality", f"{format} is missing, and {preset.format} may end in it", ("quality", "format"))
    for format in given:
        if format not in needed and preset.format not in OPEN:
            yield Clash("quality", f"{format} does nothing, the format is {preset.format}", ("quality", "format"))


def _background(preset: "Preset") -> Iterator[Clash]:
    if preset.format == "jpeg" and preset.background_rgba[3] < 255:
        message = f"{preset.background} lets something through, and a jpeg cannot; write '{preset.background[:7]}'"
        yield Clash("background", message, ("background", "format"))


def _kept_colours(preset: "Preset") -> Iterator[Clash]:
    """Hold a kept profile against what does not know it: colours of the preset are sRGB, a grey picture has none."""
    if preset.color_profile != "keep":
        return
    for why, *keys in _foreign_colours(preset):
        yield Clash("color_profile", f"keep leaves the source's colours, and {why}", ("color_profile", *keys))


def _foreign_colours(preset: "Preset") -> Iterator[tuple[str, ...]]:
    """Find what a kept profile would show wrong: each time the reason and the keys."""
    if getattr(preset, "grayscale", None):
        yield "grayscale leaves none", "grayscale"
    for key, why in DRAWN_IN_SRGB.items():
        if getattr(preset, key, None) is not None:
            yield why, key
    if preset.geometry == "pad":
        yield "the background of a pad is sRGB", "geometry"
    if getattr(preset, "corner_radius", None) is not None and preset.format in MAY_BE_FLATTENED:
        yield "the background behind round corners is sRGB", "corner_radius", "format"
