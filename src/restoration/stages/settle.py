"""Upscaled detail that does not shimmer: what a network added to each frame, averaged over its neighbours, along the
motion, within a shot.

Each frame looks at a fixed number of neighbours, so the result does not depend on where chunks begin. What plain
enlargement shows stays: what moves, and how, is read from the frames before upscaling.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import cv2
import numpy as np

from restoration.frames import Frame, resized
from restoration.motion import Array, Seen, Step
from restoration.window import windows

REACH = 2
"""Neighbours on either side that are looked at; not more than `restoration.pipeline.plan.NEIGHBOURS`."""


@dataclass(frozen=True)
class Upscaled:
    """A frame before upscaling, as *seen*, and after it, the *result*."""

    seen: Seen
    result: Frame

    @property
    def number(self) -> int:
        """Its place in the video."""
        return self.seen.number

    @property
    def shot(self) -> int:
        """That of its shot."""
        return self.seen.shot

    @cached_property
    def plain(self) -> Frame:
        """The frame enlarged by Lanczos."""
        return resized(self.seen.frame, self.result.shape[:2])

    @cached_property
    def detail(self) -> Array:
        """What the network added to that."""
        return self.result.astype(np.float32) - self.plain


def settled(frames: Iterable[tuple[Frame, Frame, int]], first: int, wanted: range, stability: float) -> Iterator[Frame]:
    """Yield the *wanted* ones among *frames*, given before and after upscaling with their shot from number *first* on.

    For a result that does not depend on chunks, REACH frames of context are needed on either side, as far as the video
    has them. *stability* in [0, 1) is the weight of each neighbour against the one next to it that is nearer.
    """
    numbered = enumerate(frames, first)
    upscaled = (Upscaled(Seen(before, number, shot), after) for number, (before, after, shot) in numbered)
    for middle, earlier, later in windows(upscaled, wanted, REACH):
        yield _settled(middle, earlier[::-1] + later, stability)


def _settled(middle: Upscaled, near: list[Upscaled], stability: float) -> Frame:
    height, width = middle.result.shape[:2]
    total, weights = middle.detail.copy(), np.ones((height, width, 1), np.float32)
    for other in near:
        step = Step(other.seen, middle.seen, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        columns, rows, trust = step.enlarged(width, height)
        moved = cv2.remap(other.detail, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        share = np.float32(stability ** abs(other.seen.number - middle.seen.number))
        weight = trust[..., None] * share
        total += weight * moved
        weights += weight
    return cast(Frame, np.rint((middle.plain + total / weights).clip(0, 255)).astype(np.uint8))
