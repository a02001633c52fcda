"""Real weights on the bundled clip: the network beats bicubic enlargement by far, on every sampled frame."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.registry import load_registry
from restoration.stages.upscale import Upscaler

REPOSITORY = Path(__file__).parents[2]
MODEL = "realesr-animevideov3-fp16"
EVERY = 12
BT709 = np.array([0.2126, 0.7152, 0.0722])


def decode(name):
    with av.open(REPOSITORY / "demo" / name) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][::EVERY])


def luma(frames):
    """BT.709 luma of RGB, 0 to 255."""
    return frames @ BT709


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    model = load_registry(REPOSITORY / "config" / "models.yaml")[MODEL]
    convert(fetch(model, folder), model, folder / "converted.safetensors")
    return Upscaler(folder / "converted.safetensors", model.sha256, outscale=2)


def test_network_beats_bicubic(upscaler):
    degraded, clean = decode("kinescope.mp4"), luma(decode("kinescope_clean.mp4"))
    size = clean.shape[2], clean.shape[1]
    bicubic = luma(np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in degraded]))
    network = luma(np.concatenate([upscaler.process(degraded[i : i + 1]) for i in range(len(degraded))]))
    assert network.shape == bicubic.shape == clean.shape == (8, 480, 640)
    for measure, margin in ((peak_signal_noise_ratio, 0.5), (structural_similarity, 0.03)):
        gains = [
            measure(truth, ours, data_range=255) - measure(truth, theirs, data_range=255)
            for truth, ours, theirs in zip(clean, network, bicubic, strict=True)
        ]
        assert min(gains) >= margin, f"{measure.__name__}: {np.round(gains, 3)}"
