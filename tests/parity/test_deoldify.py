"""DeOldify's networks and its filter against the package `deoldify`, on seeded weights in the official file layout."""

import sys
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional
from torchvision.models import resnet34, resnet101

from media_factory import pictures
from restoration.models import deoldify
from restoration.models.convert import convert
from restoration.models.load import load_colorizer
from restoration.models.registry import Model
from restoration.stages.colorize import Colorizer

SHA256 = "0" * 64
UNUSED = ("matplotlib", *(f"matplotlib.{part}" for part in ("pyplot", "patches", "patheffects", "image", "cm", "axes")))


@pytest.fixture(scope="module")
def oracle(tmp_path_factory):
    """The original modules; what they import and never use here is not installed."""
    try:
        assert version("deoldify") == "0.0.1"
    except PackageNotFoundError:
        pytest.skip("the oracle deoldify 0.0.1 is not installed: see requirements-parity.txt")
    for name in UNUSED:
        sys.modules.setdefault(name, MagicMock(__spec__=ModuleSpec(name, None), __path__=[]))
    sys.modules.setdefault("pkg_resources", SimpleNamespace(require=lambda name: None))
    from deoldify import filters, generators
    from fastai.layers import NormType

    folder = tmp_path_factory.mktemp("deoldify")
    (folder / "dummy").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        data = generators.get_dummy_databunch()
    options = {"pretrained": False, "wd": 1e-3, "blur": True, "norm_type": NormType.Spectral, "self_attention": True}
    options |= {"y_range": (-3.0, 3.0), "loss_func": functional.l1_loss}
    learners = {
        "deep": partial(generators.unet_learner_deep, data, arch=resnet34, nf_factor=1.5, **options),
        "wide": partial(generators.unet_learner_wide, data, arch=resnet101, nf_factor=2, **options),
    }
    return SimpleNamespace(learners=learners, filter=filters.ColorizerFilter)


def seeded(network):
    """Weights as training might leave them: spectral norms found, attention used, statistics of batches."""
    torch.manual_seed(7)
    state = network.state_dict()
    for name, tensor in state.items():
        if name.endswith("weight_orig"):
            stem, matrix = name.removesuffix("_orig"), tensor.flatten(1)
            left, right = state[f"{stem}_u"], state[f"{stem}_v"]
            for _ in range(3):
                right.copy_(functional.normalize(matrix.T @ left, dim=0))
                left.copy_(functional.normalize(matrix @ right, dim=0))
        elif name.endswith("gamma"):
            tensor.fill_(0.3)
        elif name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("kind", ["deep", "wide"])
def test_network_and_filter_are_the_original_ones(oracle, tmp_path, kind):
    learner = oracle.learners[kind]()
    with torch.no_grad():
        seeded(learner.model)
    checkpoint, weights = tmp_path / "a.pth", tmp_path / "a.safetensors"
    # As fastai's `learn.save` writes it: with the optimizer's state, in the old format of the official files.
    saved = {"model": learner.model.state_dict(), "opt": {"slice": slice(0, 3), "function": partial(print, 1)}}
    torch.save(saved, checkpoint, _use_new_zipfile_serialization=False)
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
        expected = np.asarray(oracle.filter(learn=learner).filter(image, image, render_factor=render_factor))
        assert np.abs(expected.astype(int) - frame).max() > 10
        stage = Colorizer({weights: SHA256}, render_factor=render_factor, in_gamut=False)
        np.testing.assert_array_equal(stage.process(frame[None])[0], expected)
