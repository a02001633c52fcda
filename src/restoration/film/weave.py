"""Gate weave: how far pictures jump in the gate of camera or projector, measured to fractions of a pixel, and undone.

Corners are followed (Lucas & Kanade 1981, as in Bouguet 2001) to earlier frames; a zooming and turning camera is told
from what else moves by RANSAC (Fischler & Bolles 1981); the measurements of a shot are brought together by what most
of them agree on.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.film.paths import Values, Window, calm, jitter, smoothed
from restoration.frames import Frame

Luma = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Corners = NDArray[np.float32]
Shifts = Sequence[Mapping[int, Sequence[float] | None]]

LAGS = (1, 6)
"""Frames back to those that a picture is measured against: the near one is most alike, the far one stops errors from
adding up."""
WORKING_WIDTH = 640
"""Pixels; wider pictures are measured at this width."""
CORNERS = 200
"""At most so many are followed."""
APART = 1 / 30
"""Least distance of corners, of the picture's width: they are to be all over it, not on somebody in a checked coat."""
WINDOW = 17
"""Edge, in pixels, of what is compared around a corner."""
AGREEMENT = 0.5
"""Pixels by which a corner may be off the way there and back again, and off what the picture does."""
SMALLEST = 64
"""Edge, in pixels, of the smallest pictures that are measured."""
FEWEST = 12
"""Corners that have to agree, and of those that were found, the SHARE."""
SHARE = 0.25
ROUNDS = 20
"""Of reweighted least squares, in which wrong measurements come to count for nothing."""
ACCURACY = 0.03
"""Pixels by which good measurements are off."""
WINDOWS = (Window(np.inf, 0), *(Window(sigma, 3) for sigma in (36, 24, 16, 10, 6)))
"""A camera stands still; or it glides, which cubic curves follow as it starts and stops, but not a gate that sways."""
PLAY = 2.5
"""How far a gate may be off a camera's way (root mean square), in terms of `paths.jitter`: a gate has no memory, or
little."""
LEAST = 0.1
"""Pixels of `paths.jitter` below which pictures are left as they are: resampling would cost more."""
SURE = 2.0
"""Times the mean by which measurements of a shot contradict each other, at most WRONG pixels each: `paths.jitter` below
that is not sure either."""
WRONG = 1.0
BUMP = 6.0
"""Times `paths.jitter` beyond which a picture is off for another reason, a wrong measurement among them."""
LOBES = 4
"""Of the Lanczos kernel that pictures are moved by."""
SPARED = 0.02
"""Pixels by which a picture may be off without being moved."""


class Shift(NamedTuple):
    """Pixels to the right and down."""

    right: float
    down: float


def moved(before: Luma, after: Luma) -> Shift | None:
    """How far the picture moved from *before* to *after*, uint8 (h, w), at its centre; None where nobody can tell."""
    scale = min(1.0, WORKING_WIDTH / before.shape[1])
    if min(before.shape) * scale < SMALLEST:
        return None
    first, second = _leveled(before, scale), _leveled(after, scale)
    height, width = first.shape
    corners = cast(Corners | None, cv2.goodFeaturesToTrack(first, CORNERS, 0.01, APART * width))
    if corners is None:
        return None
    there, found = _followed(first, second, corners)
    back, refound = _followed(second, first, there)
    kept = found & refound & (np.abs(back - corners).max(axis=(1, 2)) < AGREEMENT)
    if kept.sum() < FEWEST:
        return None
    middle = (np.array([width, height], np.float32) - 1) / 2
    matrix, agree = cv2.estimateAffinePartial2D(
        corners[kept, 0] - middle, there[kept, 0] - middle, ransacReprojThreshold=AGREEMENT
    )
    if matrix is None or agree.sum() < max(FEWEST, SHARE * len(corners)):
        return None
    return Shift(*(matrix[:, 2] / scale).tolist())


def _leveled(luma: Luma, scale: float) -> Luma:
    """*luma* in small, without its light and shade, and of one contrast: exposure must not look like motion."""
    if scale < 1:
        luma = cast(Luma, cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    detail = cv2.subtract(luma, cv2.blur(luma, (WINDOW, WINDOW)), dtype=cv2.CV_32F)
    strength = float(cv2.norm(detail)) / np.sqrt(detail.size)
    return cast(Luma, cv2.convertScaleAbs(detail * (32 / max(strength, 1.0)) + 128))


def _followed(first: Luma, second: Luma, corners: Corners) -> tuple[Corners, Mask]:
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 20, 0.01)
    places, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, corners, np.empty_like(corners), winSize=(WINDOW, WINDOW), maxLevel=3, criteria=criteria
    )
    return cast(Corners, places), found[:, 0] > 0


