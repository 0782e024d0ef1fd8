"""Renders one small picture in every way that loads something late, because a child can open no file any more."""

import codecs
import io
from typing import Any, Final

from PIL import Image

from udfs.imaging import faces
from udfs.imaging.preset import PRESET_MODEL, Preset
from udfs.imaging.render import render

SIDE_PX: Final = 32
ENCODINGS: Final = ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-be", "utf-16-le")  # of texts in pictures


def rehearse() -> None:
    """Load plugins, encodings, encoders, the built-in font and, where it is installed, the detector of faces."""
    Image.init()
    for encoding in ENCODINGS:
        codecs.lookup(encoding)
    file = io.BytesIO()
    Image.linear_gradient("L").resize((SIDE_PX, SIDE_PX)).convert("RGB").save(file, "PNG")
    render(file.getvalue(), tuple(_presets()))


def _presets() -> list[Preset]:
    gravity = "face" if faces.available() else "smart"
    asked: list[dict[str, Any]] = [
        {"format": "jpeg", "quality": 80, "geometry": "cover", "width": 16, "height": 8, "gravity": gravity},
        {"format": "webp", "target_ssim": 0.9, "width": 16},
        {"format": "avif", "quality": 50, "width": 16},
        {"format": "png", "width": 16, "text": {"text": "a"}},
        {"format": "gif", "width": 16},
    ]
    return [PRESET_MODEL.model_validate({"name": one["format"], **one}) for one in asked]
