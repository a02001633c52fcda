"""Colour that does not flicker: chroma averaged over the frames before and after, along the motion, within a shot.

Each frame looks at a fixed number of neighbours, so the result does not depend on where chunks begin. Luma is left
alone: what moves, and how, is read from it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np

from restoration.frames import Frame
from restoration.motion import Array, Seen, Step
from restoration.stages.chroma import with_chroma
from restoration.window import windows

REACH = 12
"""Neighbours on either side that are averaged; not more than `restoration.pipeline.plan.NEIGHBOURS`."""


def stabilized(
    frames: Iterable[tuple[Frame, int]], first: int, wanted: range, strength: float, colorized: Sequence[bool]
) -> Iterator[Frame]:
    """Yield the *wanted* ones among *frames*, given with their shot from number *first* on, with calm chroma.

    For a result that does not depend on chunks, REACH frames of context are needed on either side, as far as the
    video has them. *strength* in [0, 1) is the weight of each frame against the one next to it that is nearer. Frames
    that were not *colorized* (by their number in the video) pass untouched.
    """
    steps: dict[tuple[int, int], Step] = {}
    seen = (Seen(frame, number, shot) for number, (frame, shot) in enumerate(frames, first))
    for middle, before, after in windows(seen, wanted, REACH):
        for pair in [pair for pair in steps if min(pair) < middle.number - REACH]:
            del steps[pair]
        if not colorized[middle.number]:
            yield middle.frame
            continue
        yield _calm(middle, [before[::-1], after[::-1]], steps, strength)


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
