"""Microsoft's own code against ours, on weights by a formula. It is no package: `OLD_PHOTOS` names a checkout of
github.com/microsoft/Bringing-Old-Photos-Back-to-Life.

`pytest tests/parity/test_old_photos.py --basetemp FOLDER` leaves what it answered in FOLDER/*/old_photos.json.
"""

import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torchvision.transforms.functional import to_tensor

import old_photos as cases
from restoration.models import old_photos, scratch_finder, spade
from restoration.stages.retouch import Retoucher

OPTIONS = SimpleNamespace(
    mc=64, start_r=1, spatio_size=64, feat_dim=-1, use_segmentation_model=False, mapping_net_dilation=1, NL_res=True,
    NL_fusion_method="combine", correlation_renormalize=True, softmax_temperature=1.0, use_self=False,
    cosin_similarity=False, mapping_exp=1,
)  # fmt: skip
"""Global/options/base_options.py, with what Global/test.py sets."""
FACES = SimpleNamespace(
    ngf=64, use_vae=False, no_parsing_map=True, injection_layer="all", num_upsampling_layers="normal",
    norm_G="spectralspadesyncbatch3x3", semantic_nc=18, load_size=cases.FACE, aspect_ratio=1.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def checkout():
    if not (found := os.environ.get("OLD_PHOTOS")):
        pytest.skip("OLD_PHOTOS names no checkout of the original")
    return Path(found)


@pytest.fixture
def shims(checkout, monkeypatch):
    """Packages of the two halves share names, and some are not here."""

    def give(half, **missing):
        monkeypatch.syspath_prepend(checkout / half)
        for name in [name for name in sys.modules if name.partition(".")[0] in ("models", "util", "options")]:
            monkeypatch.delitem(sys.modules, name)
        for name, content in missing.items():
            module = ModuleType(name.replace("__", "."))
            module.__dict__.update(content)
            monkeypatch.setitem(sys.modules, module.__name__, module)

    return give


@pytest.fixture
def originals(shims, checkout):
    """The networks of Global, and the functions of its scripts."""
    shims("Global", detection_models__sync_batchnorm={"DataParallelWithCallback": lambda network: network})
    from detection_models.networks import UNet
    from models import networks
    from models.mapping_model import Mapping_Model
    from models.NonLocal_feature_mapping_model import Mapping_Model_with_mask, Mapping_Model_with_mask_2

    norm = networks.get_norm_layer("instance")
    made = {
        "autoencoder": networks.GlobalGenerator_DCDCv2(3, 3, 64, 4, 3, norm, opt=OPTIONS),
        "finder": UNet(1, 1, depth=4, wf=6, sync_bn=False),
        "quality": Mapping_Model(64, 512, n_blocks=6, opt=OPTIONS),
        "scratches": Mapping_Model_with_mask(64, 512, n_blocks=6, opt=OPTIONS),
        "large": Mapping_Model_with_mask_2(64, 512, n_blocks=6, opt=OPTIONS),
    }
    for name, network in made.items():
        network.load_state_dict(cases.state(name), strict=True)
    test = (checkout / "Global/test.py").read_text().partition("if __name__")[0]
    test = "\n".join(line for line in test.splitlines() if "options" not in line and "create_model" not in line)
    finding = (checkout / "Global/detection.py").read_text().partition("def blend_mask")[0]
    scripts: dict = {}
    exec(test + finding.replace("from detection_util.util import *", ""), scripts)
    return {name: network.eval() for name, network in made.items()} | {"scripts": scripts}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the original answered, written down in the end."""
    found: dict = {}
    yield found
    (tmp_path_factory.mktemp("golden") / "old_photos.json").write_text(json.dumps(found, indent=0) + "\n")


@torch.no_grad()
def test_parts(originals, answers):
    autoencoder = originals["autoencoder"]
    ours = old_photos.autoencoder_from_state(cases.state("autoencoder"))
    features = autoencoder(cases.shown(48, 64), "enc")
    pairs = {
        "encoder": (features, ours.encoder(cases.shown(48, 64))),
        "decoder": (autoencoder(features, "dec"), ours.decoder(features)),
    }
    for name in cases.MAPPINGS:
        size, network = cases.SIZES[name], originals[name]
        features, mask = autoencoder(cases.shown(*size), "enc"), [cases.mask(*size)] * (name != "quality")
        call = network.inference_forward if name == "large" else network
        theirs = call(features, *(one.clone() for one in mask))
        pairs[name] = theirs, old_photos.mapping_from_state(cases.state(name))(features, *mask)
    gray = cases.shown(60, 100, 1)
    for name, short_side in {"finder as usual": 256, "finder": cases.SHORT_SIDE}.items():
        seen = torch.sigmoid(originals["finder"](originals["scripts"]["scale_tensor"](gray, short_side)))
        ours = scratch_finder.from_state(cases.state("finder"), short_side)(gray)
        pairs[name] = functional.interpolate(seen, gray.shape[2:], mode="nearest"), ours
    for name, (theirs, mine) in pairs.items():
        answers[name] = cases.sampled(theirs)
        assert float((theirs - mine).abs().max()) == 0, name


@torch.no_grad()
@pytest.mark.parametrize("name", cases.MAPPINGS)
def test_the_whole_way(originals, answers, tmp_path, name):
    scripts, autoencoder = originals["scripts"], originals["autoencoder"]
    frame, masks, network = cases.frame(), [], originals[name]
    image = Image.fromarray(frame)
    if name != "quality":
        seen = originals["finder"](
            scripts["scale_tensor"](to_tensor(image.convert("L"))[None] * 2 - 1, cases.SHORT_SIDE)
        )
        found = functional.interpolate(torch.sigmoid(seen), frame.shape[:2], mode="nearest") >= cases.MIN_SCORE
        painted = np.repeat(found[0, 0].numpy().astype(np.uint8)[..., None] * 255, 3, axis=2)
        if name == "large":
            painted = cv2.dilate(painted, np.ones((3, 3), np.uint8), iterations=3)
            network = network.inference_forward
        masks = [to_tensor(painted)[:1][None]]
        image = scripts["irregular_hole_synthesize"](image, painted)
    theirs = autoencoder(network(autoencoder(to_tensor(image)[None] * 2 - 1, "enc"), *masks), "dec")
    theirs = ((theirs[0].permute(1, 2, 0).numpy() + 1) / 2 * 255).clip(0, 255)
    answers[f"flow {name}"] = cases.sampled(theirs)
    halves = [cases.converted(tmp_path, "autoencoder")] * 2
    finder = [cases.converted(tmp_path, "finder")] * (name != "quality")
    options = {"min_score": cases.MIN_SCORE, "detect_at": cases.SHORT_SIDE}
    stage = Retoucher(cases.converted(tmp_path, name), *halves, *finder, **options)
    ours = stage.process(frame[None])[0]
    if name != "quality":
        np.testing.assert_array_equal(ours[..., 3], painted[..., 0])
        assert 0.02 < (ours[..., 3] > 0).mean() < 0.5
    assert np.abs(ours[..., :3] - theirs).max() < 0.51  # ours is rounded


@torch.no_grad()
def test_faces(shims, checkout, answers):
    class SynchronizedBatchNorm2d(nn.BatchNorm2d):
        pass

    shims(
        "Face_Enhancement",
        # Their own `__init__` imports more than is here.
        models={"__path__": [str(checkout / "Face_Enhancement/models")]},
        models__networks={"__path__": [str(checkout / "Face_Enhancement/models/networks")]},
        models__networks__sync_batchnorm={"SynchronizedBatchNorm2d": SynchronizedBatchNorm2d},
    )
    from models.networks.generator import SPADEGenerator

    network = SPADEGenerator(FACES).eval()
    network.load_state_dict(cases.state("faces"), strict=True)
    face = cases.shown(cases.FACE, cases.FACE)
    theirs = network(torch.zeros(1, 18, cases.FACE, cases.FACE), face)
    answers["faces"] = cases.sampled(theirs)
    edge = {spade.EDGE: torch.tensor(cases.FACE)}
    (ours,) = spade.from_state(cases.state("faces") | edge)(face)
    assert float((theirs - ours).abs().max()) < 1e-6
