"""How pictures move within a shot: dense optical flow of luma, at a small size (DIS, Kroeger et al. 2016)."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame, luma

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
    def luma(self) -> NDArray[np.uint8]:
        """At full size (h, w)."""
        return luma(self.frame)

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
    """How the pictures move from one frame to its neighbour: brings what belongs to the former to the latter.

    *preset* is one of OpenCV's DISOPTICAL_FLOW_PRESET_….
    """

    def __init__(self, source: Seen, target: Seen, preset: int = cv2.DISOPTICAL_FLOW_PRESET_FAST) -> None:
        from_luma, to_luma = (np.ascontiguousarray(seen.small[..., 0]) for seen in (source, target))
        height, width = to_luma.shape
        if min(height, width) < SMALLEST_FLOW:
            flow = np.zeros((height, width, 2), np.float32)
        else:
            search = cv2.DISOpticalFlow.create(preset)
            flow = cast(Array, search.calc(to_luma, from_luma, np.zeros((height, width, 2), np.float32)))
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        self.places = columns + flow[..., 0], rows + flow[..., 1]
        arrived = self.warped(from_luma.astype(np.float32))
        self.trust: Array = np.exp(-np.abs(arrived - to_luma) / TRUST).astype(np.float32)[..., None]

    def warped(self, values: Array) -> Array:
        """*values* (h, w) or (h, w, c) of the former frame where they are in the latter."""
        return cast(Array, cv2.remap(values, *self.places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    def enlarged(self, width: int, height: int) -> tuple[Array, Array, Array]:
        """Columns and rows of `places`, and `trust`, each (height, width): the same for pictures of that size."""
        factor = width / self.trust.shape[1]
        # The centre of the first pixel is at 0.5 of its picture, in small and in large.
        columns, rows = ((cv2.resize(places, (width, height)) + 0.5) * factor - 0.5 for places in self.places)
        return cast(Array, columns), cast(Array, rows), cast(Array, cv2.resize(self.trust[..., 0], (width, height)))
