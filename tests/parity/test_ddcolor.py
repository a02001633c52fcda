"""DDColor's pipeline, step by step as its authors' `colorization_pipeline.py` describes it, on seeded weights.

The package is on no index, and the network itself is spandrel's: what is compared is everything around it.
"""

import cv2
import numpy as np
import pytest
import torch
from spandrel_extra_arches.architectures.DDColor import DDColor
from torch.nn import functional

from media_factory import pictures
from restoration.models.convert import convert
from restoration.models.load import load_colorizer
from restoration.models.registry import Model
from restoration.stages.chroma import with_chroma
from restoration.stages.colorize import Colorizer

SHA256 = "0" * 64


@pytest.fixture(scope="module")
def official():
    """The tiny model as training might leave it: spectral norms found, answers in the range of colours."""
    torch.manual_seed(3)
    network = DDColor(
        encoder_name="convnext-t", input_size=(512, 512), num_output_channels=2, last_norm="Spectral", num_queries=100
    )
    shown = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        for _ in range(3):
            network.train()(shown)
        last = network.decoder.color_decoder.color_embed.layers[-1]
        for parameter in (last.weight, last.bias):
            parameter.mul_(15 / network.eval()(shown).std())
    return network


@pytest.fixture(scope="module")
def weights(official, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ddcolor")
    state = official.state_dict() | {"encoder.arch.head_cls.weight": torch.zeros(2, 768)}
    torch.save({"params": state}, folder / "a.pth")
    model = Model(
        id="a", task="colorize", scale=1, licence="MIT", format="pth", bytes=1, sha256=SHA256, sources=()
    )  # fmt: skip
    convert(folder / "a.pth", model, folder / "a.safetensors")
    return folder / "a.safetensors"


def pipeline(network, frame, mode):
    """The official steps; *mode* is how a and b come to the frame's size, `nearest` there."""
    picture = (frame / 255.0).astype(np.float32)
    lightness = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab)[:, :, :1]
    small = cv2.cvtColor(cv2.resize(picture, (512, 512)), cv2.COLOR_RGB2Lab)[:, :, :1]
    gray = cv2.cvtColor(np.concatenate([small, np.zeros((512, 512, 2), np.float32)], axis=-1), cv2.COLOR_Lab2RGB)
    with torch.inference_mode():
        answer = network(torch.from_numpy(gray.transpose(2, 0, 1))[None])
    answer = functional.interpolate(answer, size=frame.shape[:2], mode=mode)[0].numpy().transpose(1, 2, 0)
    coloured = cv2.cvtColor(np.concatenate([lightness, answer], axis=-1), cv2.COLOR_Lab2RGB)
    return (coloured * 255).round().astype(np.uint8)


@pytest.mark.parametrize(("size", "mode"), [((512, 512), "nearest"), ((300, 420), "bilinear")])
def test_pipeline_is_the_official_one(official, weights, size, mode):
    frame = pictures(1, size[1], size[0])[0] // 2 + 64
    expected = pipeline(official, frame, mode)
    assert np.abs(expected.astype(int) - frame).max() > 10
    (ours,) = Colorizer({weights: SHA256}, render_factor=1, in_gamut=False).process(frame[None])
    theirs = with_chroma(frame, cv2.cvtColor(expected, cv2.COLOR_RGB2YUV)[..., 1:], in_gamut=False)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_all_tensors_are_used_and_nothing_random_happens(official, weights):
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    network = load_colorizer(weights, SHA256)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not network.training
    for name, tensor in official.state_dict().items():
        assert torch.equal(network.state_dict()[f"network.{name}"], tensor), name
