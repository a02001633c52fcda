"""The original packages, which no longer import by themselves, and their networks: what tests and benchmarks hold ours
against.
"""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import SkipTest
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import resnet34, resnet101

VERSIONS = {"basicsr": "1.4.2", "deoldify": "0.0.1", "facexlib": "0.3.0", "gfpgan": "1.3.8", "realesrgan": "0.3.0"}
INSTALL = "pip install --no-deps --no-build-isolation -r requirements-parity.txt"
UNUSED = ("matplotlib", *(f"matplotlib.{part}" for part in ("pyplot", "patches", "patheffects", "image", "cm", "axes")))
DEOLDIFY = {"deep": (resnet34, 1.5), "wide": (resnet101, 2)}
"""Encoder, and how much wider than usual the decoder is."""


class MissingError(SkipTest):
    """An original package is not installed, or another version of it; says how to install it. pytest skips the test."""


def require(*names: str) -> None:
    """Raise MissingError where one of these packages is not there."""
    for name in names:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "none"
        if found != VERSIONS[name]:
            raise MissingError(f"{name} {VERSIONS[name]} is needed, found {found}: {INSTALL}")


def realesrgan() -> ModuleType:
    """The module of that name, with basicsr importable."""
    require("basicsr", "realesrgan")
    # torchvision 0.17 removed the module from which basicsr takes one function.
    from torchvision.transforms.functional import rgb_to_grayscale

    shim = ModuleType("torchvision.transforms.functional_tensor")
    shim.rgb_to_grayscale = rgb_to_grayscale  # type: ignore[attr-defined]
    sys.modules.setdefault(shim.__name__, shim)
    import realesrgan

    return realesrgan


def super_resolution(architecture: Mapping[str, Any]) -> nn.Module:
    """The original network of a registry's entry, without its weights."""
    realesrgan()
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    arguments = {key: value for key, value in architecture.items() if key != "name"}
    return SRVGGNetCompact(**arguments) if "upscale" in arguments else RRDBNet(num_in_ch=3, num_out_ch=3, **arguments)


def upsampler(scale: int, official: Path, network: nn.Module, **options: int) -> Any:
    """RealESRGANer as its scripts use it on a CPU, with the weights in the file *official*."""
    # pre_pad=0 is the default of their command line, which the class does not share.
    options = {"pre_pad": 0} | options
    return realesrgan().RealESRGANer(scale, str(official), model=network, half=False, device="cpu", **options)


def deoldify(kind: str) -> SimpleNamespace:
    """DeOldify's `learner` of a *kind*, deep or wide, with seeded weights, and its `filter`."""
    require("deoldify")
    # What these import and never use here is not installed.
    for name in UNUSED:
        sys.modules.setdefault(name, MagicMock(__spec__=ModuleSpec(name, None), __path__=[]))
    sys.modules.setdefault("pkg_resources", SimpleNamespace(require=lambda name: None))  # type: ignore[arg-type]
    from deoldify import filters, generators
    from fastai.layers import NormType

    # It writes into the folder that it is called in.
    here = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("dummy").mkdir()
            data = generators.get_dummy_databunch()
        finally:
            os.chdir(here)
    options = {"pretrained": False, "wd": 1e-3, "blur": True, "norm_type": NormType.Spectral, "self_attention": True}
    options |= {"y_range": (-3.0, 3.0), "loss_func": functional.l1_loss}
    arch, nf_factor = DEOLDIFY[kind]
    make = getattr(generators, f"unet_learner_{kind}")
    learner = make(data, arch=arch, nf_factor=nf_factor, **options)
    with torch.no_grad():
        _seed(learner.model)
    return SimpleNamespace(learner=learner, filter=filters.ColorizerFilter)


def save_by_fastai(learner: Any, path: Path) -> None:
    """As fastai's `learn.save` writes it: with the optimizer's state, in the old format of the official files."""
    saved = {"model": learner.model.state_dict(), "opt": {"slice": slice(0, 3), "function": partial(print, 1)}}
    torch.save(saved, path, _use_new_zipfile_serialization=False)


def _seed(network: nn.Module) -> None:
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
    network.eval()


def gfpgan() -> nn.Module:
    """GFPGAN's network with seeded weights."""
    realesrgan()
    require("gfpgan", "facexlib")
    from gfpgan.archs.gfpganv1_clean_arch import GFPGANv1Clean

    torch.manual_seed(2)
    network: nn.Module = GFPGANv1Clean(
        out_size=512, num_style_feat=512, channel_multiplier=2, decoder_load_path=None, fix_decoder=False, num_mlp=8,
        input_is_latent=True, different_w=True, narrow=1, sft_half=True,
    ).eval()  # fmt: skip
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            # How much of the stored noise counts: nothing in a new network, something in a trained one.
            if name.startswith("stylegan_decoder") and parameter.numel() == 1:
                parameter.fill_(0.3)
    return network


def parsenet() -> nn.Module:
    """ParseNet with seeded weights."""
    require("facexlib")
    from facexlib.parsing.parsenet import ParseNet

    network: nn.Module = ParseNet(in_size=512, out_size=512, parsing_ch=19).eval()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
    return network


def face_restorer(network: nn.Module, parser: nn.Module, template: np.ndarray[Any, Any], scale: int) -> Any:
    """GFPGANer with these networks, told where faces are by its `face_helper`, without what it would download."""
    from facexlib.utils.face_restoration_helper import FaceRestoreHelper
    from gfpgan import GFPGANer

    helper = FaceRestoreHelper.__new__(FaceRestoreHelper)
    helper.__dict__ |= {
        "upscale_factor": scale, "face_size": (512, 512), "face_template": template.copy(), "save_ext": "png",
        "use_parse": True, "pad_blur": False, "template_3points": False, "device": torch.device("cpu"),
        "face_parse": parser,
    }  # fmt: skip
    helper.clean_all()
    restorer = GFPGANer.__new__(GFPGANer)
    restorer.upscale, restorer.bg_upsampler, restorer.device = scale, None, torch.device("cpu")
    restorer.face_helper = helper
    # The original draws noise at each call; the stored one is what is compared.
    restorer.gfpgan = lambda face, return_rgb, weight: network(face, return_rgb=False, randomize_noise=False)
    return restorer


def ncnn_network(weights: Path, threads: int, *, bf16: bool = False) -> Callable[[np.ndarray[Any, Any]], Any]:
    """By the ncnn runtime: the network in *weights* (.bin, its .param beside it), from pictures in [0, 1], float32
    (h, w, 3), to the same."""
    try:
        import ncnn
    except ImportError as error:
        raise MissingError("ncnn is not installed: it comes with the extra `dev`") from error
    net = ncnn.Net()
    # What it computes by default where the processor can, at half precision.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage, net.opt.num_threads = bf16, threads
    if net.load_param(str(weights.with_suffix(".param"))) or net.load_model(str(weights)):
        raise ValueError(f"ncnn cannot load {weights}")

    def run(picture: np.ndarray[Any, Any]) -> Any:
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1))  # of a name, because a Mat only points to it
        extractor = net.create_extractor()
        extractor.input(net.input_names()[0], ncnn.Mat(planes))
        code, result = extractor.extract(net.output_names()[0])
        if code:
            raise MemoryError(f"ncnn gave up with code {code}")
        return np.array(result).transpose(1, 2, 0)

    return run
