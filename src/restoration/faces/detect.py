"""Faces of single frames, by whichever network the weights hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from restoration.engines.torch_network import choose_device, out_of_memory_as_memory_error
from restoration.frames import Frame, Frames
from restoration.models.load import load_detector


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a frame. *box* is x0, y0, x1, y1 in pixels and may reach over the border; *score*, in [0, 1], is the
    network's own; *landmarks* (5, 2) are left eye, right eye, nose, left and right corner of the mouth, as seen in the
    picture."""

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float32]

    def to_json(self) -> dict[str, Any]:
        """As `from_json` takes it."""
        return {"box": self.box, "score": self.score, "landmarks": self.landmarks.tolist()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Face":
        """What `to_json` gave."""
        x0, y0, x1, y1 = content["box"]
        return cls((x0, y0, x1, y1), content["score"], np.array(content["landmarks"], np.float32))


class Detector:
    """Finds faces with the network in *weights* (a converted safetensors file): RetinaFace, MTCNN or YuNet.

    Faces of a score up to *min_score* or with boxes less than *min_size* pixels high are left out. Scores of different
    networks do not compare: GFPGAN takes RetinaFace's from 0.97; MTCNN's authors take theirs from 0.7, but on 356
    photographs 12 of 14 finds below 0.9 were no faces, and next to all of the 46 from 0.97 on were. *device* is auto,
    cpu, cuda or mps.
    """

    def __init__(self, weights: Path, sha256: str, *, min_score: float, min_size: float, device: str = "cpu") -> None:
        self.network = load_detector(weights, sha256).to(choose_device(device))
        self.min_score, self.min_size = min_score, min_size

    def detect(self, frames: Frames) -> list[list[Face]]:
        """The faces of each of uint8 (n, h, w, 3), sorted from left to right, then from top to bottom.

        Each frame is looked at by itself, so that its faces do not depend on which frames come with it. Raises
        MemoryError when the device's memory does not suffice for one frame.
        """
        return [self._faces(frame) for frame in frames]

    def _faces(self, frame: Frame) -> list[Face]:
        with torch.inference_mode(), out_of_memory_as_memory_error():
            found = self.network.find(frame, min_score=self.min_score, min_size=self.min_size)
        boxes, scores, landmarks = (values.cpu().numpy() for values in found)
        faces = [
            Face((x0, y0, x1, y1), score, marks)
            for (x0, y0, x1, y1), score, marks in zip(boxes.tolist(), scores.tolist(), landmarks, strict=True)
            if y1 - y0 >= self.min_size
        ]
        return sorted(faces, key=lambda face: face.box)
