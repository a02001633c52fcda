"""Vertical scratches of film: lines found in single pictures, and confirmed over a shot.

A scratch is thin, nearly upright, lighter or darker than both its sides, over most of the height, and it stays at its
place in the frame while the scene moves beneath: Kokaram, Motion Picture Restoration (1998); Joyeux et al., Detection
and removal of line scratches in motion picture films (1999); Newson et al., Robust automatic line scratch detection in
films (2014). Lengths below are pixels in pictures that are `USUAL` wide; in others they scale.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Seen = dict[int, "Line"]
"""A line in the frames of a shot in which it is seen, by their number."""

USUAL = 640
NARROWEST = 160
"""Width in pixels of a picture below which no line is told from what the scene shows."""
BANDS = 24
"""Bands of rows in which a line is looked for: their means have little grain, and a line that leans stays sharp."""
KNOTS = 9
"""Heights at which the place of a line is told, evenly from the first row to the last."""

WIDTHS = 1, 3, 5
"""Of lines that are looked for."""
WIDEST = 7.0
"""Beyond which a line is no scratch, but of the scene."""
LEANING = 8.0
"""Between its leftmost and its rightmost place, beyond which a line is no scratch."""
RIM = 6.0
"""Distance to the edge of the picture within which a line cannot be told from it."""
BLACK = 32
"""Of 255: what is nowhere lighter, at the sides or above and below, are black bars, and no part of the picture."""
APART = 8.0
"""Distance within which only the line that is seen best counts: what lies between two lines looks like a third one."""
HIDDEN = 12
"""Of 255: surroundings as near to black, or white, hide lines that are darker, or lighter; nothing is told there."""
TEXTURE = 60
"""Width of the surroundings whose texture a line must surpass."""
GRAIN = 1.5
"""Of 255: what grain adds to texture in the mean of a band."""
CLEAR = 3.0
"""How many times texture and grain a line must surpass to be seen for sure."""
LEAST = 0.5
"""Share of the height over which a line must be seen in a frame, in doubt."""

SURE = 0.65
"""The same, on average over the frames. Scratches of a contrast of 15 are seen over 0.63 and more, those of 30 over
0.74; what people and trees look like for some frames is seen over 0.6."""
LASTING = 5
"""Frames in which a scratch must be seen, or all those of a shorter shot."""
FEWEST = 3
"""Frames of a shot below which nothing can be told."""
GAP = 2
"""Frames in a row in which a scratch may be overlooked."""
JUMP = 3.0
"""From one frame to the next, the weave of the picture included."""
DRIFT = 8.0
"""Within a SECOND; what goes further is of a scene over which the camera pans."""
SECOND = 24
"""Frames."""
CALM = 9
"""Frames over which places are averaged, so that weave is not taken for the scene's motion."""
MOVED = 1.5
"""Standard deviation of the scene's place from which on it is told whether a line moves with it."""


@dataclass(frozen=True)
class Line:
    """A line from top to bottom: the columns, in pixels, of its middle at `KNOTS` heights, its *width* in pixels, its
    *contrast* (of 255; below 0 where it is darker), and the *share* of the height over which it is seen."""

    places: Sequence[float]
    width: float
    contrast: float
    share: float

    @property
    def place(self) -> float:
        """The mean of its places."""
        return float(np.mean(self.places))


def candidates(luma: NDArray[np.uint8]) -> list[Line]:
    """Lines in one picture, given by its *luma*, uint8 (h, w), that may be scratches; those seen best come first."""
    width = luma.shape[1]
    scale = width / USUAL
    rows, columns = (np.flatnonzero(luma.max(axis=axis) > BLACK) for axis in (1, 0))
    if width < NARROWEST or not rows.size:
        return []
    picture = luma[rows[0] : rows[-1] + 1]
    bands = cast(Array, cv2.resize(picture.astype(np.float32), (width, BANDS), interpolation=cv2.INTER_AREA))
    ridges = _ridges(bands, scale)
    around = round(TEXTURE * scale), 1
    texture, light = (cv2.blur(one, around) for one in (ridges.max(axis=0).clip(0), bands))
    middles = rows[0] + (np.arange(BANDS) + 0.5) * len(picture) / BANDS - 0.5
    heights = np.linspace(0, len(luma) - 1, KNOTS)
    lines = []
    for sign, ridge, hidden in zip((1, -1), ridges, (light > 255 - HIDDEN, light < HIDDEN), strict=True):
        seen = np.where(hidden, LEAST, (ridge / (CLEAR * (texture + GRAIN))).clip(0, 1)).astype(np.float32)
        lines += [
            line for path in _paths(seen, scale) if (line := _line(bands, path, ridge, seen, hidden, sign, scale))
        ]
    left, right = columns[0] + RIM * scale, columns[-1] - RIM * scale
    told: list[Line] = []
    for line in sorted(lines, key=lambda line: (-line.share, -abs(line.contrast), line.place)):
        first, last = min(line.places), max(line.places)
        alone = all(abs(line.place - other.place) > APART * scale for other in told)
        if alone and left < first and last < right and last - first < LEANING * scale:
            told.append(replace(line, places=tuple(np.interp(heights, middles, line.places).tolist())))
    return told


