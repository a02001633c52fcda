"""A stage for the part of a picture that lies inside black borders: they are no part of what the camera saw."""

from typing import cast

import numpy as np

from restoration.frames import Frames
from restoration.stages.runner import Stage


class Within:
    """Gives *stage*, whose results are as large as its frames, what lies in *box* (width, height, left, top)."""

    takes_all = False

    def __init__(self, stage: Stage, box: tuple[int, int, int, int]) -> None:
        self.stage = stage
        width, height, left, top = box
        self.inside = slice(None), slice(top, top + height), slice(left, left + width)

    def process(self, frames: Frames, *, exact: bool = False) -> Frames:
        """Restore uint8 RGB (n, h, w, 3); the borders stay. What the stage gives beyond RGB is 0 there."""
        inside = cast(Frames, self.stage.process(frames[self.inside], exact=exact))
        restored = np.zeros((*frames.shape[:3], inside.shape[3]), np.uint8)
        restored[..., :3] = frames
        restored[self.inside] = inside
        return restored

    def shrink(self, height: int, width: int) -> bool:
        """As the stage does."""
        return self.stage.shrink(height, width)
