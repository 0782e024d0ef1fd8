"""From a preset to the plan of one derivative: what is kept of the picture, how it is turned, how large it becomes."""

from collections.abc import Mapping
from typing import Final

from udfs.imaging.decode import Decoded
from udfs.imaging.gaze import Gaze
from udfs.imaging.geometry import (
    CENTRE,
    Box,
    Framing,
    Place,
    Size,
    around,
    at_point,
    cover,
    displayed,
    fill,
    fit,
    pad,
    stored_box,
    stretch,
    to_stored,
)
from udfs.imaging.parameters import HALVES
from udfs.imaging.plan import Plan
from udfs.imaging.preset import Preset
from udfs.imaging.trim import content_box
from udfs.imaging.turning import inverse, stored_point, then, turn

POINTS: Final[Mapping[str, Place]] = {compass: at_point(halves) for compass, halves in HALVES.items()}

# Where a plan has no use for them, so that presets which end in the same pixels have equal plans.
UNUSED_BACKGROUND: Final = (255, 255, 255, 255)
UNUSED_DPR: Final = 1.0


class Planner:
    """Makes the plans of one decoded source.

    `focal_point` is (x, y) in shares of the displayed picture, 0 to 1, as the event names it; where it names none, a
    focal crop is a smart one. The box of a preset is for the picture as it is turned in the end, and so are compass
    points. A border is trimmed before anything else, by the upper left corner of the displayed picture.
    """

    def __init__(self, decoded: Decoded, focal_point: tuple[float, float] | None) -> None:
        self._decoded = decoded
        self._focal_point = focal_point
        self._trimmed: dict[int, Box] = {}
        self._gazes: dict[tuple[Box, int], Gaze] = {}

    def plan(self, preset: Preset) -> Plan:
        """Return what the steps must do for this preset."""
        decoded = self._decoded
        orientation = then(decoded.orientation, turn(preset.rotate, preset.flip))
        region = self._region(preset.trim)
        framing = framed(preset, displayed(region.size, orientation), self._place(preset, region, orientation))
        stored = to_stored(framing, region.size, orientation)
        return Plan(
            box=self._decoded_box(stored.crop.moved(region.left, region.upper)),
            size=stored.size,
            orientation=orientation,
            linear_light=preset.linear_light,
            profile=None if preset.color_profile == "keep" and decoded.kept_profile else decoded.profile,
            canvas=stored.canvas,
            background=preset.background_rgba if stored.canvas else UNUSED_BACKGROUND,
            effects=preset.effects,
            dpr=preset.dpr if preset.effects else UNUSED_DPR,
            region=self._trimmed_to(region),
        )

    def _place(self, preset: Preset, region: Box, orientation: int) -> Place:
        if preset.geometry != "cover" or preset.gravity in POINTS:
            return _place_of(preset)
        if preset.gravity == "focal" and self._focal_point:
            return around(*self._focal_share(self._focal_point, region, orientation))
        gaze = self._gazes.setdefault(
            (region, orientation), Gaze(self._decoded.image, self._decoded_box(region), orientation)
        )
        return gaze.face if preset.gravity == "face" else gaze.smart

    def _focal_share(self, point: tuple[float, float], region: Box, orientation: int) -> tuple[float, float]:
        """Carry the focal point from the displayed picture to the region as it is turned in the end."""
        x, y = stored_point(*point, self._decoded.orientation)
        x = (x * self._decoded.stored.width - region.left) / region.size.width
        y = (y * self._decoded.stored.height - region.upper) / region.size.height
        return stored_point(x, y, inverse(orientation))

    def _region(self, tolerance: int | None) -> Box:
        """Return what is left of the stored picture once its border is trimmed, in pixels of the source."""
        stored, scale = self._decoded.stored, self._decoded.scale
        if tolerance is None:
            return Box(0, 0, *stored)
        if tolerance not in self._trimmed:
            image = self._decoded.image
            pixel = stored_box(Box(0, 0, 1, 1), Size(*image.size), self._decoded.orientation)
            left, upper, right, lower = content_box(image, (pixel.left, pixel.upper), tolerance)
            self._trimmed[tolerance] = Box(
                left * scale, upper * scale, min(right * scale, stored.width), min(lower * scale, stored.height)
            )
        return self._trimmed[tolerance]

    def _trimmed_to(self, region: Box) -> tuple[int, int, int, int] | None:
        if region == Box(0, 0, *self._decoded.stored):
            return None
        left, upper, right, lower = map(round, self._decoded_box(region))
        return left, upper, right, lower

    def _decoded_box(self, box: Box) -> tuple[float, float, float, float]:
        left, upper, right, lower = (edge / self._decoded.scale for edge in box)
        return left, upper, right, lower


def framed(preset: Preset, source: Size, place: Place) -> Framing:
    """Return what a preset keeps of a picture that is turned and trimmed already."""
    (width, height), enlarge = preset.box, preset.enlarge
    if width is None or height is None or preset.geometry == "fit":
        return fit(source, width, height, enlarge=enlarge)
    if preset.geometry == "cover":
        return cover(source, width, height, place, enlarge=enlarge)
    if preset.geometry == "pad":
        return pad(source, width, height, place, enlarge=enlarge)
    change = fill if preset.geometry == "fill" else stretch
    return change(source, width, height, enlarge=enlarge)


def framing_of(preset: Preset, displayed_size: Size) -> Framing:
    """Return how large a preset needs the displayed picture, before there are pixels; in the final orientation.

    Where a crop lies is not known yet, and changes nothing. What a trim leaves is not known either and may be small: it
    needs every pixel there is, also because a border's edge is found to the pixel.
    """
    source = displayed(displayed_size, turn(preset.rotate, preset.flip))
    if preset.trim is not None:
        return Framing(Box(0, 0, *source), source)
    return framed(preset, source, _place_of(preset))


def _place_of(preset: Preset) -> Place:
    """Return the place of a compass point, and the centre for a gravity that looks at pixels."""
    return POINTS.get(preset.gravity, CENTRE)
