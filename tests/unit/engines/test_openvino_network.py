"""OpenVINO gives PyTorch's numbers."""

import logging

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from restoration.engines import start as start_module
from restoration.engines.engine import Engine, use
from restoration.engines.openvino_model import followed
from restoration.engines.openvino_network import OpenVinoNetwork
from restoration.engines.start import start
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
    yield
    use(1)


def engine(name, network=None, *, precision="fp32", **settings):
    use(1, name)
    network = start(network or Tiny(), precision=precision, device="cpu")
    use(1)
    return Engine(network, **{"scale": 2} | settings)


def by_openvino(network, precision="fp32"):
    return OpenVinoNetwork(followed(network.eval(), "it"), precision=precision)


def dark(count, *size, seed=1):
    return np.random.default_rng(seed).integers(0, 200, (count, *size, 3), np.uint8)


@pytest.mark.parametrize("tile", [0, 16])
def test_fp32_is_that_of_pytorch(tile):
    frames = dark(2, 40, 33)
    tiling = {"tile": tile, "overlap": 4}
    expected, found = (engine(name, **tiling)(frames).astype(int) for name in ("torch", "openvino"))
    assert np.abs(expected - found).max() <= 1
    assert expected.std() > 10


def test_fewer_bits_differ_a_little_and_exact_does_not(caplog):
    values = dark(1, 24, 24).astype(np.float32) / 255
    network = Tiny().eval()
    with torch.inference_mode():
        expected = network(torch.from_numpy(values).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()
    level = logging.getLogger().level
    rounding = by_openvino(network, "bf16")
    rounded, exact = rounding.values(values, exact=False), rounding.values(values, exact=True)
    assert logging.getLogger().level == level
    assert np.abs(exact - expected).max() < 1e-5
    # Not every processor knows bf16.
    least = 0 if "does not know bf16" in caplog.text else 1e-5
    assert least <= np.abs(rounded - expected).max() < 0.02


def test_sixteen_bits_are_kept():
    deep = np.random.default_rng(0).integers(0, 65536, (2, 20, 24, 3)).astype(np.uint16)
    expected, found = (engine(name)(deep).astype(int) for name in ("torch", "openvino"))
    assert len(np.unique(found)) > 1000
    assert np.abs(found - expected).max() <= 2


def test_a_result_is_not_overwritten_by_the_next():
    network = by_openvino(Tiny())
    first = network.pictures(dark(1, 8, 8), exact=False)
    kept = first.copy()
    network.pictures(dark(1, 8, 8, seed=2), exact=False)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_what_is_no_number_is_told_by_frame(poison):
    frames = dark(3, 16, 16)
    frames[1, 0, 0] = 255
    with pytest.raises(FloatingPointError) as caught:
        engine("openvino", Tiny(poison))(frames)
    assert caught.value.args == ([1],)


@pytest.fixture
def worthwhile(monkeypatch):
    """Small networks are worth OpenVINO's while, too."""
    monkeypatch.setattr(start_module, "WORTHWHILE", 0)


@pytest.mark.parametrize(("name", "expected"), [("torch", False), ("auto", False), ("openvino", True)])
def test_small_networks_that_must_be_followed_are_left_to_pytorch(name, expected, caplog):
    caplog.set_level("INFO")
    engine(name)(dark(1, 8, 8))
    assert ("OpenVINO" in caplog.text) == expected


def test_auto_takes_it_for_others(worthwhile, caplog):
    caplog.set_level("INFO")
    engine("auto")(dark(1, 8, 8))
    assert "OpenVINO" in caplog.text


def test_fp16_is_refused():
    with pytest.raises(RestorationError, match=r"precision: fp16 needs a GPU.*bf16.*fp32"):
        engine("openvino", precision="fp16")


class Odd(nn.Module):
    """Of what OpenVINO does not know."""

    def forward(self, pictures):
        return torch.linalg.svd(pictures, full_matrices=False)[0].clamp(0, 1)


class Untraceable(nn.Module):
    """Of what PyTorch cannot follow."""

    def forward(self, pictures):
        return pictures * round(pictures.shape[2] / 3)


@pytest.mark.parametrize("network", [Odd(), Untraceable()])
def test_what_it_does_not_know_is_an_error_that_says_what_to_do(network):
    asked = engine("openvino", network, scale=1)
    use(1, "openvino")
    with pytest.raises(RestorationError, match=f"OpenVINO cannot run {type(network).__name__}; use engine: torch"):
        asked(dark(1, 8, 8))


@pytest.mark.parametrize("network", [Odd(), Untraceable()])
def test_auto_leaves_to_pytorch_what_it_does_not_know(worthwhile, network, caplog):
    free = engine("auto", network, scale=1)
    use(1, "auto")
    for number in range(2):
        frames = dark(1, 8, 8, seed=number)
        np.testing.assert_array_equal(free(frames), engine("torch", network, scale=1)(frames))
        use(1, "auto")
    assert caplog.text.count("PyTorch runs this network") == 1


def test_no_memory_is_a_memory_error(monkeypatch):
    network = by_openvino(Tiny())

    def failing(*_):
        raise RuntimeError("Exception from src/inference/src/cpp/core.cpp:109: std::bad_alloc")

    monkeypatch.setattr(network, "_compile", failing)
    with pytest.raises(MemoryError, match="bad_alloc"):
        network.pictures(dark(1, 8, 8), exact=False)
