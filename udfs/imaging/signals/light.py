"""The sRGB transfer curve, both ways, for values of 0 to 1. Source: IEC 61966-2-1."""

import numpy as np

from udfs.imaging.signals.cosines import Samples


def to_linear(srgb: Samples) -> Samples:
    """Return the amount of light."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: Samples) -> Samples:
    """Return the sample that stands for that amount of light; what is out of range is clipped."""
    inside = np.clip(linear, 0, 1)
    return np.where(inside <= 0.0031308, inside * 12.92, 1.055 * inside ** (1 / 2.4) - 0.055)