class Shot(NamedTuple):
    """How far each picture of a shot has to be moved, to the right and down in pixels (*corrections*, float64 (n, 2));
    where it lies, by camera and gate (*places*, the same, all 0 where most of the shot is unknown); the number of the
    *part* that it is in, (n,), -1 where that is unknown: only within a part is known how places lie to each other."""

    corrections: Values
    places: Values
    part: NDArray[np.int64]


def surveyed(shifts: Shifts) -> Shot:
    """How one shot lies in the gate, and by how much each picture has to be moved for that to stand still, while the
    camera goes its way.

    *shifts* are for each frame what `moved` told of it, by how many frames the earlier one lies back. Corrections are 0
    along an axis with too little weave to matter or to be sure of, and where most of the shot is unknown.
    """
    shot = _gathered(shifts)
    part = np.full(len(shot.known), -1)
    for number, frames in enumerate(shot.parts):
        part[frames] = number
    part[shot.known == 0] = -1
    return Shot(_corrections(shot), shot.places, part)


def _corrections(shot: "_Shot") -> Values:
    result = np.zeros(shot.places.shape)
    for axis, values in enumerate(shot.places.T):
        restless = jitter(values)
        if restless < max(LEAST, SURE * shot.doubt):
            continue
        for part in shot.parts:
            weights = shot.known[part] * calm(values[part], BUMP * restless)
            if weights.any():
                result[part, axis] = smoothed(values[part], weights, WINDOWS, PLAY * restless) - values[part]
        result[np.abs(result[:, axis]) > BUMP * restless, axis] = 0
    return result * shot.known[:, None]


class _Shot(NamedTuple):
    """*places* of its pictures (n, 2), interpolated where they aren't *known* (n,), 0 or 1; the *parts* between which
    nothing is known; *doubt*, by which measurements contradict each other, in pixels."""

    places: Values
    known: Values
    parts: list[slice]
    doubt: float


def _gathered(shifts: Shifts) -> _Shot:
    count = len(shifts)
    told = [(number - lag, number, shift) for number, known in enumerate(shifts) for lag, shift in known.items()]
    links = [(first, last, *shift) for first, last, shift in told if shift is not None and first >= 0]
    if not links or len(links) < len(told) / 2:
        return _Shot(np.zeros((count, 2)), np.zeros(count), [], 0.0)
    ends, steps = np.array([link[:2] for link in links]), np.array([link[2:] for link in links])
    known, crossing = np.zeros(count), np.zeros(count + 1)
    known[ends] = 1
    places, doubt = _places(count, ends, steps)
    frames, sure = np.arange(count), np.flatnonzero(known)
    places = np.stack([np.interp(frames, sure, axis[sure]) for axis in places.T], axis=1)
    np.add.at(crossing, ends[:, 0] + 1, 1)
    np.add.at(crossing, ends[:, 1] + 1, -1)
    starts = np.flatnonzero(np.cumsum(crossing)[:count] == 0)
    return _Shot(places, known, [slice(*pair) for pair in pairwise([*starts.tolist(), count])], doubt)


def _places(count: int, ends: NDArray[np.int64], steps: Values) -> tuple[Values, float]:
    """Where pictures are (n, 2), as most of the *steps* (m, 2) between their *ends* (m, 2) have it, and by how much
    steps are off that, as a mean.

    Powers of deviations are least: at first absolute values, which have one minimum, and in the end hardly more than
    their number.
    """
    weights = np.ones(len(steps))
    for power in np.linspace(1, 0, ROUNDS):
        places = _solved(count, ends, steps, weights)
        off = np.hypot(*(places[ends[:, 1]] - places[ends[:, 0]] - steps).T)
        weights = np.maximum(off, ACCURACY) ** (power - 2)
    return places, float(np.minimum(off, WRONG).mean())


