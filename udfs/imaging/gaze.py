"""What is worth keeping in one region of a picture: looks at a small copy, once, and only when a preset asks."""

from functools import cached_property
from typing import Final

from PIL import Image

from udfs.imaging.attention import interest_of, most_interesting
from udfs.imaging.faces import faces_in, most_faces
from udfs.imaging.geometry import Place, Size, fit
from udfs.imaging.steps.orient import TRANSPOSES

# Faces of 6 % of the longer side are found in it. Faces in other pictures than portraits are rarely smaller.
LONGER_SIDE_PX: Final = 320
REDUCING_GAP: Final = 2.0  # averages before it resamples


class Gaze:
    """The places of smart and face crops of one region, shown in one orientation."""

    def __init__(self, decoded: Image.Image, box: tuple[float, float, float, float], orientation: int) -> None:
        self._decoded = decoded
        self._box = box
        self._orientation = orientation

    @cached_property
    def smart(self) -> Place:
        """The place of the most interesting spot."""
        return most_interesting(interest_of(self._miniature))

    @cached_property
    def face(self) -> Place:
        """The place of most faces, and the smart one where there is none."""
        faces = faces_in(self._miniature)
        return most_faces(faces, Size(*self._miniature.size)) if faces else self.smart

    @cached_property
    def _miniature(self) -> Image.Image:
        left, upper, right, lower = self._box
        region = Size(max(1, round(right - left)), max(1, round(lower - upper)))
        size = fit(region, LONGER_SIDE_PX, LONGER_SIDE_PX).size
        small = self._decoded.resize(size, Image.Resampling.BILINEAR, self._box, REDUCING_GAP)
        turned = TRANSPOSES.get(self._orientation)
        return _opaque(small if turned is None else small.transpose(turned))


def _opaque(image: Image.Image) -> Image.Image:
    """Return RGB, on mid-grey, on which black things and white ones stand out alike; alpha is premultiplied."""
    if image.mode not in ("La", "RGBa"):
        return image.convert("RGB")
    image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    paper = Image.new("RGBA", image.size, "gray")
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")
