"""Networks in files for OpenVINO: those that take any size, proved before they are used."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from restoration.engines.openvino_model import read_model, write_model, write_quantized
from restoration.engines.openvino_network import OpenVinoNetwork
from restoration.errors import RestorationError

ABOUT = {"scale": 2, "multiple": 1, "minimum": 1, "step": 1}
SHA256 = "a" * 64


class Doubling(nn.Module):
    """Enlarges, and sharpens a little."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.convolution = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, pictures):
        return functional.interpolate(pictures + 0.1 * self.convolution(pictures), scale_factor=2)


class OfOneSize(nn.Module):
    """Behaves by the size that it was followed with."""

    def forward(self, pictures):
        return pictures if pictures.shape[2] % 2 else 1 - pictures


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "network.openvino"
    write_model(Doubling().eval(), path, SHA256, **ABOUT)
    return path


@pytest.mark.parametrize("size", [(1, 1), (7, 90), (64, 64)])
def test_any_size_is_as_by_pytorch(file, size):
    model_of, about = read_model(file, SHA256)
    assert about == ABOUT
    values = np.random.default_rng(0).random((2, *size, 3), np.float32)
    found = OpenVinoNetwork(model_of, precision="fp32").values(values, exact=False)
    with torch.inference_mode():
        expected = Doubling().eval()(torch.from_numpy(values).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    assert found.shape == (2, size[0] * 2, size[1] * 2, 3)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_network_that_is_another_for_other_sizes_is_not_kept(tmp_path, caplog):
    path = tmp_path / "network.openvino"
    write_model(OfOneSize(), path, SHA256, **ABOUT)
    assert read_model(path, SHA256) is None
    assert "jobs will turn this network into OpenVINO's by themselves" in caplog.text


def test_no_file_is_no_model(tmp_path):
    assert read_model(tmp_path / "network.openvino", SHA256) is None


@pytest.mark.parametrize("place", [0, 200, -1])
def test_every_damage_is_found(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(RestorationError, match=r"network.openvino is damaged.*Delete the file"):
        read_model(file, SHA256)


def test_that_of_other_weights_is_refused(file):
    with pytest.raises(RestorationError, match="of other weights"):
        read_model(file, "b" * 64)


def test_in_eight_bits_it_is_about_the_same_and_exact_when_asked(file, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 40, 48, 3), np.uint8)
    target = tmp_path / "draft.openvino"
    write_quantized(file, SHA256, pictures, target)
    (exact, about), (draft, same) = read_model(file, SHA256), read_model(target, SHA256)
    assert about == same == ABOUT
    network = OpenVinoNetwork(exact, precision="int8", quantized=draft)
    true = OpenVinoNetwork(exact, precision="fp32").pictures(pictures[:, :30], exact=False)
    np.testing.assert_array_equal(network.pictures(pictures[:, :30], exact=True), true)
    error = np.abs(network.pictures(pictures[:, :30], exact=False).astype(int) - true)
    assert 0 < error.mean() < 2


def test_what_is_no_model_cannot_be_in_eight_bits(tmp_path):
    path = tmp_path / "network.openvino"
    write_model(OfOneSize(), path, SHA256, **ABOUT)
    with pytest.raises(RestorationError, match="is no network that takes any size; use fp32 or bf16"):
        write_quantized(path, SHA256, np.zeros((1, 40, 48, 3), np.uint8), tmp_path / "draft.openvino")


def test_who_uses_it_does_not_wait_for_pytorch(file):
    job = f"""
import sys
from pathlib import Path
import numpy as np
from restoration.engines.engine import use
from restoration.stages.upscale import Upscaler

use(1, "auto")
stage = Upscaler(Path({str(file.with_suffix(".safetensors"))!r}), {SHA256!r}, outscale=2)
print(stage.process(np.zeros((1, 20, 30, 3), np.uint8)).shape, "torch" in sys.modules)
"""
    source = str(Path(__file__).parents[3] / "src")
    run = subprocess.run(
        [sys.executable, "-c", job], env={"PYTHONPATH": source}, check=True, capture_output=True, text=True
    )
    assert run.stdout == "(1, 40, 60, 3) False\n"
