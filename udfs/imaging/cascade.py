"""Shrinks the decoded copy for each plan; a copy of the whole picture that was made before serves smaller ones."""

from PIL.Image import Image

from udfs.imaging.plan import Plan
from udfs.imaging.shrink import shrink


class Cascade:
    """The copies of one decoded source."""

    def __init__(self, decoded: Image) -> None:
        self._decoded = decoded

    def shrunk(self, plan: Plan) -> Image:
        """Return the plan's box at the plan's size, in the orientation and mode of the decoded copy."""
        return shrink(self._decoded, plan)
