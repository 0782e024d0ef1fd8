"""From a preset to the plan of one derivative: what is kept of the picture, and how large it becomes."""

from udfs.imaging.decode import Decoded
from udfs.imaging.geometry import Framing, Size, cover, fit, to_stored
from udfs.imaging.plan import Plan
from udfs.imaging.preset import Preset


class Planner:
    """Makes the plans of one decoded source.

    `focal_point` is (x, y) in shares of the displayed picture, 0 to 1, as the event names it; None: the centre.
    """

    def __init__(self, decoded: Decoded, focal_point: tuple[float, float] | None) -> None:
        self._decoded = decoded
        self._focal_point = focal_point

    def plan(self, preset: Preset) -> Plan:
        """Return what the steps must do for this preset."""
        decoded = self._decoded
        framing = to_stored(framing_of(preset, decoded.displayed), decoded.stored, decoded.orientation)
        left, upper, right, lower = (edge / decoded.scale for edge in framing.crop)
        return Plan(
            box=(left, upper, right, lower),
            size=framing.size,
            orientation=decoded.orientation,
            linear_light=preset.linear_light,
            profile=decoded.profile if preset.color_profile == "srgb" else None,
            canvas=framing.canvas,
            background=preset.background_rgba,
            effects=preset.effects,
            dpr=preset.dpr,
        )


def framing_of(preset: Preset, displayed: Size) -> Framing:
    """Return what a preset keeps of a displayed picture, as far as its size alone tells."""
    width, height = preset.box
    if preset.geometry == "cover":
        return cover(displayed, width or displayed.width, height or displayed.height)
    return fit(displayed, width, height)
