"""Colours that a person gives to single places: followed along the motion, and spread until luma says that there is an
edge (geodesic distance, as in Yatziv and Sapiro 2006, "Fast image and video colorization using chrominance blending").
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import cv2
import numpy as np

from restoration.frames import Frame
from restoration.motion import Array, Seen, Step

PATCH = 3
"""Pixels around a place, at the working size, that move with it."""
ASTRAY = 2.0
"""Pixels, at the working size, by which following a place forth and back may miss it."""
RECOGNISED = 0.2
"""Trust (`restoration.motion`) below which a place no longer looks like itself."""
FADE = 12
"""Frames over which the colour of a place that was lost fades."""
EDGE = 30.0
"""Difference of luma (of 255) that is as hard to cross as a quarter of the radius, and by which a place is another."""
GRAIN = 2.0
"""Difference of luma (of 255) from pixel to pixel that is no edge."""
NEUTRAL = 128.0
"""U and V of gray."""
SWEEPS = 2
"""Passes over the picture in which distances settle."""


@dataclass(frozen=True)
class Point:
    """The *colour* (`#rrggbb`) that is at x, y (pixels) of a *frame*; *radius* in pixels, 0 for a quarter of the width,
    is how far it spreads where there is no edge."""

    frame: int
    x: float
    y: float
    colour: str
    radius: float = 0


@dataclass(frozen=True)
class Track:
    """A colour point through its shot: from frame *first* on a place each (x, y, weight 0 to 1), in pixels.

    *colour* is Y, U and V of 255; *radius* as that of a point.
    """

    first: int
    places: list[list[float]]
    colour: list[float]
    radius: float

    def at(self, frame: int) -> list[float] | None:
        """Its place in a frame; None where it is not."""
        number = frame - self.first
        return self.places[number] if 0 <= number < len(self.places) else None


def yuv_of(colour: str) -> list[float]:
    """Y, U and V, of 255, of `#rrggbb`."""
    rgb = np.array([[list(bytes.fromhex(colour.removeprefix("#")))]], np.uint8)
    return [float(value) for value in cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV)[0, 0]]


def follow(frames: Iterable[Seen], points: dict[int, Point]) -> Iterator[tuple[int, int, float, float]]:
    """Yield id, frame, x, y of every one of the *points* (by id) for every frame in which it is found again.

    *frames* follow one another, or precede one another, within a shot. A point that is lost is not looked for any more.
    """
    here: dict[int, tuple[float, float]] = {}
    shades: dict[int, float] = {}
    for before, after in pairwise(frames):
        scale = before.frame.shape[1] / before.small.shape[1]
        new = {id: (p.x / scale, p.y / scale) for id, p in points.items() if p.frame == before.number}
        shades |= {id: _shade(before, place) for id, place in new.items()}
        here |= new
        if not here:
            continue
        forth, back = (Step(*pair, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM) for pair in ((after, before), (before, after)))
        moved = {id: _moved(forth, back, *place) for id, place in here.items()}
        here = {id: place for id, place in moved.items() if place and abs(_shade(after, place) - shades[id]) < EDGE}
        yield from ((id, after.number, x * scale, y * scale) for id, (x, y) in here.items())


def _shade(seen: Seen, place: tuple[float, float]) -> float:
    return float(np.median(seen.small[..., 0][_patch(*place)]))


def _moved(forth: Step, back: Step, x: float, y: float) -> tuple[float, float] | None:
    """Where a place goes; None if it is lost."""
    there = _read(forth, x, y)
    if there is None or forth.trust[_patch(x, y)].mean() < RECOGNISED:
        return None
    again = _read(back, *there)
    return there if again and np.hypot(again[0] - x, again[1] - y) <= ASTRAY else None


def _read(step: Step, x: float, y: float) -> tuple[float, float] | None:
    height, width = step.trust.shape[:2]
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        return None
    rows, columns = _patch(x, y)
    shift = [
        float(np.median(places[rows, columns] - grid))
        for places, grid in zip(
            step.places,
            np.meshgrid(np.arange(width)[columns], np.arange(height)[rows]),
            strict=True,
        )
    ]
    return x + shift[0], y + shift[1]


def _patch(x: float, y: float) -> tuple[slice, slice]:
    column, row = round(x), round(y)
    return slice(max(0, row - PATCH), row + PATCH + 1), slice(max(0, column - PATCH), column + PATCH + 1)


def track(point: Point, found: dict[int, tuple[float, float]], shot: tuple[int, int], width: int) -> Track:
    """The way of a point from where it was *found*, by frame, without gaps, in pictures of *width* pixels.

    Its colour fades where it ends before its *shot* (first and last frame) does.
    """
    found = found | {point.frame: (point.x, point.y)}
    start, end = min(found), max(found)
    fading = dict.fromkeys(range(start, end + 1), 1.0)
    for step in range(FADE):
        if start > shot[0] and start + step < point.frame:
            fading[start + step] = (step + 1) / FADE
        if end < shot[1] and end - step > point.frame:
            fading[end - step] = (step + 1) / FADE
    places = [[round(x, 2), round(y, 2), round(fading[frame], 3)] for frame, (x, y) in sorted(found.items())]
    return Track(start, places, yuv_of(point.colour), point.radius or width / 4)


def steered(frame: Frame, chroma: Array, tracks: list[Track], number: int) -> Array:
    """*chroma* (h, w, 2) of frame *number*, moved towards the colours of the points that are in it."""
    here = [(one, place) for one in tracks if (place := one.at(number))]
    if not here:
        return chroma
    small = Seen(frame, number, 0).small
    height, width = small.shape[:2]
    scale = frame.shape[1] / width
    luma = cv2.medianBlur(np.ascontiguousarray(small[..., 0]), 3).astype(np.float32)
    now = cast(Array, cv2.resize(chroma, (width, height), interpolation=cv2.INTER_AREA))
    seeds = [(min(round(y / scale), height - 1), min(round(x / scale), width - 1)) for _, (x, y, _) in here]
    radii = np.array([one.radius / scale for one, _ in here], np.float32)[:, None, None]
    weights = np.array([weight for _, (_, _, weight) in here], np.float32)[:, None, None]
    distances = geodesic(luma, seeds, radii[..., 0])
    near = np.clip(1 - (distances / radii) ** 2, 0, 1) ** 2 * weights
    shares = near / (1 + distances) ** 2
    shares *= near.max(axis=0) / np.maximum(shares.sum(axis=0), 1e-9)
    changes = [_change(one, luma, now, row, column) for (one, _), (row, column) in zip(here, seeds, strict=True)]
    change = np.einsum("nhw,nc->hwc", shares, np.array(changes, np.float32))
    return chroma + cv2.resize(change, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)


def _change(one: Track, luma: Array, chroma: Array, row: int, column: int) -> Array:
    """What U and V lack at a place; darker places get as saturated a colour, not as strong a chroma."""
    patch = _patch(column, row)
    shade = min(1, float(np.median(luma[patch])) / max(one.colour[0], 1))
    target = NEUTRAL + shade * (np.array(one.colour[1:], np.float32) - NEUTRAL)
    return cast(Array, target - np.median(chroma[patch].reshape(-1, 2), axis=0))


def geodesic(luma: Array, seeds: list[tuple[int, int]], radii: Array) -> Array:
    """The length of the shortest way from each seed (row, column) to every pixel: (n, h, w) for *luma* (h, w).

    Changes of luma lengthen it, measured by *radii* (n, 1). Swept along the four directions, each with diagonal steps
    (Toivanen 1996).
    """
    distances = np.full((len(seeds), *luma.shape), np.inf, np.float32)
    for distance, seed in zip(distances, seeds, strict=True):
        distance[seed] = 0
    for _ in range(SWEEPS):
        for view, values in ((distances, luma), (distances.transpose(0, 2, 1), luma.T)):
            for line in range(1, len(values)):
                _relax(view, values, line, line - 1, radii)
            for line in range(len(values) - 2, -1, -1):
                _relax(view, values, line, line + 1, radii)
    return distances


def _relax(distances: Array, luma: Array, line: int, previous: int, radii: Array) -> None:
    """Shorten the ways to a *line* by those over the *previous* one."""
    length = luma.shape[1]
    for shift in (-1, 0, 1):
        to, by = (slice(max(0, d), length + min(0, d)) for d in (shift, -shift))
        edge = np.maximum(np.abs(luma[line, to] - luma[previous, by]) - GRAIN, 0)
        step = np.hypot(1, shift) + edge * (radii / 4 / EDGE)
        np.minimum(distances[:, line, to], distances[:, previous, by] + step, out=distances[:, line, to])
