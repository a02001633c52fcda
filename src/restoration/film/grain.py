"""Grain and noise: measured, averaged away along the motion, and put back."""

from collections.abc import Sequence
from functools import cache
from typing import cast

import cv2
import numpy as np

from restoration.film.neighbours import compensated, deviation, distinct, flow
from restoration.frames import Frame, luma
from restoration.motion import Array

REACH = 2
"""Neighbours on either side that are averaged."""
PATCH = 7, 7
"""Pixels around each that are compared: what a single one has by chance does not count."""
SELECTIVITY = 1.2
"""Noises by which patches differ, beyond what noise does, where a neighbour's weight falls to 1/e."""
FIELD = 1024
"""Edge, in pixels, of the noise that grain is cut from; it repeats beyond."""
COARSENESS = 0.6
"""Standard deviation, in pixels, of the Gaussian that makes grains a little larger than a pixel."""


def noise(frame: Frame, before: Sequence[Frame], after: Sequence[Frame]) -> float:
    """Standard deviation, of 255, of the noise of *frame*: of what differs from its neighbours along the motion.

    *before* and *after* are those of its shot, nearest first, as in `calmed`; 0 without any.
    """
    near = [side[0] for side in (distinct(frame, before), distinct(frame, after)) if side]
    return min((deviation(frame, compensated(other, flow(frame, other))) for other in near), default=0.0)


def calmed(frame: Frame, before: Sequence[Frame], after: Sequence[Frame], *, noise: float, strength: float) -> Frame:
    """*frame* with a share of *strength*, 0 to 1, of its *noise*, a standard deviation of 255, taken away.

    It is averaged with up to REACH neighbours on either side, *before* and *after*, those of its shot, nearest first,
    brought to it along the motion; one or two more on each are needed to tell which merely repeat the frame. Each
    weighs by how much a patch of it differs from the frame's beyond what noise does, as in non-local means (Buades et
    al. 2005). Where motion was not met, the frame stays as it is.
    """
    if not noise:
        return frame
    own = frame.astype(np.float32)
    added, weights = np.zeros_like(own), np.ones(own.shape[:2], np.float32)
    for other in [*distinct(frame, before)[:REACH], *distinct(frame, after)[:REACH]]:
        change = compensated(other, flow(frame, other)) - own
        apart = cv2.blur(cv2.transform(change * change, np.full((1, 3), 1 / 3, np.float32)), PATCH)
        weight = np.exp(-np.maximum(apart - 2 * noise**2, 0) / (SELECTIVITY * noise) ** 2).astype(np.float32)
        added += weight[..., None] * change
        weights += weight
    own += np.float32(strength) * added / weights[..., None]
    return cast(Frame, np.rint(own).clip(0, 255).astype(np.uint8))


def grainy(frame: Frame, number: int, *, deviation: float, size: float = 1) -> Frame:
    """*frame*, whose index in its video is *number*, with gray grain of a standard *deviation*, of 255.

    That is the one of middle tones: towards black and white grain fades, so that the mean stays. Its grains are larger
    by *size*, as a picture is that was enlarged. Every number has its own, the same wherever and in whatever order it
    is asked for: it is made of nothing but raw bits of PCG64, which no version of NumPy may change.
    """
    height, width = frame.shape[:2]
    top, left, flips = (int(bits) for bits in np.random.PCG64(number).random_raw(3))
    top, left = top % FIELD, left % FIELD
    field = _field(height, width, size)[top : top + height, left : left + width]
    field = field[:: 1 - 2 * (flips & 1), :: 1 - (flips & 2)]
    tones = np.arange(256, dtype=np.float32) / 255
    amount = cv2.LUT(luma(frame), 2 * np.float32(deviation) * np.sqrt(tones * (1 - tones)))
    return cast(Frame, cv2.add(frame, cv2.merge([amount * field] * 3), dtype=cv2.CV_8U))


@cache
def _field(height: int, width: int, size: float) -> Array:
    """Noise of standard deviation 1 that repeats after FIELD pixels, enough to cut any part of this size out of it."""
    # Eight bytes summed are as good as normally distributed.
    sums = np.random.PCG64(FIELD).random_raw(FIELD**2).view(np.uint8).reshape(FIELD, FIELD, 8).sum(axis=2)
    noise = np.pad(sums.astype(np.float32), ((0, height), (0, width)), mode="wrap")
    noise = cast(Array, cv2.GaussianBlur(noise, (0, 0), COARSENESS * size))
    period = noise[:FIELD, :FIELD]
    return (noise - period.mean()) / period.std()
