"""Shrinks the decoded copy for each plan; a copy of the whole picture that was made before serves smaller ones."""

from dataclasses import dataclass, replace
from typing import Final

from PIL.Image import Image

from udfs.imaging.plan import Plan
from udfs.imaging.shrink import shrink

# A copy serves what is at most half as large, in both directions. Measured against Lanczos in full precision from the
# source itself, five photographs and the zone plate, 258 pairs of sizes: photographs 54.4 dB or more (straight from the
# source: 55.0), the zone plate 52.9 (53.6); never more than 3.1 dB less than straight from the source.
GAP: Final = 2

# The decoded copy must have twice the pixels of the one that stands in for it, or nothing is gained. From 2040x1404,
# milliseconds for 640, 320 and 128 px: 8.4, 6.6, 6.7; from the copy of 1280 px: 4.6, 3.3, 2.6.
WORTH: Final = 2


@dataclass(frozen=True, slots=True)
class Copy:
    """The whole picture, shrunk; `extent` is the width and height it had in pixels of the decoded copy."""

    image: Image
    extent: tuple[float, float]

    def box(self, plan: Plan) -> tuple[float, float, float, float]:
        """Where the plan's box is in this copy."""
        (left, upper, right, lower), (width, height) = plan.box, self.extent
        x, y = self.image.width / width, self.image.height / height
        return left * x, upper * y, min(right * x, self.image.width), min(lower * y, self.image.height)

    def serves(self, plan: Plan) -> bool:
        """Tell whether it holds the plan's box, large enough."""
        if plan.box[2] > self.extent[0] or plan.box[3] > self.extent[1]:
            return False
        left, upper, right, lower = self.box(plan)
        return right - left >= GAP * plan.size[0] and lower - upper >= GAP * plan.size[1]


class Cascade:
    """The copies of one decoded source.

    Plans must come largest first: their pixels then depend on which plans there are, and not on the order of those of
    equal area, since none of these serves another. Only copies made from the decoded one serve, so errors do not add
    up. No step may change the image it is given: others are made from it.
    """

    def __init__(self, decoded: Image) -> None:
        self._decoded = decoded
        self._copies: list[Copy] = []

    def shrunk(self, plan: Plan) -> Image:
        """Return the plan's box at the plan's size, in the orientation of the decoded copy."""
        serving = [copy for copy in self._copies if copy.serves(plan) and not (plan.linear_light or plan.region)]
        if serving:
            smallest = min(serving, key=lambda copy: (copy.image.width * copy.image.height, copy.image.size))
            return shrink(smallest.image, replace(plan, box=smallest.box(plan)))
        image = shrink(self._decoded, plan)
        if self._is_worth_keeping(plan):
            self._copies.append(Copy(image, plan.box[2:]))
        return image

    def _is_worth_keeping(self, plan: Plan) -> bool:
        (width, height), (left, upper, right, lower) = self._decoded.size, plan.box
        # Where its sides are no multiples of the decoder's scale, the picture ends within the copy's last pixels.
        whole = left == upper == 0 and right > width - 1 and lower > height - 1
        return whole and not plan.linear_light and plan.size[0] * plan.size[1] * WORTH <= width * height
