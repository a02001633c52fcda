"""YuNet (Wu et al. 2023, doi:10.1007/s11633-023-1423-y) as OpenCV runs it: the ONNX file of opencv_zoo (MIT)."""

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from torch import Tensor

from restoration.frames import Frame
from restoration.models.detector import FaceDetector, Found, nothing

MOST_OVERLAP = 0.3
"""Of two boxes with a larger IoU the one of lower score is the same face; OpenCV's default."""
MOST_BOXES = 5000
"""Before overlapping ones are dropped; OpenCV's default."""


class YuNet(FaceDetector):
    """The network in the file *onnx*, uint8 (bytes,). OpenCV runs it on the CPU, whatever the device."""

    def __init__(self, onnx: Tensor) -> None:
        super().__init__()
        # Every frame's size and threshold are set later; OpenCV asks for some now.
        self.network = cv2.FaceDetectorYN.create("onnx", onnx.numpy(), np.empty(0, np.uint8), (32, 32))
        self.network.setNMSThreshold(MOST_OVERLAP)
        self.network.setTopK(MOST_BOXES)

    def find(self, frame: Frame, *, min_score: float, min_size: float) -> Found:
        """See `FaceDetector`. It knows faces of about 10 to 300 pixels, says opencv_zoo."""
        height, width = frame.shape[:2]
        self.network.setInputSize((width, height))
        self.network.setScoreThreshold(min_score)
        _, rows = self.network.detect(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        if rows is None:
            return nothing()
        faces = torch.from_numpy(rows)
        corners, sizes, landmarks = faces[:, :2], faces[:, 2:4], faces[:, 4:14]
        return Found(torch.cat([corners, corners + sizes], dim=1), faces[:, 14], landmarks.reshape(-1, 5, 2))


def from_state(state: Mapping[str, Tensor]) -> YuNet:
    """The detector of a file's bytes under the name `onnx`; RuntimeError when OpenCV cannot read them."""
    try:
        network = YuNet(state["onnx"])
        # A graph of another network can be read, but not be used.
        network.find(np.zeros((32, 32, 3), np.uint8), min_score=0.5, min_size=0)
        return network
    except cv2.error as error:
        raise RuntimeError(f"no ONNX file of YuNet: {error}") from error
