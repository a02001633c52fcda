"""What every network that finds faces offers, whatever its family."""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from restoration.frames import Frame


class Found(NamedTuple):
    """The m faces of a picture as float32: boxes (m, 4) x0, y0, x1, y1 in pixels; scores (m,) in [0, 1]; landmarks
    (m, 5, 2) x, y of left eye, right eye, nose, left and right corner of the mouth, as seen in the picture."""

    boxes: Tensor
    scores: Tensor
    landmarks: Tensor


class FaceDetector(nn.Module, ABC):
    """A network, or several, with what it takes to get from pixels to faces."""

    @abstractmethod
    def find(self, frame: Frame, *, min_score: float, min_size: float) -> Found:
        """The faces of uint8 RGB (h, w, 3) whose score is above *min_score*, in no order.

        *min_size* is the height in pixels from which on faces are wanted; smaller ones may be among the result.
        """


def nothing() -> Found:
    """No faces."""
    return Found(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, 5, 2))
