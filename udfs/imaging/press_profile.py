"""The ICC profile for CMYK samples that come without one: the press that most such files were made for."""

import struct
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from udfs.imaging.matrix_profile import D50_XYZ, SRGB, icc_profile, rgb_to_xyz, text_tag

GRID: Final = 9  # points per ink: half a level from the formula on average; 39 kB

# sRGB, 0 to 255, of the inks, 0 to 1: a quadratic fitted to US Web Coated (SWOP) v2 with its black point compensated.
# One row for red, green and blue; the columns are TERMS. Source: Mozilla pdf.js (Apache-2.0), src/core/colorspace.js,
# DeviceCmykCS. (1 - c)(1 - k), which is what Pillow and browsers do, gives inks that no press has.
TERMS: Final = ("", "c", "m", "y", "k", "cc", "cm", "cy", "ck", "mm", "my", "mk", "yy", "yk", "kk")
SWOP: Final = (
    (255, -285.2331026137004, -5.497006427196366, 17.5119270841813, -189.48180835922747, -4.387332384609988,
     54.48615194189176, 18.82290502165302, 212.25662451639585, 1.7149763477362134, -5.6096736904047315,
     -17.873870861415444, -2.5217340131683033, -21.248923337353073, -21.86122147463605),
    (255, -79.2970844816548, -190.9453302588951, -24.86741582555878, -187.80453709719578, 8.841041422036149,
     60.118027045597366, 6.871425592049007, 31.159100130055922, -15.310361306967817, 17.575251261109482,
     131.35250912493976, 4.444339102852739, 9.8632861493405, -20.737325471181034),
    (255, -14.183576799673286, -112.23884253719248, -193.58209356861505, -180.12613974708367, 0.8842522430003296,
     8.078677503112928, 30.89978309703729, -0.23883238689178934, 10.49593273432072, 63.02378494754052,
     50.606957656360734, 0.03296041114873217, 115.60384449646641, -22.33816807309886),
)  # fmt: skip

# Source: ICC.1:2022, 6.3.4.2, the legacy encoding of 16-bit Lab that this type of table keeps.
LAB_OFFSETS: Final = np.array([0, 128, 128])
LAB_STEPS: Final = np.array([652.8, 256, 256])

Samples = npt.NDArray[np.float64]


@cache
def press_profile() -> bytes:
    """Return the profile: a table from ink to CIE Lab. LittleCMS then treats such a file as one with a profile."""
    axes = np.meshgrid(*[np.linspace(0, 1, GRID)] * 4, indexing="ij")
    lab = _lab(press_rgb(np.stack(axes, axis=-1)))
    tags = {
        b"desc": text_tag("CMYK without a profile"),
        b"cprt": text_tag("No copyright"),
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65_536) for value in D50_XYZ)),
        b"A2B0": _table(lab),
    }
    return icc_profile(b"scnr", b"CMYK", b"Lab ", tags)


def press_rgb(inks: Samples) -> Samples:
    """Return sRGB, 0 to 1, of inks (..., 4), each 0 (none) to 1 (solid)."""
    ink = dict(zip("cmyk", np.moveaxis(inks, -1, 0), strict=True))
    terms = [np.prod([ink[letter] for letter in term], axis=0) * np.ones_like(ink["c"]) for term in TERMS]
    srgb: Samples = np.clip(np.stack(terms, axis=-1) @ np.array(SWOP).T / 255, 0, 1)
    return srgb


def _lab(srgb: Samples) -> Samples:
    """CIE Lab under D50. Source: IEC 61966-2-1 and CIE 15."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    ratio = linear @ rgb_to_xyz(SRGB)[0].T / np.array(D50_XYZ)
    x, y, z = np.moveaxis(np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29), -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _table(lab: Samples) -> bytes:
    """A lut16Type with straight curves. Source: ICC.1:2022, 10.10."""
    encoded = np.clip(np.rint((lab + LAB_OFFSETS) * LAB_STEPS), 0, 65_535).astype(">u2")
    identity = struct.pack(">9i", *(65_536 * (at % 4 == 0) for at in range(9)))
    straight = struct.pack(">2H", 0, 65_535)
    head = struct.pack(">4sI4B", b"mft2", 0, 4, 3, GRID, 0) + identity + struct.pack(">2H", 2, 2)
    return b"".join((head, straight * 4, encoded.tobytes(), straight * 3))
