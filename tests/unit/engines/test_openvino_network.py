"""OpenVINO gives PyTorch's numbers."""

import logging

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from restoration.engines import torch_engine
from restoration.engines.openvino_network import OpenVinoNetwork
from restoration.engines.torch_engine import TorchEngine
from restoration.errors import RestorationError


class Tiny(nn.Module):
    """Two convolutions and an enlargement; what is above 0.9 becomes *poison*."""

    def __init__(self, poison=1.0):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.second = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 12, 3, padding=1)
        self.poison = poison

    def forward(self, pictures):
        result = functional.pixel_shuffle(self.second(functional.relu(self.first(pictures))), 2)
        bright = pictures.amax((1, 2, 3), keepdim=True) > 0.9
        return result * torch.where(bright, self.poison, 1.0)


@pytest.fixture(autouse=True)
def as_before():
    threads = torch.get_num_threads()
    yield
    torch_engine.use(threads)


def engine(name, network=None, **settings):
    torch_engine.use(1, name)
    defaults = {"scale": 2, "multiple": 1, "tile": 0, "overlap": 0, "precision": "fp32", "device": "cpu"}
    return TorchEngine((network or Tiny()).eval(), **defaults | settings)


def dark(count, *size, seed=1):
    return np.random.default_rng(seed).integers(0, 200, (count, *size, 3), np.uint8)


@pytest.mark.parametrize("tile", [0, 16])
def test_fp32_is_that_of_pytorch(tile):
    frames = dark(2, 40, 33)
    tiling = {"tile": tile, "overlap": 4}
    expected, found = (engine(name, **tiling)(frames).astype(int) for name in ("torch", "openvino"))
    assert np.abs(expected - found).max() <= 1
    assert expected.std() > 10


def test_fewer_bits_differ_a_little_and_exact_does_not():
    pictures = torch.from_numpy(dark(1, 24, 24)).permute(0, 3, 1, 2) / 255
    network = Tiny().eval()
    with torch.inference_mode():
        expected = network(pictures)
    by_openvino = OpenVinoNetwork(network, "bf16")
    level = logging.getLogger().level
    rounded, exact = by_openvino(pictures), by_openvino(pictures, exact=True)
    assert logging.getLogger().level == level
    assert (exact - expected).abs().max() < 1e-5
    assert 1e-5 < (rounded - expected).abs().max() < 0.02


def test_a_result_is_not_overwritten_by_the_next():
    by_openvino = OpenVinoNetwork(Tiny().eval(), "fp32")
    first = by_openvino(torch.zeros(1, 3, 8, 8))
    kept = first.clone()
    by_openvino(torch.full((1, 3, 8, 8), 0.5))
    assert torch.equal(first, kept)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_what_is_no_number_is_told_by_frame(poison):
    frames = dark(3, 16, 16)
    frames[1, 0, 0] = 255
    with pytest.raises(FloatingPointError) as caught:
        engine("openvino", Tiny(poison))(frames)
    assert caught.value.args == ([1],)


def test_auto_takes_it():
    assert engine("auto").openvino and not engine("torch").openvino


def test_what_it_does_not_know_is_an_error_that_says_what_to_do():
    class Odd(nn.Module):
        def forward(self, pictures):
            return torch.linalg.svd(pictures)[0]

    with pytest.raises(RestorationError, match="OpenVINO cannot run Odd; use engine: torch"):
        OpenVinoNetwork(Odd(), "fp32")(torch.rand(1, 3, 8, 8))
