"""Frames that repeat one before all but exactly, as those do that a codec has been at."""

import logging
from collections.abc import Callable

import cv2
import numpy as np

from restoration.frames import Picture, Pictures, eight_bits
from restoration.media.looks import psnr

logger = logging.getLogger(__name__)

BLOCK = 16
"""Edge, in pixels, of the blocks that are compared: in the mean of a picture something small that moves is lost."""


def difference(picture: Picture, other: Picture) -> float:
    """The largest mean difference of any block of two pictures, in steps of 255."""
    apart = cv2.absdiff(eight_bits(picture), eight_bits(other))
    height, width, samples = apart.shape
    tops, lefts = np.arange(0, height, BLOCK), np.arange(0, width, BLOCK)
    rows = np.add.reduceat(apart.reshape(height, -1), tops, axis=0, dtype=np.uint32)
    sums = np.add.reduceat(rows, lefts * samples, axis=1)
    sizes = np.outer(np.minimum(BLOCK, height - tops), np.minimum(BLOCK, width - lefts)) * samples
    return float((sums / sizes).max())


class NearRepeats:
    """Tells for each frame whose result it gets: its own, or where it differs by less than *below* (see `difference`)
    from the last frame that got its own, that one's. *below* 0: each its own.

    Frames are told apart by a *key*, the same for identical ones.
    """

    def __init__(self, below: float) -> None:
        self.below = below
        self.key = ""
        """Of the last frame that got its own result."""
        self._frame: Picture | None = None
        self._count = 0
        self._worst: tuple[float, int, Picture, Picture] | None = None

    def source(self, key: str, frame: Picture) -> tuple[str, float]:
        """The key of the frame whose result the next *frame* gets, and how far they are apart."""
        if not self.below:
            return key, 0
        if self._frame is not None and (apart := difference(frame, self._frame)) < self.below:
            return self.key, apart
        self.key, self._frame = key, frame
        return key, 0

    def note(self, number: int, frame: Picture, result: Picture, apart: float) -> None:
        """Take down that *frame*, whose index in the video is *number*, got the *result* of another."""
        self._count += 1
        if self._worst is None or apart > self._worst[0]:
            self._worst = apart, number, frame, result

    def tell(self, process: Callable[[Pictures, tuple[int, ...]], Pictures]) -> None:
        """Log how many there were, and what the one that differs most lost, by what *process* makes of it."""
        if self._worst is None:
            return
        apart, number, frame, result = self._worst
        (direct,) = process(frame[None], (number,))
        logger.info(
            "%d frames nearly repeat an earlier one, with blocks up to %.2f of 255 apart: its result was used again. "
            "That of frame %d, the furthest apart, is %.1f dB (PSNR) from its own",
            self._count,
            apart,
            number,
            psnr(direct, result),
        )
