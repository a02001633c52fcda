"""How pictures look from afar: small enough to keep for every frame, enough to see what went wrong with a stretch."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame

THUMBNAIL = (8, 8)
BLACK, LIT = 1.0, 16.0
"""Mean (of 255) below which a picture is black, and above which it cannot become so by restoration."""
STILL, MOVING = 0.02, 1.0
"""Mean change (of 255) from the frame before, below which a picture stands still, and above which it clearly moves."""
COLOURED = 2.2
"""Spread of hues (`colourfulness`) from which a picture has colour: photos have more, toned ones less."""
FROZEN_FRAMES = 3
"""Shortest stretch that counts as frozen."""
BAR = 40
"""Brightest sample (of 255) of a row or column that may be part of a black border: noise and ringing reach into it."""
SMALLEST_BORDER, SMALLEST_CONTENT = 0.01, 0.25
"""Shares of width or height: narrower borders are not worth a word, and less content is a dark scene."""


def look(frame: Frame) -> Frame:
    """The mean colours of 8 x 8 fields: uint8 RGB (8, 8, 3)."""
    return cast(Frame, cv2.resize(frame, THUMBNAIL, interpolation=cv2.INTER_AREA))


def light_and_change(looks: Iterable[Frame]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each look, and mean absolute difference from the one before (0 for the first); both of 255."""
    frames = np.stack(list(looks)).astype(np.int16)
    changes = [0.0, *(float(np.abs(after - before).mean()) for before, after in pairwise(frames))]
    return frames.mean(axis=(1, 2, 3)), np.array(changes)


def measures(looks: Sequence[Frame]) -> dict[str, NDArray[np.float64]]:
    """What the timeline keeps of each look: `light`, `change` and `colour`, all of 255."""
    light, change = light_and_change(looks)
    colour = np.array([colourfulness(thumbnail) for thumbnail in looks])
    return {"light": light.round(3), "change": change.round(3), "colour": colour.round(3)}


def colourfulness(thumbnail: Frame) -> float:
    """How much the hues of a look differ: standard deviation (of 255) of U and V that brightness does not explain.

    Film that is toned or tinted as a whole, and video that leans to one side, are gray pictures in this sense.
    """
    yuv = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2YUV).reshape(-1, 3).astype(np.float64)
    brightness = np.stack([np.ones(len(yuv)), yuv[:, 0], yuv[:, 0] ** 2 / 255], axis=1)
    explained = brightness @ np.linalg.lstsq(brightness, yuv[:, 1:], rcond=None)[0]
    return float(np.sqrt(((yuv[:, 1:] - explained) ** 2).sum(axis=1).mean()))


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
