"""Colours of one set of pictures given to another, by their statistics alone: nothing is recognised, nothing matched.

The linear Monge-Kantorovitch map between the distributions of Y, U and V (Pitié and Kokaram 2007), of which only the
chroma is used: bright parts lean to where the reference's bright parts lean.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame, inside, plain
from restoration.media.looks import content_box
from restoration.media.still import read_still

Array = NDArray[np.float64]

SIDE = 256
"""Longest side at which colours are counted."""
NOISE = 16.0
"""Variance (of 255 squared) that counts as noise: gray pictures are not blown up to colour."""


class Statistics:
    """Mean and covariance of Y, U and V over any number of pictures, which all weigh the same."""

    def __init__(self) -> None:
        self.count, self.sums, self.products = 0, np.zeros(3), np.zeros((3, 3))

    def see(self, frame: Frame) -> None:
        """Count in uint8 RGB (h, w, 3)."""
        scale = min(1, SIDE / max(frame.shape[:2]))
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else frame
        pixels = cv2.cvtColor(small, cv2.COLOR_RGB2YUV).reshape(-1, 3).astype(np.float64)
        self.count += 1
        self.sums += pixels.mean(axis=0)
        self.products += pixels.T @ pixels / len(pixels)

    @property
    def mean(self) -> Array:
        """(3,)."""
        return self.sums / self.count

    @property
    def covariance(self) -> Array:
        """(3, 3), with a little noise in it."""
        return self.products / self.count - np.outer(self.mean, self.mean) + NOISE * np.eye(3)


def statistics_of(images: Iterable[Path]) -> Statistics:
    """Those of image files, without their black borders; RestorationError names one that cannot be read."""
    statistics = Statistics()
    for path in images:
        picture = plain(read_still(path).pixels)
        statistics.see(inside(picture, content_box(picture.max(axis=2))))
    return statistics


def transfer(source: Statistics, reference: Statistics, strength: float = 1.0) -> Array:
    """The matrix (2, 4) that makes U and V of (Y, U, V, 1), so that *source*'s distribution becomes *reference*'s.

    *strength* 0 leaves the chroma as it is, 1 moves it all the way.
    """
    root = _power(source.covariance, 0.5)
    inverse = _power(source.covariance, -0.5)
    linear = inverse @ _power(root @ reference.covariance @ root, 0.5) @ inverse
    affine = np.column_stack([linear, reference.mean - linear @ source.mean])[1:]
    return strength * affine + (1 - strength) * np.eye(3, 4)[1:]


def transferred(frame: Frame, matrix: Array) -> NDArray[np.float32]:
    """U and V (h, w, 2) of *frame* after `transfer`."""
    yuv = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)
    return cast(NDArray[np.float32], cv2.transform(yuv.astype(np.float32), matrix.astype(np.float32)))


def _power(matrix: Array, exponent: float) -> Array:
    """A power of a symmetric positive definite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return cast(Array, vectors * values**exponent @ vectors.T)
