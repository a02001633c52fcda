"""DeOldify's networks and its filter against the package `deoldify`, on seeded weights in the official file layout."""

import numpy as np
import pytest
import torch
from PIL import Image

import originals
from media_factory import pictures
from restoration.models import deoldify
from restoration.models.convert import convert
from restoration.models.load import load_colorizer
from restoration.models.registry import Model
from restoration.stages.colorize import Colorizer

SHA256 = "0" * 64


@pytest.mark.parametrize("kind", ["deep", "wide"])
def test_network_and_filter_are_the_original_ones(tmp_path, kind):
    oracle = originals.deoldify(kind)
    learner = oracle.learner
    checkpoint, weights = tmp_path / "a.pth", tmp_path / "a.safetensors"
    originals.save_by_fastai(learner, checkpoint)
    convert(checkpoint, Model("a", "colorize", 1, "MIT", "fastai", SHA256, ()), weights)

    ours = load_colorizer(weights, SHA256)
    assert isinstance(ours, deoldify.DeOldify)
    for size in ((96, 96), (80, 112)):
        gray = torch.randn(1, 3, *size)
        with torch.inference_mode():
            expected = learner.model(gray)
            assert expected.std() > 0.1
            assert (ours(gray) - expected).abs().max() <= 1e-4

    frame = pictures(1, 90, 70)[0]
    image = Image.fromarray(frame)
    for render_factor in (5, 7):
        stage = Colorizer({weights: SHA256}, render_factor=render_factor, in_gamut=False)
        # Filters cut off to whole numbers, so both must have one network, to its last digit.
        learner.model = stage.painters[0].engine.network.network.network
        expected = np.asarray(oracle.filter(learn=learner).filter(image, image, render_factor=render_factor))
        assert np.abs(expected.astype(int) - frame).max() > 10
        np.testing.assert_array_equal(stage.process(frame[None])[0], expected)
