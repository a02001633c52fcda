"""Flicker of luma: how exposure changes from frame to frame, whatever the pictures show, and evened out."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.film.paths import REACH, Values, Window, calm, jitter, smoothed
from restoration.frames import Frame

Luma = NDArray[np.uint8]

WORKING_WIDTH = 320
"""Pixels; exposure is compared at this width."""
SMALLEST = 16
"""Edge, in pixels, of the smallest pictures that optical flow is computed for."""
SOFT = 1.5
"""Pixels (standard deviation) by which pictures are softened for that, of which every STRIDE-th is then enough."""
STRIDE = 2
DARKEST, LIGHTEST = 8, 245
"""Luma (of 255) beyond which film, tube or file may have clipped what was there."""
FEWEST = 0.05
"""Share of pixels that have to be within that."""
ROUNDS = 8
"""Of reweighting, in which the fit of exposure settles."""
CONTRAST = 0.02
"""Where a scene's variance is this share of its mean square, its offset is halved: that of flat scenes is chance."""
WINDOWS = tuple(Window(sigma, 1) for sigma in (16, 8, 4))
"""Light changes more slowly than flicker; it fades, along a line."""
PLAY = 1.5
"""How far exposure may be off the smooth course (root mean square), in terms of `paths.jitter`."""
LEAST = 0.004
"""`paths.jitter` of the logarithm of exposure below which nobody sees flicker."""
NOTABLE = 0.15
"""Change of the logarithm of exposure below which nothing is taken for a flash or a step, and times `paths.jitter`:"""
FLASH = 5.0
"""What is off the median of its surroundings by more is no flicker but a flash, or up to
`paths.REACH` of them."""
STEP = 3.5
"""Where medians before and after differ by more, and at once, a lamp was switched."""


class Tone(NamedTuple):
    """A change of exposure to exp(*gain*) * luma + *offset*, the latter in steps of 255."""

    gain: float
    offset: float


NEUTRAL = Tone(0.0, 0.0)


def change(before: Luma, after: Luma) -> Tone | None:
    """How exposure changed from *before* to *after*, uint8 (h, w), as seen where both show the same; None where nobody
    can tell."""
    scale = min(1.0, WORKING_WIDTH / before.shape[1])
    height, width = (round(length * scale) for length in before.shape)
    if min(height, width) < SMALLEST:
        return None
    first, second = (cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA) for luma in (before, after))
    # Motion is found between pictures of one exposure.
    alike = cv2.convertScaleAbs(first, alpha=max(float(second.mean()), 1) / max(float(first.mean()), 1))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow = search.calc(second, alike, np.zeros((height, width, 2), np.float32))
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    places = columns + flow[..., 0], rows + flow[..., 1]
    # Grain must not count, nor how sharp pictures are: neither is what is moved between pixels, or out of focus.
    first, second = (cast(Luma, cv2.GaussianBlur(luma, (0, 0), SOFT)).astype(np.float32) for luma in (first, second))
    arrived = cv2.remap(first, *places, cv2.INTER_LINEAR, borderValue=0)
    old, new = cast(NDArray[np.float32], arrived)[::STRIDE, ::STRIDE], second[::STRIDE, ::STRIDE]
    usable = (np.minimum(old, new) >= DARKEST) & (np.maximum(old, new) <= LIGHTEST)
    return _fit(old[usable], new[usable]) if usable.mean() >= FEWEST else None


def _fit(old: NDArray[np.float32], new: NDArray[np.float32]) -> Tone:
    """Gain and offset from *old* to *new*, by Cauchy's robust regression (Holland & Welsch 1977), symmetric: the noise
    of either must not pull the gain down."""
    gain, offset = float(np.exp(np.median(np.log(new / old)))), 0.0
    for _ in range(ROUNDS):
        off = new - gain * old - offset
        spread = max(1.4826 * float(np.median(np.abs(off))), 0.5)
        weights = 1 / (1 + (off / (2 * spread)) ** 2)
        x, y = np.average(old, weights=weights), np.average(new, weights=weights)
        variance = np.average((old - x) ** 2, weights=weights)
        slope = np.sqrt(np.average((new - y) ** 2, weights=weights) / max(variance, 1e-6))
        contrast = variance / (variance + x**2)
        offset = (y - slope * x) * contrast / (contrast + CONTRAST)
        gain = (y - offset) / x
    return Tone(float(np.log(gain)), float(offset))


def corrections(tones: Sequence[Sequence[float] | None]) -> list[Tone]:
    """What each frame of one shot needs for its exposure to be even.

    *tones* are for each frame what `change` told of it and the frame before; the first is not looked at. Fades, steps
    and flashes stay. All are neutral where nobody would see the flicker; frames without a tone begin anew.
    """
    count = len(tones)
    paths = np.cumsum([tone or NEUTRAL for tone in tones], axis=0).reshape(count, 2)
    restless = [jitter(values) for values in paths.T]
    if restless[0] < LEAST:
        return [NEUTRAL] * count
    anew = [number for number in range(1, count) if tones[number] is None]
    result = np.zeros((count, 2))
    for first, last in pairwise(sorted({0, *anew, *_steps(paths[:, 0], max(STEP * restless[0], NOTABLE)), count})):
        part = paths[first:last]
        usual = calm(part[:, 0], max(FLASH * restless[0], NOTABLE))
        for axis, values in enumerate(part.T):
            course = smoothed(values, usual.astype(float), WINDOWS, PLAY * restless[axis])
            result[first:last, axis] = np.where(usual, course - values, 0)
    return [Tone(*one) for one in result.tolist()]


def _steps(values: Values, limit: float) -> list[int]:
    """The indices of *values* (n,) at which they change by more than *limit*, for good, and at once."""
    jumps = np.abs(np.diff(values))
    found = []
    for index in range(REACH, len(values) - REACH + 1):
        before, after = values[max(index - 2 * REACH, 0) : index], values[index : index + 2 * REACH]
        change = abs(np.median(after) - np.median(before))
        largest = jumps[max(index - 1 - REACH, 0) : index + REACH].max()
        if change > limit and jumps[index - 1] == largest >= change / 2:
            found.append(index)
    return found


def evened(frame: Frame, tone: Sequence[float], strength: float) -> Frame:
    """*frame* with the share *strength* of a *tone* applied to all channels; itself where that changes nothing."""
    gain, offset = (strength * part for part in tone)
    if gain == offset == 0:
        return frame
    table = np.exp(gain) * np.arange(256) + offset
    return cast(Frame, cv2.LUT(frame, np.rint(table).clip(0, 255).astype(np.uint8)))
