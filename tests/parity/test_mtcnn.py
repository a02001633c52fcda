"""MTCNN against the package `facenet-pytorch`: the same tensors, the same faces away from the border."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import load_file

from restoration.models.mtcnn import from_state

WEIGHTS = Path(__file__).parents[2] / "config/weights/mtcnn.safetensors"


@pytest.fixture(scope="module")
def oracle():
    return pytest.importorskip("facenet_pytorch", reason="facenet-pytorch is missing: see requirements-parity.txt")


def test_the_weights_are_the_original_ones(oracle):
    expected = {
        name: tensor
        for name, tensor in oracle.MTCNN().state_dict().items()
        if name.startswith(("pnet.", "rnet.", "onet."))
    }
    ours = load_file(WEIGHTS)
    assert ours.keys() == expected.keys()
    assert all(torch.equal(ours[name], tensor) for name, tensor in expected.items())


@pytest.mark.parametrize("min_size", [20, 33.3])
@pytest.mark.parametrize("kind", ["as it is", "turned", "small faces"])
def test_faces_are_the_original_ones(oracle, kind, min_size):
    astronaut = skimage.data.astronaut()
    picture = {
        "as it is": astronaut,
        "turned": cv2.warpAffine(astronaut, cv2.getRotationMatrix2D((256, 256), 15, 0.9), (500, 400)),
        "small faces": np.tile(cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), (2, 2, 1)),
    }[kind]
    boxes, scores, landmarks = oracle.MTCNN(keep_all=True, min_face_size=min_size).detect(picture, landmarks=True)
    found = from_state(load_file(WEIGHTS)).find(picture, min_score=0.7, min_size=min_size)
    theirs, ours = np.lexsort(boxes.astype(float).T), np.lexsort(found.boxes.numpy().T)
    np.testing.assert_allclose(found.boxes[ours], boxes[theirs].astype(float), atol=0.01)
    np.testing.assert_allclose(found.landmarks[ours], landmarks[theirs].astype(float), atol=0.01)
    np.testing.assert_allclose(found.scores[ours], scores[theirs].astype(float), atol=1e-4)
