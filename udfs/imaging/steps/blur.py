"""Softens a picture; transparent pixels lend no colour to their neighbours."""

from typing import Annotated, Final

from PIL.Image import Image
from PIL.ImageFilter import GaussianBlur
from pydantic import Field

MAX_SIGMA_PX: Final = 100
PREMULTIPLIED: Final = {"LA": "La", "RGBA": "RGBa"}

Sigma = Annotated[float, Field(ge=0.1, le=MAX_SIGMA_PX)]


def blur(image: Image, sigma: float, dpr: float) -> Image:
    """Return the picture in its mode, convolved with a Gaussian of `sigma` pixels; its edges are repeated outwards.

    Pillow approximates the Gaussian by three extended box filters, so a wide one costs as much as a narrow one.
    Source: Gwosdek et al., Theoretical Foundations of Gaussian Convolution by Extended Box Filtering, SSVM 2011.
    """
    working = PREMULTIPLIED.get(image.mode)
    if working is None:
        return image.filter(GaussianBlur(sigma * dpr))
    return image.convert(working).filter(GaussianBlur(sigma * dpr)).convert(image.mode)
