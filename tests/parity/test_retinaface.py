"""RetinaFace against the package `facexlib`, on seeded weights in the official file layout."""

from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest
import torch
from torch import nn

from media_factory import pictures
from restoration.faces.detect import Detector
from restoration.models import retinaface
from restoration.models.convert import convert
from restoration.models.load import load_detector
from restoration.models.registry import Model

SHA256 = "0" * 64
SIZES = ((64, 96), (75, 50), (131, 170))


def to_unit_deviation(head, _, out):
    head.conv1x1.weight.div_(out.std())


@pytest.fixture(scope="module")
def oracle():
    """The original network with statistics of batches, and heads whose numbers are as large as trained ones'."""
    try:
        assert version("facexlib") == "0.3.0"
    except PackageNotFoundError:
        pytest.skip("the oracle facexlib 0.3.0 is not installed: see requirements-parity.txt")
    from facexlib.detection.retinaface import RetinaFace

    torch.manual_seed(7)
    network = RetinaFace(network_name="resnet50", device="cpu")
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        heads = [*network.ClassHead, *network.BboxHead, *network.LandmarkHead]
        hooks = [head.register_forward_hook(to_unit_deviation) for head in heads]
        network(torch.randn(1, 3, 96, 96) * 60)
    for hook in hooks:
        hook.remove()
    return network.eval()


@pytest.fixture(scope="module")
def weights(oracle, tmp_path_factory):
    """Ours, from a file like the official one."""
    folder = tmp_path_factory.mktemp("retinaface")
    torch.save({f"module.{name}": tensor for name, tensor in oracle.state_dict().items()}, folder / "a.pth")
    convert(folder / "a.pth", Model("a", "detect", 1, "MIT", "pth", SHA256, ()), folder / "a.safetensors")
    return folder / "a.safetensors"


@pytest.mark.parametrize("size", SIZES)
def test_the_network_is_the_original_one(oracle, weights, size):
    picture = torch.randn(2, 3, *size, generator=torch.manual_seed(1)) * 60
    ours = load_detector(weights, SHA256)
    assert isinstance(ours, retinaface.RetinaFace)
    with torch.inference_mode():
        boxes, scores, landmarks = oracle(picture)
        raw = ours(picture)
    for expected, found in zip((boxes, scores[..., 1], landmarks), raw, strict=True):
        assert expected.std() > 0.05
        assert (found - expected).abs().max() <= 1e-4


@pytest.mark.parametrize("size", SIZES)
def test_faces_are_the_original_ones(oracle, weights, size):
    frame = pictures(1, *size)[0]
    with torch.inference_mode():
        every = oracle.detect_faces(frame[..., ::-1], conf_threshold=0)
        # Between two scores, so that rounding tips none.
        threshold = float(np.sort(every[:, 4])[len(every) // 2 :][:2].mean())
        expected = oracle.detect_faces(frame[..., ::-1], conf_threshold=threshold)
    assert 3 < len(expected) < len(every)
    faces = Detector(weights, SHA256, min_score=threshold, min_size=0).detect(frame[None])[0]
    found = np.array([[*face.box, face.score, *face.landmarks.flat] for face in faces])
    apart = np.abs(found[:, None] - expected).max(axis=2)
    assert len(found) == len(expected)
    assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) <= 1e-2
