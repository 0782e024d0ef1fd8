"""ICC profiles and tagged pictures for the tests of colour; the arithmetic here is the tests' own, in 64-bit floats."""

import struct
from functools import cache

import numpy as np
import pyvips
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

# The 24 patches of the ColorChecker in sRGB, as published by X-Rite (before November 2014).
COLOR_CHECKER = np.array([
    (115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170),
    (214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46),
    (56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161),
    (243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52),
], np.uint8)  # fmt: skip

D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
SPACES = {  # white, red, green, blue; and the gamma, None for the curve of sRGB
    "srgb": ((*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06), None),
    "p3": ((*D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060), None),
    "adobe": ((*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 563 / 256),
    "prophoto": ((*D50, 0.734699, 0.265301, 0.159597, 0.840403, 0.036598, 0.000105), 1.8),
    "bt2020": ((*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046), None),
}


def decode_srgb(codes):
    codes = np.asarray(codes, float) / 255
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def encode_srgb(light):
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def to_xyz(chromaticities):
    """From linear RGB to XYZ under the space's own white. Source: SMPTE RP 177."""
    white, *primaries = (
        (x / y, 1, (1 - x - y) / y) for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
    )
    columns = np.transpose(primaries)
    return columns * np.linalg.solve(columns, white)


def in_space(srgb, name):
    """What sRGB colours are called in another space, 0 to 1, as floats."""
    chromaticities, gamma = SPACES[name]
    matrix = np.linalg.solve(to_xyz(chromaticities), adapt(chromaticities[:2]) @ to_xyz(SPACES["srgb"][0]))
    light = np.clip(decode_srgb(srgb) @ matrix.T, 0, 1)
    return encode_srgb(light) / 255 if gamma is None else light ** (1 / gamma)


def adapt(white):
    """Bradford, from D65 to a white."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    old, new = (bradford @ np.array([x / y, 1, (1 - x - y) / y]) for x, y in (D65, white))
    return np.linalg.solve(bradford, (new / old)[:, None] * bradford)


def chart(patches, side=40):
    """24 patches, six by four, of whatever number of bands."""
    rows = np.asarray(patches).reshape(4, 6, -1)
    return np.kron(rows, np.ones((side, side, 1), rows.dtype)).squeeze()


def patches_of(image):
    """The middle of each of the 24 patches."""
    pixels = np.atleast_3d(np.asarray(image)).astype(float)
    height, width = pixels.shape[0] / 4, pixels.shape[1] / 6
    centres = [
        pixels[int((row + 0.5) * height), int((column + 0.5) * width)] for row in range(4) for column in range(6)
    ]
    return np.array(centres)


def delta_e(one, other):
    """The largest CIEDE2000 difference of sRGB colours, 0 to 255."""
    return float(np.max(deltaE_ciede2000(*(rgb2lab(np.asarray(colors, float) / 255) for colors in (one, other)))))


@cache
def vips_profile(name):
    """`p3`, `srgb` or `cmyk`: the profiles in libvips, which others made; that of CMYK has 960 kB."""
    return bytes(pyvips.Operation.call("profile_load", name))


def gray_profile(gamma=2.2, name="Gray"):
    """A monitor of one channel, ICC version 2."""
    text = name.encode()
    desc = b"desc" + struct.pack(">II", 0, len(text) + 1) + text + b"\0" + bytes(8 + 3 + 67)
    return small_profile(b"GRAY", {b"desc": desc, b"wtpt": D50_TAG, b"kTRC": curve_tag(gamma)})


D50_TAG = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)


def curve_tag(gamma):
    return b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))


def small_profile(space, tags, size=None):
    directory, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for signature, data in tags.items():
        directory += signature + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    total = start + len(body) if size is None else size
    head = struct.pack(">I4xI4s4s4s12s4s", total, 0x02400000, b"mntr", space, b"XYZ ", bytes(12), b"acsp")
    return head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061).ljust(60, b"\0") + directory + body


def tagged(array, mode=None):
    return Image.fromarray(array) if mode is None else Image.frombytes(mode, array.shape[1::-1], array.tobytes())
