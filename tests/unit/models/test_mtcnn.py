"""MTCNN with its real weights: a face it must find, and the steps of its cascade."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import load_file

from restoration.models.mtcnn import Net, Transposed, cropped, distinct, from_state, squared

WEIGHTS = Path(__file__).parents[3] / "config/weights/mtcnn.safetensors"
LANDMARKS = [[205, 102], [247, 104], [225, 129], [202, 139], [245, 142]]
"""Of the astronaut; looked at."""


@pytest.fixture(scope="module")
def network():
    return from_state(load_file(WEIGHTS))


@pytest.mark.parametrize("change", ["missing", "additional", "shape"])
def test_weights_must_fit_exactly(change):
    state = load_file(WEIGHTS)
    if change == "missing":
        del state["rnet.dense4.bias"]
    else:
        state["more" if change == "additional" else "rnet.dense4.bias"] = torch.zeros(2)
    with pytest.raises(RuntimeError, match=r"rnet\.dense4\.bias|more"):
        from_state(state)


@pytest.mark.parametrize("min_size", [0, 12, 20, 50, 90])
def test_the_astronaut_has_one_face(network, min_size):
    with torch.inference_mode():
        boxes, scores, landmarks = network.find(skimage.data.astronaut(), min_score=0.9, min_size=min_size)
    assert scores.tolist() == pytest.approx([1], abs=0.001)
    np.testing.assert_allclose(boxes[0], [181, 62, 268, 172], atol=8)
    np.testing.assert_allclose(landmarks[0], LANDMARKS, atol=4)


def test_the_score_that_is_asked_for_decides(network):
    picture = skimage.data.astronaut()
    every, some, none = (network.find(picture, min_score=least, min_size=20).scores.tolist() for least in (-1, 0.05, 1))
    assert len(every) > len(some) > len(none) == 0
    assert some == [score for score in every if score > 0.05]


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (11, 11), (12, 12), (40, 30)])
@pytest.mark.parametrize("colour", [0, 128, 255])
def test_nothing_is_found_in_nothing(network, size, colour):
    found = network.find(np.full((*size, 3), colour, np.uint8), min_score=0.7, min_size=12)
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


def test_larger_faces_only_means_less_work(network, monkeypatch):
    sizes = []
    forward = network.pnet.forward
    monkeypatch.setattr(network.pnet, "forward", lambda x: sizes.append(tuple(x.shape[2:])) or forward(x))
    network.find(np.zeros((100, 200, 3), np.uint8), min_score=0.7, min_size=40)
    assert sizes == [(31, 61), (22, 43), (16, 31)]


def test_beyond_the_border_crops_are_black_and_boxes_go():
    picture = torch.arange(1.0, 13).view(1, 1, 3, 4).repeat(1, 3, 1, 1)
    boxes = torch.tensor([[0.0, 0.0, 1.9, 1.9], [5, 1, 9, 3], [2, 2, 3, 3], [4, 3, 5, 4], [-5, 1, 0, 2], [2, 4, 3, 5]])
    kept, crops = cropped(picture, boxes, 2)
    assert kept.tolist() == boxes[[0, 2, 3]].tolist()
    assert crops[:, 0].tolist() == [[[0, 0], [0, 1]], [[6, 7], [10, 11]], [[12, 0], [0, 0]]]


def test_squares_keep_the_middle_and_the_longer_edge():
    assert squared(torch.tensor([[10.0, 20.0, 16.0, 30.0]])).tolist() == [[8, 20, 18, 30]]


def test_a_face_inside_a_face_goes():
    boxes = torch.tensor([[10.0, 10.0, 20.0, 20.0], [0.0, 0.0, 100.0, 100.0], [90.0, 90.0, 130.0, 130.0]])
    assert distinct(boxes, torch.tensor([0.8, 0.9, 0.7])).tolist() == [1, 2]
    assert distinct(boxes, torch.tensor([0.9, 0.8, 0.7])).tolist() == [0, 2]


def test_pixels_are_centred_and_flattened_column_by_column():
    net = Net({"flat": Transposed()}, {"all": torch.nn.Identity()})
    x = torch.tensor([127.5, 255.5, -0.5, 127.5]).view(1, 1, 2, 2)
    assert net(x)[0].tolist() == [[0, -1, 1, 0]]
    x = torch.arange(8.0).view(1, 2, 2, 2)
    assert Transposed()(x).tolist() == [[0, 4, 2, 6, 1, 5, 3, 7]]
