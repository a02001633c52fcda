"""How pictures look from afar: small enough to keep for every frame, enough to see what went wrong with a stretch."""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame, Picture

THUMBNAIL = (8, 8)
BLACK, LIT = 1.0, 16.0
"""Mean (of 255) below which a picture is black, and above which it cannot become so by restoration."""
STILL, MOVING = 0.02, 1.0
"""Mean change (of 255) from the frame before, below which a picture stands still, and above which it clearly moves."""
COLOURED = 1.5
"""Spread of hues (`colourfulness`) from which a picture has colour. Of 446 colour photos 99 % have more, 94 % with half
of their saturation; of gray ones that are toned, or have a coloured logo, a cast to one side, a tape's noise, 1 %."""
FIELDS = 16
"""Along each edge, by whose mean colours a picture's hues are judged."""
DARK, BRIGHT = 20, 215
"""Luma (of 255) below and above which fields have no hue to speak of."""
FEWEST_FIELDS, ODD_FIELDS = 0.1, 0.05
"""Shares of all fields: fewer do not tell a picture's hues; so many may be a logo or a title."""
FROZEN_FRAMES = 3
"""Shortest stretch that counts as frozen."""
BAR = 40
"""Brightest sample (of 255) of a row or column that may be part of a black border: noise and ringing reach into it."""
SMALLEST_BORDER, SMALLEST_CONTENT = 0.01, 0.25
"""Shares of width or height: narrower borders are not worth a word, and less content is a dark scene."""


def look(frame: Frame) -> Frame:
    """The mean colours of 8 x 8 fields: uint8 RGB (8, 8, 3)."""
    return cast(Frame, cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA))


def psnr(picture: Picture, other: Picture) -> float:
    """Peak signal-to-noise ratio of one to the other, in dB; infinite where they are equal."""
    error = float(np.mean((picture.astype(np.float64) - other) ** 2))
    return 10 * math.log10(np.iinfo(picture.dtype).max ** 2 / error) if error else math.inf


def brightness(picture: Picture) -> float:
    """The mean of a picture's colours, of 255."""
    return float(picture[..., :3].mean() * 255 / np.iinfo(picture.dtype).max)


def light_and_change(looks: Iterable[Frame]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each look, and mean absolute difference from the one before (0 for the first); both of 255."""
    frames = np.stack(list(looks)).astype(np.int16)
    changes = [0.0, *(float(np.abs(after - before).mean()) for before, after in pairwise(frames))]
    return frames.mean(axis=(1, 2, 3)).round(3), np.array(changes).round(3)


def colourfulness(frame: Frame) -> float:
    """How much the hues of a picture differ: root mean square (of 255) of U and V that brightness and place do not
    explain, without the few fields that differ most.

    Film that is toned or tinted as a whole, and video that leans to one colour, also more and more towards one side,
    are gray pictures in this sense.
    """
    small = cv2.resize(frame, (FIELDS, FIELDS), interpolation=cv2.INTER_AREA)
    yuv = cv2.cvtColor(small, cv2.COLOR_RGB2YUV).reshape(-1, 3).astype(np.float64)
    rows, columns = (axis.ravel() / FIELDS - 0.5 for axis in np.mgrid[:FIELDS, :FIELDS])
    tells = (yuv[:, 0] > DARK) & (yuv[:, 0] < BRIGHT)
    if tells.mean() < FEWEST_FIELDS:
        return 0.0
    luma, chroma = yuv[tells, 0] / 255, yuv[tells, 1:]
    causes = np.stack([np.ones(len(luma)), luma, luma**2, columns[tells], rows[tells]], axis=1)
    usual = np.ones(len(luma), bool)
    for _ in range(3):
        explained = causes @ np.linalg.lstsq(causes[usual], chroma[usual], rcond=None)[0]
        unexplained = np.hypot(*(chroma - explained).T)
        usual = unexplained <= np.quantile(unexplained, 1 - ODD_FIELDS)
    return round(float(np.sqrt((unexplained[usual] ** 2).mean())), 3)


def went_black(before: NDArray[np.float64] | float, after: NDArray[np.float64] | float) -> NDArray[np.bool_]:
    """Where a lit picture became black; *before* and *after* are mean brightnesses of 255."""
    return np.asarray((np.asarray(after) < BLACK) & (np.asarray(before) > LIT))


def froze(before: NDArray[np.float64], after: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """First and last frame of every stretch that moved and stands still now; both are changes from frame to frame."""
    frozen = np.concatenate([[False], (before > MOVING) & (after < STILL), [False]])
    edges = np.flatnonzero(frozen[1:] != frozen[:-1]).tolist()
    yield from ((first, end - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)
                if end - first >= FROZEN_FRAMES)  # fmt: skip


def content_box(brightest: NDArray[Any]) -> tuple[int, int, int, int] | None:
    """What lies inside black borders, as width, height, left, top, even as 4:2:0 asks for; None without borders.

    *brightest* (height, width) holds the highest sample that each place ever had.
    """
    edges = []
    for axis in (0, 1):
        bright = np.flatnonzero(np.percentile(brightest, 98, axis=axis) > BAR)
        length = brightest.shape[1 - axis]
        if bright.size < SMALLEST_CONTENT * length:
            return None
        first, end = int(bright[0]) // 2 * 2, min(length, (int(bright[-1]) + 2) // 2 * 2)
        edges.append((0, length) if length - (end - first) < SMALLEST_BORDER * length else (first, end))
    (left, right), (top, bottom) = edges
    whole = (right - left, bottom - top) == brightest.shape[::-1]
    return None if whole else (right - left, bottom - top, left, top)