def _solved(count: int, ends: NDArray[np.int64], steps: Values, weights: Values) -> Values:
    """Weighted least squares, whose matrix is tridiagonal in blocks as long as the longest lag."""
    size = int((ends[:, 1] - ends[:, 0]).max())
    blocks = -(-count // size)
    diagonal = np.tile(np.eye(size) * 1e-6, (blocks, 1, 1))
    above = np.zeros((blocks, size, size))
    right = np.zeros((blocks, size, 2))
    (first, i), (last, j) = (np.divmod(end, size) for end in ends.T)
    same = first == last
    np.add.at(diagonal, (first, i, i), weights)
    np.add.at(diagonal, (last, j, j), weights)
    np.add.at(diagonal, (first[same], i[same], j[same]), -weights[same])
    np.add.at(diagonal, (first[same], j[same], i[same]), -weights[same])
    np.add.at(above, (first[~same], i[~same], j[~same]), -weights[~same])
    np.add.at(right, (last, j), weights[:, None] * steps)
    np.add.at(right, (first, i), -weights[:, None] * steps)
    for block in range(1, blocks):
        carried = np.linalg.solve(diagonal[block - 1], above[block - 1]).T
        diagonal[block] -= carried @ above[block - 1]
        right[block] -= carried @ right[block - 1]
    result = np.zeros_like(right)
    for block in reversed(range(blocks)):
        rest = right[block] - (above[block] @ result[block + 1] if block + 1 < blocks else 0)
        result[block] = np.linalg.solve(diagonal[block], rest)
    return result.reshape(-1, 2)[:count]


def enlargement(corrections: Values, height: int, width: int) -> float:
    """By what all pictures of a shot have to be enlarged that no *corrections* (n, 2) show what is beyond a border."""
    farthest = np.abs(corrections).max(axis=0, initial=0) * 2 / (width, height)
    return float(1 / (1 - farthest.max()))


def steady(frame: Frame, correction: Sequence[float], *, zoom: float = 1.0) -> Frame:
    """*frame* moved by *correction* and enlarged about its centre, by Lanczos, borders replicated; itself where it is
    off by less than SPARED and not enlarged."""
    if zoom == 1:
        if np.abs(correction).max() < SPARED:
            return frame
        # Ten times as fast as what follows.
        across, down = (_lanczos(shift) for shift in correction)
        return cast(Frame, cv2.sepFilter2D(frame, -1, across, down, borderType=cv2.BORDER_REPLICATE))
    height, width = frame.shape[:2]
    middle = (np.array([width, height]) - 1) / 2
    matrix = np.column_stack([np.eye(2) * zoom, zoom * np.asarray(correction) + (1 - zoom) * middle])
    warped = cv2.warpAffine(frame, matrix, (width, height), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    return cast(Frame, warped)


def _lanczos(shift: float) -> Values:
    """The kernel that moves samples by *shift*."""
    reach = int(np.ceil(abs(shift))) + LOBES
    places = np.arange(-reach, reach + 1) + shift
    kernel = np.sinc(places) * np.sinc(places / LOBES) * (np.abs(places) < LOBES)
    return kernel / kernel.sum()


def filled(
    frame: Frame, correction: Sequence[float], neighbours: Iterable[tuple[Frame, Sequence[float]]]
) -> tuple[Frame, Mask]:
    """*frame* made `steady`, with what its border lacks then taken from *neighbours* in its shot, the nearest first.

    They are given as they are, with how far they have to be moved for the scene to be where it is in the steady frame:
    that is where the latter lies (see `Shot`) plus *correction*, less where they lie. What none has is replicated.

    Returns it, and the pixels (h, w) that its own picture does not have.
    """
    height, width = frame.shape[:2]
    frame = steady(frame, correction)
    missing = _beyond(correction, height, width)
    # Where anything is missing, the frame was moved, and is not the one that was given.
    left = missing.copy()
    for other, shift in neighbours:
        if not left.any():
            break
        found = left & ~_beyond(shift, height, width)
        if found.any():
            np.copyto(frame, steady(other, shift), where=found[..., None])
            left &= ~found
    return frame, missing


def _beyond(correction: Sequence[float], height: int, width: int) -> Mask:
    """Pixels (h, w) whose centres are beyond the border of a picture that was moved by *correction*."""
    right, down = correction
    columns, rows = np.arange(width) - right, np.arange(height) - down
    outside = [(places < -0.5) | (places > size - 0.5) for places, size in ((rows, height), (columns, width))]
    return outside[0][:, None] | outside[1]
