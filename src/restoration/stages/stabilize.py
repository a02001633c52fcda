"""Colour that does not flicker: chroma averaged over the frames before and after, along the motion, within a shot.

Each frame looks at a fixed number of neighbours, so the result does not depend on where chunks begin. Luma is left
alone: what moves, and how, is read from it by DIS optical flow (Kroeger et al. 2016).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame
from restoration.pipeline.plan import NEIGHBOURS
from restoration.stages.chroma import with_chroma

Array = NDArray[np.float32]

WORKING_WIDTH = 320
"""Flow and averages are computed at this width; what is changed is small and soft."""
TRUST = 8.0
"""Difference of luma (of 255) after motion compensation at which a neighbour's weight falls to 1/e."""
SMALLEST_FLOW = 16
"""Pixels below which pictures are too small for optical flow; what stands still is still averaged."""


@dataclass(frozen=True)
class Seen:
    """A frame of a shot, in small: luma (h, w), chroma U and V (h, w, 2) of 255."""

    frame: Frame
    number: int
    shot: int

    @cached_property
    def small(self) -> NDArray[np.uint8]:
        """YUV (h, w, 3)."""
        height, width = self.frame.shape[:2]
        size = min(width, WORKING_WIDTH), max(1, round(height * min(1, WORKING_WIDTH / width)))
        yuv = cv2.cvtColor(self.frame, cv2.COLOR_RGB2YUV)
        return cast(NDArray[np.uint8], cv2.resize(yuv, size, interpolation=cv2.INTER_AREA))

    @cached_property
    def weighted(self) -> Array:
        """U, V and the weight 1: (h, w, 3)."""
        weighted = np.ones((*self.small.shape[:2], 3), np.float32)
        weighted[..., :2] = self.small[..., 1:]
        return weighted


class Step:
    """How the pictures move from one frame to its neighbour: brings what belongs to the former to the latter."""

    def __init__(self, source: Seen, target: Seen) -> None:
        from_luma, to_luma = (np.ascontiguousarray(seen.small[..., 0]) for seen in (source, target))
        height, width = to_luma.shape
        if min(height, width) < SMALLEST_FLOW:
            flow = np.zeros((height, width, 2), np.float32)
        else:
            search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
            flow = cast(Array, search.calc(to_luma, from_luma, np.zeros((height, width, 2), np.float32)))
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self.places = columns + flow[..., 0], rows + flow[..., 1]
        arrived = self.warped(from_luma.astype(np.float32))
        self.trust: Array = np.exp(-np.abs(arrived - to_luma) / TRUST).astype(np.float32)[..., None]

    def warped(self, values: Array) -> Array:
        """*values* (h, w) or (h, w, c) of the former frame where they are in the latter."""
        return cast(Array, cv2.remap(values, *self.places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def stabilized(
    frames: Iterable[tuple[Frame, int]], first: int, wanted: range, strength: float, colorized: Sequence[bool]
) -> Iterator[Frame]:
    """Yield the *wanted* ones among *frames*, given with their shot from number *first* on, with calm chroma.

    For a result that does not depend on chunks, NEIGHBOURS frames of context are needed on either side, as far as the
    video has them. *strength* in [0, 1) is the weight of each frame against the one next to it that is nearer. Frames
    that were not *colorized* (by their number in the video) pass untouched.
    """
    window: list[Seen] = []
    steps: dict[tuple[int, int], Step] = {}
    seen = (Seen(frame, number, shot) for number, (frame, shot) in enumerate(frames, first))
    for number in wanted:
        while not window or window[-1].number < number + NEIGHBOURS:
            if (following := next(seen, None)) is None:
                break
            window.append(following)
        window = [near for near in window if near.number >= number - NEIGHBOURS]
        for pair in [pair for pair in steps if min(pair) < number - NEIGHBOURS]:
            del steps[pair]
        middle = next(near for near in window if near.number == number)
        if not colorized[number]:
            yield middle.frame
            continue
        before = [near for near in window if near.number < number and near.shot == middle.shot]
        after = [near for near in window if near.number > number and near.shot == middle.shot]
        yield _calm(middle, [before, after[::-1]], steps, strength)


def _calm(middle: Seen, sides: list[list[Seen]], steps: dict[tuple[int, int], Step], strength: float) -> Frame:
    """*middle* with the average chroma of itself and both *sides*, of which the farthest come first."""
    own = middle.weighted
    total = own.copy()
    for side in sides:
        gathered: Array | None = None
        for source, target in pairwise([*side, middle]):
            key = source.number, target.number
            step = steps[key] if key in steps else steps.setdefault(key, Step(source, target))
            gathered = source.weighted if gathered is None else gathered + source.weighted
            gathered = strength * step.trust * step.warped(gathered)
        if gathered is not None:
            total += gathered
    change = total[..., :2] / total[..., 2:] - own[..., :2]
    height, width = middle.frame.shape[:2]
    yuv = cv2.cvtColor(middle.frame, cv2.COLOR_RGB2YUV)
    chroma = yuv[..., 1:] + cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)
    return with_chroma(middle.frame, np.clip(np.rint(chroma), 0, 255).astype(np.uint8))
