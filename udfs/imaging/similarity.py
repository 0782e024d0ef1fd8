"""The structural similarity of two pictures of one channel, 1 being the same.

Source: Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to structural similarity,
IEEE Transactions on Image Processing 13(4), 2004: Gaussian window of 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03.
"""

from typing import Any, Final

import numpy as np

Plane = np.ndarray[tuple[int, int], np.dtype[np.float32]]

WINDOW: Final = 11
SIGMA: Final = 1.5
C1: Final = (0.01 * 255) ** 2
C2: Final = (0.03 * 255) ** 2


def _gaussian() -> tuple[float, ...]:
    weights = np.exp(-0.5 * ((np.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    return tuple(float(weight) for weight in weights / weights.sum())


GAUSSIAN: Final = _gaussian()


class Reference:
    """A picture that others are compared with; only windows inside it count.

    `plane` is float32 of shape (height, width), 0 to 255; `stride` tells that every so many-th window of both axes is
    looked at. A picture smaller than a window is continued with its edge.
    """

    def __init__(self, plane: Plane, stride: int = 1) -> None:
        self._stride = stride
        self._plane = _at_least_a_window(plane)
        self._mean = _windows(self._plane, stride)
        self._variance = _windows(self._plane**2, stride) - self._mean**2

    def ssim(self, plane: Plane) -> float:
        """Return the mean structural similarity, -1 to 1."""
        other, stride = _at_least_a_window(plane), self._stride
        mean = _windows(other, stride)
        variance = _windows(other**2, stride) - mean**2
        covariance = _windows(self._plane * other, stride) - self._mean * mean
        likeness = (2 * self._mean * mean + C1) * (2 * covariance + C2)
        likeness /= (self._mean**2 + mean**2 + C1) * (self._variance + variance + C2)
        return float(np.mean(likeness, dtype=np.float64))


def _windows(plane: Any, stride: int) -> Any:
    """Return the weighted mean of each window that lies inside, the rows first."""
    rows = _along_first_axis(plane, stride)
    return _along_first_axis(rows.T, stride).T


def _along_first_axis(plane: Any, stride: int) -> Any:
    ends = plane.shape[0] - WINDOW + 1
    total = GAUSSIAN[0] * plane[:ends:stride]
    for shift, weight in enumerate(GAUSSIAN[1:], start=1):
        total += weight * plane[shift : shift + ends : stride]
    return total


def _at_least_a_window(plane: Plane) -> Any:
    missing = [(0, max(0, WINDOW - side)) for side in plane.shape]
    return np.pad(plane, missing, "edge") if any(after for _, after in missing) else plane
