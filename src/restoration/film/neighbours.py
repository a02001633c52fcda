"""Neighbours of a frame with everything where the frame has it: dense optical flow (DIS, Kroeger et al. 2016), at a
small size, enlarged. How much of what still differs is noise."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame, luma
from restoration.motion import SMALLEST_FLOW, Array

Mask = NDArray[np.uint8]
"""One sample for each pixel: (h, w)."""
Samples = NDArray[np.uint8]
"""Of a frame, or one for each of its pixels: (h, w, 3) or (h, w)."""

REPEATED = 8
"""A neighbour that this many times less differs from the frame than another one does on that side is the same picture
again, as where 16 frames per second were made 25: it has the same dust and the same grain."""
NARROWEST, WIDEST = 320, 640
"""Flow is found at half the width, within these: good to a tenth of a pixel there, and still quick."""
DISTURBED = 6
"""Pixels of the small picture around what does not belong there in which flow, found by patches of 8, strays."""
AROUND = 8.0
"""Standard deviation, in pixels of the small picture, of the Gaussian that carries flow from around into holes."""
BLACK, WHITE = 16, 240
"""Luma below and above which samples are cut off, or nearly: noise does not show there."""
THINNED = 2
"""Of the rows and columns of a picture every so manieth tells enough about its noise."""
NORMAL = 1.4826
"""Standard deviation of what is normally distributed, for a median of 1 of its magnitudes."""


def distinct(frame: Frame, side: Sequence[Frame]) -> list[Frame]:
    """The frames on one *side* of *frame*, nearest first, without those that repeat it."""
    apart = [cv2.norm(frame, other, cv2.NORM_L1) for other in side]
    return [other for other, far in zip(side, apart, strict=True) if far * REPEATED >= max(apart)]


def flow(frame: Frame, other: Frame) -> Array:
    """How far to the right and down in *other* lies what *frame* shows: (h, w, 2) of the small size, in its pixels."""
    height, width = frame.shape[:2]
    narrow = min(width, WIDEST, max(NARROWEST, width // 2))
    size = narrow, max(1, round(height * narrow / width))
    here, there = (cv2.resize(luma(one), size, interpolation=cv2.INTER_AREA) for one in (frame, other))
    still = np.zeros((*here.shape, 2), np.float32)
    if min(size) < SMALLEST_FLOW:
        return still
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    # Patches down to the full small size do better than the refinement that other presets put in their place.
    search.setFinestScale(0)
    return cast(Array, search.calc(here, there, still))


def filled(flow: Array, holes: NDArray[np.bool_]) -> Array:
    """*flow* that goes on smoothly from around into the *holes*, which have a frame's size (h, w)."""
    height, width = flow.shape[:2]
    small = cv2.resize(255 * holes.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
    strays = cv2.dilate(small, np.ones((2 * DISTURBED + 1, 2 * DISTURBED + 1), np.uint8)) > 0
    known = (~strays).astype(np.float32)[..., None]
    around = cv2.GaussianBlur(np.dstack([flow * known, known]), (0, 0), AROUND)
    return cast(Array, np.where(strays[..., None], around[..., :2] / (around[..., 2:] + 1e-6), flow))


def compensated(other: Samples, flow: Array) -> Samples:
    """*other*, a frame or its luma, with everything where the frame has it from which *flow* leads there."""
    height, width = other.shape[:2]
    places = _grid(height, width) + cv2.resize(flow, (width, height)) * np.float32(width / flow.shape[1])
    columns, rows = cv2.split(places)
    return cast(Samples, cv2.remap(other, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def shown(flow: Array, height: int, width: int) -> NDArray[np.bool_]:
    """Whether the neighbour to which *flow* leads shows what a frame of this size has there, or has it out of sight."""
    places = _grid(*flow.shape[:2]) + flow
    within = cast(NDArray[np.bool_], np.all((places > -1) & (places < flow.shape[1::-1]), axis=2))
    return cv2.resize(within.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0


def deviation(picture: Samples, seen: Samples) -> float:
    """Standard deviation, of 255, of the noise of a *picture*, a frame or its luma, told by a compensated neighbour, as
    *seen* from there, which has as much of it.

    Robust, by the median, in the smoother half of the picture, where motion that was not met hardly counts.
    """
    picture, seen = picture[::THINNED, ::THINNED], seen[::THINNED, ::THINNED]
    gray = picture if picture.ndim == 2 else luma(picture)
    fair = (gray > BLACK) & (gray < WHITE)
    if not fair.any():
        return 0.0
    rough = cv2.morphologyEx(cv2.GaussianBlur(gray, (0, 0), 1), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    fair &= rough <= np.median(rough[fair])
    apart = cv2.absdiff(picture, seen)[fair]
    shares = np.cumsum(np.bincount(apart.ravel(), minlength=256)) / apart.size
    # Differences are whole; their median need not be.
    median = np.interp(0.5, [0, *shares], [0, *np.arange(256) + 0.5])
    return float(median * NORMAL / np.sqrt(2))


def _grid(height: int, width: int) -> Array:
    """Of each pixel its column and row: (h, w, 2)."""
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
