"""Smooth courses of what was measured once per frame of a shot: local regression (Cleveland & Devlin 1988), in windows
that are as long as the course allows.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Values = NDArray[np.float64]
REACH = 3
"""Frames on either side that one is compared with to see whether it stands alone: up to as many may do so together."""


class Window(NamedTuple):
    """A Gaussian window of *sigma* frames, at `inf` all of a shot, in which courses are polynomials of a *degree*."""

    sigma: float
    degree: int


TRANSITION = 3.0
"""Frames (standard deviation) over which windows of one length give way to those of another."""


def jitter(values: Values) -> float:
    """Standard deviation of the part of *values* (n,) that has no memory: by how far they are off a cubic curve through
    two neighbours on either side, robustly. 0 where there are fewer than five.
    """
    curve = np.array([-1, 4, 0, 4, -1]) / 6
    off = np.abs(values[2:-2] - np.convolve(values, curve, mode="valid")) if len(values) >= len(curve) else values[:0]
    # The median of what is off is 0.6745 times its standard deviation, to which all five contribute.
    return float(np.median(off) / (0.6745 * np.sqrt(1 + (curve**2).sum()))) if off.size else 0.0


def calm(values: Values, limit: float) -> NDArray[np.bool_]:
    """Which of *values* (n,) are within *limit* of the median of themselves and REACH ones before and after."""
    around = np.pad(values, REACH, constant_values=np.nan)
    return np.abs(values - np.nanmedian(sliding_window_view(around, 2 * REACH + 1), axis=1)) <= limit


def smoothed(values: Values, weights: Values, windows: Sequence[Window], tolerance: float) -> Values:
    """The course (n,) of *values* (n,): at each frame, the polynomial that fits best around it under a Gaussian window.

    Polynomials have no bias at the ends, as averages would. *weights* (n,) are 0 where values don't count. At each
    frame, the first of the *windows*, which get shorter, is taken within which values stay within *tolerance* (root
    mean square) of the course (after Goldenshluger & Nemirovski 1997), so that nothing abrupt is blurred. Where they
    do so within none, values are the course.
    """
    courses = np.stack([*(_course(values, weights, window) for window in windows), values])
    off = [_spread(values - course, weights, window) for course, window in zip(courses, windows, strict=False)]
    fits = np.stack([*(spread <= tolerance for spread in off), np.ones(len(values), bool)])
    chosen = np.argmax(fits, axis=0) == np.arange(len(fits))[:, None]
    shares = np.stack([_sums(one.astype(float), TRANSITION) for one in chosen])
    return cast(Values, (shares * courses).sum(axis=0) / shares.sum(axis=0))


def _course(values: Values, weights: Values, window: Window) -> Values:
    powers = range(window.degree + 1)
    moments = [_sums(weights, window.sigma, power) for power in range(2 * window.degree + 1)]
    matrix = np.stack([np.stack([moments[i + j] for j in powers], axis=-1) for i in powers], axis=-2)
    # Where too few values are in reach for this degree, the course is level as far as they leave it open.
    matrix += np.diag([0.0, *[1.0] * window.degree]) * 1e-6 * moments[0][:, None, None] + 1e-30 * np.eye(len(powers))
    right = np.stack([_sums(weights * values, window.sigma, power) for power in powers], axis=-1)
    return cast(Values, np.linalg.solve(matrix, right[..., None])[:, 0, 0])


def _spread(residuals: Values, weights: Values, window: Window) -> Values:
    """Root mean square of *residuals* under the window around each frame."""
    return cast(Values, np.sqrt(_sums(weights * residuals**2, window.sigma) / (_sums(weights, window.sigma) + 1e-30)))


def _sums(values: Values, sigma: float, power: int = 0) -> Values:
    """Sums of *values* under a Gaussian window around each frame, times a *power* of the distance, in sigmas."""
    count = len(values)
    sigma = min(sigma, 4.0 * count)
    reach = min(int(np.ceil(5 * sigma)), count - 1)
    distances = np.arange(-reach, reach + 1) / sigma
    window = np.exp(-(distances**2) / 2) * distances**power
    # Convolution runs through its window backwards.
    return np.convolve(values, window[::-1])[reach : reach + count]