def _ridges(bands: Array, scale: float) -> Array:
    """By how much pixels are lighter, and by how much they are darker than both sides: (2, bands, w).

    Half of what sets the sides apart from each other is taken off: there is an edge.
    """
    found = []
    for width in WIDTHS:
        half = round((width * scale - 1) / 2)
        side = max(3, 2 * half + 1)
        kernel = np.zeros((1, 2 * (half + side) + 3), np.float32)
        kernel[0, :side] = -1 / side
        kernel[0, side + 1 : -side - 1] = 1 / (2 * half + 1)
        left, right = (
            cv2.filter2D(bands, -1, one, borderType=cv2.BORDER_REPLICATE)
            for one in (kernel, np.ascontiguousarray(kernel[:, ::-1]))
        )
        edge = np.abs(left - right) / 2
        found.append([np.minimum(left, right) - edge, -np.maximum(left, right) - edge])
    return cast(Array, np.max(found, axis=0))


def _paths(seen: Array, scale: float) -> Iterator[NDArray[np.intp]]:
    """Columns, one in each band, of the lines from top to bottom along which most is *seen* (bands, w).

    Dynamic programming: from band to band a line goes aside by a pixel at `USUAL`, at most.
    """
    count, width = seen.shape
    step = max(1, round(scale))
    aside = np.arange(-step, step + 1)
    total, origins = seen[0], []
    for row in seen[1:]:
        above = np.lib.stride_tricks.sliding_window_view(np.pad(total, step), 2 * step + 1) - 0.01 * np.abs(aside)
        origins.append((np.arange(width) + aside[above.argmax(axis=1)]).clip(0, width - 1))
        total = (above.max(axis=1) + row).astype(np.float32)
    reach = round(APART * scale)
    best = cv2.dilate(total[None], np.ones((1, 2 * reach + 1)))[0]
    ends = np.flatnonzero((total == best) & (total > LEAST * count))
    for end in ends[np.diff(ends, prepend=-width) > reach]:
        path = [end]
        for origin in reversed(origins):
            path.append(origin[path[-1]])
        yield np.array(path[::-1])


def _line(
    bands: Array, path: NDArray[np.intp], ridge: Array, seen: Array, hidden: NDArray[np.bool_], sign: int, scale: float
) -> Line | None:
    """The line along *path*, or None where there is none after all; its places are those in each band.

    Where it is not seen, the bands above and below tell its place, and the median of all how light it is across.
    """
    weights = seen[np.arange(BANDS), path]
    visible = ~hidden[np.arange(BANDS), path]
    clear = visible & (weights > LEAST)
    if clear.sum() < LEAST * BANDS / 2:
        return None
    near = round(4 * scale)
    columns = (path[:, None] + np.arange(-near, near + 1)).clip(0, bands.shape[1] - 1)
    heights = ridge[np.arange(BANDS)[:, None], columns].clip(0) + 1e-3
    middles = (columns * heights).sum(axis=1) / heights.sum(axis=1)
    places, total = (
        cv2.GaussianBlur(values[:, None], (1, 13), 2, borderType=cv2.BORDER_REFLECT)[:, 0]
        for values in (middles * (weights + 1e-3), weights + 1e-3)
    )
    places = (places / total).astype(np.float64)
    reach = round(9 * scale)
    across = np.arange(-reach, reach + 1)
    strip = sampled(bands, places[:, None] + across)[clear]
    profile = sign * np.median(strip - between(strip, max(2, round(2 * scale))), axis=0)
    peak = profile[np.abs(across) <= max(1, scale)].max()
    if peak <= 0:
        return None
    beside = across[profile < peak / 2]
    width = beside[beside > 0].min(initial=reach) - beside[beside < 0].max(initial=-reach) - 1
    return Line(tuple(places.tolist()), float(width), float(sign * peak), float(clear.sum() / visible.sum()))


