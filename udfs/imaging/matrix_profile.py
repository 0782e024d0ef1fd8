"""Writes the ICC profile of an RGB space that a file names by numbers: CICP code points, or PNG's gAMA and cHRM."""

import struct
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Chromaticities = tuple[float, float, float, float, float, float, float, float]  # x and y of white, red, green, blue
Curve = tuple[float, ...]  # what an ICC parametric curve takes: its gamma alone, or g, a, b, c and d

D65: Final = (0.3127, 0.3290)
D50_XYZ: Final = (0.9642, 1.0, 0.8249)  # the profile connection space. Source: ICC.1:2022, 7.2.16
SRGB_CURVE: Final[Curve] = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # Source: IEC 61966-2-1
SRGB_GAMMA: Final = 0.45455  # what writers that mean sRGB put into gAMA. Source: PNG, third edition, 11.3.2.5
GAMMAS: Final = (0.2, 2.0)  # of gAMA; what lies outside is damage
ADOBE_RGB: Final[Chromaticities] = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)  # Source: Adobe RGB (1998), 4.3.1.1
DISPLAY_P3: Final[Chromaticities] = (*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
SRGB: Final[Chromaticities] = (*D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)

# Colour primaries by code point, those of sRGB left out. Source: ITU-T H.273, table 2.
CICP_PRIMARIES: Final[dict[int, tuple[str, Chromaticities]]] = {
    5: ("BT.470 BG", (*D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060)),
    6: ("BT.601", (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    7: ("SMPTE 240M", (*D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)),
    9: ("BT.2020", (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)),
    12: ("Display P3", DISPLAY_P3),
}
CICP_CURVES: Final[dict[int, Curve]] = {4: (2.2,), 5: (2.8,), 8: (1.0,)}  # H.273, table 3; every other one as sRGB

# Source: Bradford's cone response, ICC.1:2022, annex E.
BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

Matrix = npt.NDArray[np.float64]


def cicp_profile(primaries: int, transfer: int) -> bytes | None:
    """Return the profile of the code points, None where they say sRGB or nothing.

    The curves of video and of HDR (PQ, HLG) are taken as sRGB's: pictures are shown that way, and there is no tone map.
    """
    name, chromaticities = CICP_PRIMARIES.get(primaries, ("sRGB", SRGB))
    curve = CICP_CURVES.get(transfer, SRGB_CURVE)
    if chromaticities == SRGB and curve == SRGB_CURVE:
        return None
    return matrix_profile(name, chromaticities, curve)


def png_profile(gamma: float | None, chromaticities: tuple[float, ...] | None) -> bytes | None:
    """Return the profile of a PNG's gAMA and cHRM, None where there are none or they cannot be."""
    if gamma is None or not GAMMAS[0] <= gamma <= GAMMAS[1]:
        return None
    curve = SRGB_CURVE if abs(gamma - SRGB_GAMMA) < 1e-4 else (1 / gamma,)
    try:
        return matrix_profile("PNG gAMA and cHRM", _eight(chromaticities or SRGB), curve)
    except (ValueError, struct.error, np.linalg.LinAlgError):
        return None


@lru_cache(maxsize=16)
def matrix_profile(name: str, chromaticities: Chromaticities, curve: Curve) -> bytes:
    """Return a display profile of ICC version 4: primaries as a matrix, and one parametric curve for all three.

    Raises ValueError, struct.error or LinAlgError for primaries that span no space.
    """
    matrix, adapt = rgb_to_xyz(chromaticities)
    tags = {
        b"desc": text_tag(name),
        b"cprt": text_tag("No copyright"),
        b"wtpt": _xyz_tag(D50_XYZ),
        b"chad": b"sf32\0\0\0\0" + _fixed(*adapt.flat),
        **{letter + b"XYZ": _xyz_tag(matrix[:, at]) for at, letter in enumerate((b"r", b"g", b"b"))},
        **{letter + b"TRC": _curve_tag(curve) for letter in (b"r", b"g", b"b")},
    }
    return icc_profile(b"mntr", b"RGB ", b"XYZ ", tags)


def rgb_to_xyz(chromaticities: Chromaticities) -> tuple[Matrix, Matrix]:
    """Return the matrix from linear RGB to XYZ under D50, and the adaptation to D50 that is in it."""
    white, *primaries = (_xyz(*chromaticities[at : at + 2]) for at in range(0, 8, 2))
    gains = (BRADFORD @ np.array(D50_XYZ)) / (BRADFORD @ white)
    adapt = np.linalg.inv(BRADFORD) @ np.diag(gains) @ BRADFORD
    columns = np.column_stack(primaries)
    return adapt @ columns @ np.diag(np.linalg.solve(columns, white)), adapt


def text_tag(text: str) -> bytes:
    """Return a multi-localised text of one language. Source: ICC.1:2022, 10.15."""
    encoded = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(encoded), 28) + encoded


def icc_profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Put a profile together: class, colour space, connection space and tags. Source: ICC.1:2022, 7.2 and 7.3."""
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for signature, data in tags.items():
        directory += struct.pack(">4sII", signature, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    head = struct.pack(">I4xI4s4s4s12s4s", start + len(body), 0x04400000, kind, space, connection, date, b"acsp")
    return head.ljust(68, b"\0") + _fixed(*D50_XYZ).ljust(60, b"\0") + directory + body


def _eight(values: tuple[float, ...]) -> Chromaticities:
    white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y = values
    return white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y


def _xyz(x: float, y: float) -> Matrix:
    if not (0 < y <= 1 and 0 <= x <= 1):
        msg = f"chromaticity {x}, {y} is no colour"
        raise ValueError(msg)
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(float(value) * 65_536) for value in values))


def _xyz_tag(xyz: npt.ArrayLike) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*np.asarray(xyz, dtype=float))


def _curve_tag(curve: Curve) -> bytes:
    return struct.pack(">4sIHH", b"para", 0, 0 if len(curve) == 1 else 3, 0) + _fixed(*curve)
