"""Ours against RealESRGANer.enhance: same weights, same picture, at most one step of 255 apart."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import originals
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.registry import load_registry
from restoration.stages.upscale import Upscaler

REGISTRY = load_registry(Path(__file__).parents[2] / "config/models.yaml")
MODELS = ["realesr-animevideov3-fp16", "RealESRGAN_x4plus-fp16", "RealESRGAN_x4plus_anime_6B-fp16"]


class Network(NamedTuple):
    """Our safetensors file and its hash; the same weights in the official layout and the original architecture."""

    weights: Path
    sha256: str
    official: Path
    original: torch.nn.Module
    scale: int


@pytest.fixture(scope="module", params=MODELS)
def network(request, oracle, tmp_path_factory):
    model = REGISTRY[request.param]
    folder = tmp_path_factory.mktemp(model.id)
    weights = folder / "weights.safetensors"
    convert(fetch(model, folder), model, weights)
    torch.save({"params": load_file(weights)}, folder / "official.pth")
    return Network(
        weights, model.sha256, folder / "official.pth", originals.super_resolution(model.architecture), model.scale
    )


def picture(height: int, width: int) -> np.ndarray:
    """Detail, flat areas, saturated colours and noise: uint8 RGB (height, width, 3)."""
    random = np.random.default_rng(height * 1000 + width)
    rows, columns = np.mgrid[:height, :width]
    frame = np.stack([columns * 255 / width, rows * 255 / height, 128 + 100 * np.sin(rows * columns / 40)], axis=-1)
    frame[height // 3 : height // 2, : width // 2] = (255, 0, 40)
    frame[:, width // 2] = 0
    return np.clip(frame + random.normal(0, 8, frame.shape), 0, 255).astype(np.uint8)


def theirs(network: Network, frame: np.ndarray, outscale: float, **options: int) -> np.ndarray:
    upsampler = originals.upsampler(network.scale, network.official, network.original, **options)
    output, _ = upsampler.enhance(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), outscale=outscale)
    return cv2.cvtColor(output, cv2.COLOR_BGR2RGB)


def ours(network: Network, frame: np.ndarray, outscale: float, **options: int) -> np.ndarray:
    return Upscaler(network.weights, network.sha256, outscale=outscale, **options).process(frame[None])[0]


@pytest.mark.parametrize(("kind", "outscale"), [(np.uint16, 4), (np.uint8, 1.5)])
def test_sixteen_bits_and_alpha(network, kind, outscale):
    soft = cv2.GaussianBlur(picture(13, 16), (5, 5), 1.5)
    colours = picture(13, 16).astype(kind) * (np.iinfo(kind).max // 255)
    colours += np.random.default_rng(1).integers(0, np.iinfo(kind).max // 255, colours.shape).astype(kind)
    rgba = np.dstack([colours, soft[..., 0].astype(kind) * (np.iinfo(kind).max // 255)])
    upsampler = originals.upsampler(network.scale, network.official, network.original)
    expected, mode = upsampler.enhance(rgba[..., [2, 1, 0, 3]], outscale=outscale)
    assert (mode, expected.dtype) == ("RGBA", kind)
    result = ours(network, rgba, outscale)
    assert result.dtype == kind
    assert difference(result, expected[..., [2, 1, 0, 3]]) <= 1


def difference(a: np.ndarray, b: np.ndarray) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize(("size", "outscale"), [((27, 33), 4), ((27, 33), 2), ((24, 20), 1.5)])
def test_whole_frames(network, size, outscale):
    frame = picture(*size)
    expected = theirs(network, frame, outscale, tile=0)
    assert difference(ours(network, frame, outscale, tile=0), expected) <= 1


def test_tiles_with_the_same_context(network):
    """Only inner tiles: at the picture's border ours see more of it, and theirs (10 px of context) show their seams."""
    frame = picture(48, 64)
    expected = theirs(network, frame, 4, tile=16, tile_pad=10)
    inner = np.s_[16 * 4 : 32 * 4, 16 * 4 : 48 * 4]
    assert difference(ours(network, frame, 4, tile=16, overlap=10)[inner], expected[inner]) <= 1


def test_our_tiles_with_enough_overlap_equal_their_whole_frame(network):
    """An RRDBNet sees far: at 48 pixels of context two of 255 remain, where theirs leave up to 75 at a seam."""
    frame = picture(21, 261)
    expected = theirs(network, frame, 4, tile=0)
    assert difference(ours(network, frame, 4, tile=64, overlap=48), expected) <= 2


@pytest.mark.parametrize("size", [(27, 33), (26, 34), (25, 32)], ids=str)
def test_x2_networks_pad_as_theirs(oracle, size, tmp_path):
    """No wheel has x2plus, so seeded weights; the pixel-unshuffle at its start needs even sizes."""
    from basicsr.archs.rrdbnet_arch import RRDBNet

    torch.manual_seed(1)
    original = RRDBNet(num_in_ch=3, num_out_ch=3, scale=2, num_block=2)
    for parameter in original.parameters():
        parameter.data *= 4
    torch.save({"params_ema": original.state_dict()}, tmp_path / "official.pth")
    model = replace(REGISTRY["RealESRGAN_x2plus"], id="seeded")
    convert(tmp_path / "official.pth", model, tmp_path / "weights.safetensors")
    network = Network(tmp_path / "weights.safetensors", model.sha256, tmp_path / "official.pth", original, 2)
    expected = theirs(network, picture(*size), 2, tile=0)
    assert expected.std() > 20, "a flat picture proves nothing"
    assert difference(ours(network, picture(*size), 2, tile=0), expected) <= 1


@pytest.mark.parametrize("strength", [0.5, 0.2])
def test_denoise_strength_and_padding_as_theirs(oracle, strength, tmp_path):
    """realesr-general-x4v3 and its sibling, of which no wheel has the weights: seeded ones in their layout."""
    from realesrgan.archs.srvgg_arch import SRVGGNetCompact

    weights = {}
    for seed, name in enumerate(("realesr-general-x4v3", "realesr-general-wdn-x4v3")):
        torch.manual_seed(seed)
        original = SRVGGNetCompact(num_feat=64, num_conv=32, upscale=4, act_type="prelu")
        for parameter in original.parameters():
            parameter.data *= 1.5
        torch.save({"params": original.state_dict()}, tmp_path / f"{name}.pth")
        convert(tmp_path / f"{name}.pth", REGISTRY[name], tmp_path / f"{name}.safetensors")
        weights[name] = tmp_path / f"{name}.safetensors", REGISTRY[name].sha256
    upsampler = oracle.RealESRGANer(
        4, [str(tmp_path / f"{name}.pth") for name in weights], dni_weight=[strength, 1 - strength], model=original,
        pre_pad=10, half=False, device="cpu", tile=0,
    )  # fmt: skip
    frame = picture(25, 33)
    expected = cv2.cvtColor(upsampler.enhance(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[0], cv2.COLOR_BGR2RGB)
    assert expected.std() > 20, "a flat picture proves nothing"
    general, weak = weights.values()
    ours = Upscaler(*general, weak_denoise=weak, denoise_strength=strength, outscale=4, pre_pad=10).process(frame[None])
    assert difference(ours[0], expected) <= 1
