"""RetinaFace: squares, their decoding, strict weights. A trained network would need its file."""

import numpy as np
import pytest
import torch

from restoration.models.retinaface import MEAN_BGR, Raw, RetinaFace, decode, from_state, squares


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return from_state(RetinaFace().state_dict())


def test_ready_for_inference(network):
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_official_names_load_strictly_with_and_without_the_prefix(network):
    state = network.state_dict()
    assert {"body.conv1.weight", "body.layer4.2.bn3.running_var", "fpn.merge1.0.weight"} < state.keys()
    assert {"ssh3.conv7x7_3.1.bias", "ClassHead.2.conv1x1.bias", "LandmarkHead.0.conv1x1.weight"} < state.keys()
    assert len(state) == 456
    prefixed = from_state({f"module.{name}": tensor for name, tensor in state.items()})
    assert torch.equal(prefixed.fpn.merge1[0].weight, network.fpn.merge1[0].weight)
    with pytest.raises(RuntimeError, match="more"):
        from_state(state | {"more": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r"body\.conv1\.weight"):
        from_state({name: tensor for name, tensor in state.items() if name != "body.conv1.weight"})


@pytest.mark.parametrize("size", [(1, 1), (33, 70), (64, 64)])
def test_each_square_has_its_numbers(network, size):
    with torch.inference_mode():
        boxes, scores, landmarks = network(torch.randn(2, 3, *size, generator=torch.manual_seed(1)) * 60)
    count = len(squares(*size))
    assert boxes.shape == (2, count, 4) and scores.shape == (2, count) and landmarks.shape == (2, count, 10)
    assert scores.min() >= 0 and scores.max() <= 1


def test_squares_stand_on_cells_row_by_row():
    found = squares(16, 33)
    assert found[:4].tolist() == [[4, 4, 16], [4, 4, 32], [12, 4, 16], [12, 4, 32]]
    assert found[10].tolist() == [4, 12, 16]
    assert found[20:22].tolist() == [[8, 8, 64], [8, 8, 128]]
    assert found[-2:].tolist() == [[48, 16, 256], [48, 16, 512]]
    assert len(found) == 2 * (2 * 5 + 1 * 3 + 1 * 2)


def test_decoding():
    places = torch.tensor([[100.0, 60.0, 32.0], [102.0, 60.0, 32.0], [300.0, 60.0, 16.0]])
    raw = Raw(torch.zeros(3, 4), torch.tensor([0.8, 0.9, 0.7]), torch.zeros(3, 10))
    raw.boxes[2] = torch.tensor([1.0, 2.0, 5 * np.log(2), 5 * np.log(3)])
    raw.landmarks[2, 2:4] = torch.tensor([5.0, -5.0])
    boxes, scores, landmarks = decode(raw, places)
    # The second square covers most of the first, and is surer.
    assert scores.tolist() == pytest.approx([0.9, 0.7])
    assert boxes[0].tolist() == [86, 44, 118, 76]
    assert boxes[1].tolist() == pytest.approx([301.6 - 16, 63.2 - 24, 301.6 + 16, 63.2 + 24])
    assert landmarks[0].tolist() == [[102, 60]] * 5
    assert landmarks[1, :3].tolist() == [[300, 60], [308, 52], [300, 60]]


def test_boxes_that_share_less_than_the_limit_are_two_faces():
    places = torch.tensor([[100.0, 60.0, 32.0], [114.0, 60.0, 32.0], [160.0, 60.0, 32.0], [173.0, 60.0, 32.0]])
    raw = Raw(torch.zeros(4, 4), torch.tensor([0.8, 0.9, 0.8, 0.9]), torch.zeros(4, 10))
    # IoU 18/46 = 0.391 and 19/45 = 0.422; with a pixel added to each edge the first would be 0.404.
    assert sorted(decode(raw, places).boxes[:, 0].tolist()) == [84, 98, 157]


def test_the_network_sees_bgr_less_its_mean_and_only_sure_squares_count(network, monkeypatch):
    frame = np.zeros((20, 30, 3), np.uint8)
    frame[...] = (200, 100, 50)
    seen = []

    def forward(pictures):
        seen.append(pictures)
        scores = torch.zeros(1, len(squares(20, 30)))
        scores[0, 5], scores[0, 0] = 0.9, 0.5
        return Raw(torch.zeros(1, scores.shape[1], 4), scores, torch.zeros(1, scores.shape[1], 10))

    monkeypatch.setattr(network, "forward", forward)
    found = network.find(frame, min_score=0.5, min_size=0)
    assert seen[0][0, :, 3, 4].tolist() == [50 - MEAN_BGR[0], 100 - MEAN_BGR[1], 200 - MEAN_BGR[2]]
    assert seen[0].shape == (1, 3, 20, 30)
    assert found.boxes.tolist() == [[20 - 16, 4 - 16, 20 + 16, 4 + 16]]
