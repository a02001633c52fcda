"""SFace (Zhong et al. 2021, arXiv:2205.12010) as OpenCV runs it: the ONNX file of opencv_zoo (Apache-2.0)."""

from collections.abc import Mapping
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from restoration.frames import Frame

EDGE = 112
"""Pixels along the edges of the faces that it sees."""


class SFace:
    """The network in the file *onnx*, uint8 (bytes,), on the CPU."""

    def __init__(self, onnx: Tensor) -> None:
        self.network = cv2.FaceRecognizerSF.create("onnx", onnx.numpy(), np.empty(0, np.uint8))

    def features(self, face: Frame) -> NDArray[np.float32]:
        """What tells the person in *face*, RGB (EDGE, EDGE, 3) aligned as ArcFace does, from others: (128,)."""
        return cast(NDArray[np.float32], self.network.feature(cv2.cvtColor(face, cv2.COLOR_RGB2BGR)).reshape(-1))


def from_state(state: Mapping[str, Tensor]) -> SFace:
    """The network of a file's bytes under the name `onnx`; RuntimeError when OpenCV cannot use them."""
    try:
        network = SFace(state["onnx"])
        # A graph of another network can be read, but not be used.
        network.features(np.zeros((EDGE, EDGE, 3), np.uint8))
        return network
    except (cv2.error, KeyError) as error:
        raise RuntimeError(f"no ONNX file of SFace: {error}") from error
