"""Whether a restored face is still the same person's, in the eyes of a network that knows people apart."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np

from restoration.faces.align import TEMPLATE, Matrix, warped
from restoration.frames import Frame
from restoration.models.load import load_recogniser
from restoration.models.sface import EDGE

SMALLEST = 30
"""Height in source pixels below which a face does not tell whose it is."""
ARCFACE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
"""Eyes, nose, corners of the mouth in the faces that recognisers see (Deng et al. 2019, arXiv:1801.07698)."""


class Identity:
    """Compares aligned faces with the network in *weights* (a converted safetensors file)."""

    def __init__(self, weights: Path, sha256: str) -> None:
        self.network = load_recogniser(weights, sha256)
        self.matrix = cast(Matrix, cv2.estimateAffinePartial2D(TEMPLATE, ARCFACE, method=cv2.LMEDS)[0])

    def distance(self, one: Frame, other: Frame) -> float:
        """1 less the cosine of both faces' features: 0 for the same picture, 1 for nothing in common, up to 2.

        For SFace, opencv_zoo takes two pictures for one person up to 0.637.
        """
        a, b = (self.network.features(warped(face, self.matrix, (EDGE, EDGE))) for face in (one, other))
        return float(1 - a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9))