def sampled(picture: Array, columns: NDArray[np.floating]) -> Array:
    """*picture* (h, w) or (h, w, c) at *columns* (h, n) of each row; its edges go on beyond them."""
    rows = np.broadcast_to(np.arange(len(columns), dtype=np.float32)[:, None], columns.shape)
    places = columns.astype(np.float32), rows
    return cast(Array, cv2.remap(picture, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def between(strip: Array, side: int) -> Array:
    """*strip* (h, n) or (h, n, c) as interpolated between the means of the *side* columns at its left and right."""
    width = strip.shape[1]
    left, right = (part.mean(axis=1, keepdims=True) for part in (strip[:, :side], strip[:, -side:]))
    share = ((np.arange(width, dtype=np.float32) - (side - 1) / 2) / (width - side)).clip(0, 1)
    return cast(Array, left + share.reshape(-1, *[1] * (strip.ndim - 2)) * (right - left))


def confirmed(found: Sequence[Sequence[Line]], width: int, motion: Sequence[float] | None = None) -> list[list[Line]]:
    """The scratches in each frame of a shot, whose candidates were *found*, in pictures *width* pixels wide.

    They stay for some frames at nearly the same place. *motion*, where it is known: by how many pixels the scene is
    further to the right in each frame than in the one before; lines that follow it are left alone.
    """
    scale = width / USUAL
    scratches: list[list[Line]] = [[] for _ in found]
    for seen in _tracks(found, JUMP * scale):
        lines = _completed(seen)
        if len(seen) >= max(FEWEST, min(LASTING, len(found))) and _lasts(lines, min(seen), scale, motion):
            across, contrast = (float(np.median([getattr(line, of) for line in lines])) for of in ("width", "contrast"))
            for number, line in enumerate(lines, min(seen)):
                scratches[number].append(replace(line, width=across, contrast=contrast))
    return scratches


def _tracks(found: Sequence[Sequence[Line]], jump: float) -> list[Seen]:
    """Lines of the same sign that are less than *jump* pixels apart from frame to frame; the nearest go together."""
    tracks: list[Seen] = []
    recent: list[Seen] = []
    for number, lines in enumerate(found):
        recent = [track for track in recent if _last(track) >= number - 1 - GAP]
        distances = sorted(
            (distance, a, b)
            for a, last in enumerate(track[_last(track)] for track in recent)
            for b, line in enumerate(lines)
            if last.contrast * line.contrast > 0
            and (distance := np.abs(np.subtract(last.places, line.places)).mean()) < jump
        )
        free = set(range(len(lines)))
        for _, a, b in distances:
            if b in free and number not in recent[a]:
                recent[a][number] = lines[b]
                free.remove(b)
        new = [{number: lines[b]} for b in sorted(free)]
        tracks += new
        recent += new
    return tracks


def _last(track: Seen) -> int:
    """The last frame of a track: the frames of a shot come in order."""
    return next(reversed(track))


def _completed(seen: Seen) -> list[Line]:
    """A line in each frame from the first to the last in which it is *seen*."""
    lines = []
    for (number, line), (other_number, other) in pairwise(seen.items()):
        for share in np.arange(other_number - number) / (other_number - number):
            places = (1 - share) * np.array(line.places) + share * np.array(other.places)
            lines.append(replace(line, places=tuple(places.tolist())))
    return [*lines, seen[max(seen)]]


def _lasts(lines: Sequence[Line], first: int, scale: float, motion: Sequence[float] | None) -> bool:
    """Whether what *lines*, from frame number *first* on, show is a scratch and not of the scene."""
    places = np.array([line.place for line in lines])
    speed = np.polyfit(np.arange(len(lines)), places, 1)[0]
    if (
        np.mean([line.share for line in lines]) < SURE
        or np.median([line.width for line in lines]) > WIDEST * scale
        or abs(speed) * min(len(lines), SECOND) > DRIFT * scale
    ):
        return False
    if motion is None:
        return True
    scene = np.cumsum(motion)[first : first + len(lines)]
    moved, in_scene, in_frame = (cv2.blur(one[:, None], (1, CALM)).std() for one in (scene, places - scene, places))
    return moved < MOVED * scale or in_frame < in_scene
