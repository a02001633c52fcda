"""What tiles, batches and precision may change in a picture, and frames of odd sizes, for every family of networks.

The bounds are those of docs/upscaling.md. Weights are the real ones where a package brings them.
"""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from spandrel.architectures.ESRGAN import ESRGAN
from torch import nn

from restoration.engines.torch_network import WITHOUT_BF16
from restoration.models.convert import convert, official_name
from restoration.models.fetch import fetch
from restoration.models.registry import load_registry, own_model
from restoration.models.waifu2x import VGG7
from restoration.stages.upscale import Upscaler

REGISTRY = load_registry(Path(__file__).parents[3] / "config/models.yaml")
PHOTO = skimage.data.astronaut()
REAL = {
    "realesr-animevideov3-fp16": 1,
    "RealESRGAN_x4plus_anime_6B-fp16": 1,
    "waifu2x-upconv7-photo-2x-noise3-fp16": 1,
    # These average over what they see, and see less of it in a tile.
    "waifu2x-cunet-art-1x-noise1-fp16": 4,
    "waifu2x-cunet-art-2x-noisenone-fp16": 4,
    "realcugan-se-2x-conservative-fp16": 8,
    "realcugan-se-3x-conservative-fp16": 8,
    "realcugan-se-4x-conservative-fp16": 8,
    "realcugan-pro-3x-noise3-fp16": 12,
}
"""How far tiles may be from the whole, in steps of 255."""
SEEDED = {
    "RRDBNet 4x": lambda: ESRGAN(num_blocks=1, num_filters=8, scale=4),
    "RRDBNet 2x": lambda: ESRGAN(num_blocks=1, num_filters=8, in_nc=12, scale=4, shuffle_factor=2),
    "VGG7": VGG7,
}
FAMILIES = {**REAL, **dict.fromkeys(SEEDED, 1)}
LARGE = "RealESRGAN_x4plus_anime_6B-fp16"
"""Its seeded siblings have sizes tried on them."""


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory):
    """Call `upscaler(name, **options)` for the stage with that network at its own scale."""
    folder, models = tmp_path_factory.mktemp("bounds"), {}

    def made(name, **options):
        target = folder / f"{name}.safetensors"
        if name not in models:
            models[name] = REGISTRY[name] if name in REAL else seeded(name, folder / f"{name}.pth")
            convert(fetch(models[name], folder), models[name], target)
        return Upscaler(target, models[name].sha256, outscale=models[name].scale, **options)

    return made


def seeded(name, path):
    """The entry of a file with seeded weights, the last of which give a picture of middling brightness and contrast."""
    torch.manual_seed(1)
    network, outputs = SEEDED[name](), []
    last = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    last.register_forward_hook(lambda *call: outputs.append(call[-1]))
    with torch.inference_mode():
        network(torch.from_numpy(PHOTO[:64, 170:234] / np.float32(255)).permute(2, 0, 1)[None])
    gain = 0.2 / outputs[0].std()
    last.bias.data = (last.bias.data - outputs[0].mean()) * gain + 0.5
    last.weight.data *= gain
    rename = official_name if isinstance(network, ESRGAN) else str
    torch.save({rename(key): tensor for key, tensor in network.state_dict().items()}, path)
    scale = {"RRDBNet 4x": 4, "RRDBNet 2x": 2, "VGG7": 1}[name]
    return own_model("upscale", str(path), hashlib.sha256(path.read_bytes()).hexdigest(), scale)


def apart(one, other):
    """How far two results are apart, in steps of 255."""
    assert one.std() > 20, "a flat picture proves nothing"
    return np.abs(one.astype(int) - other)


@pytest.mark.parametrize("name", FAMILIES)
def test_tiles_of_the_default_overlap(upscaler, name):
    wide = PHOTO[None, 20:36, 100:340]  # more than a tile with its overlap on both sides
    whole, tiled = (upscaler(name, tile=tile).process(wide) for tile in (0, 80))
    assert apart(whole, tiled).max() <= FAMILIES[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_batches(upscaler, name):
    frames = np.stack([PHOTO[top : top + 24, 180:212] for top in (20, 100, 200)])
    stage = upscaler(name)
    assert apart(stage.process(frames), np.concatenate([stage.process(frame[None]) for frame in frames])).max() <= 1


@pytest.mark.skipif(torch.backends.cpu.get_cpu_capability() in WITHOUT_BF16, reason="takes ages here, and is not used")
@pytest.mark.parametrize("name", FAMILIES)
def test_bf16(upscaler, name):
    frame = PHOTO[None, 100:148, 200:248]
    exact, quick = (upscaler(name, precision=precision).process(frame) for precision in ("fp32", "bf16"))
    error = np.square(apart(exact, quick)).mean()
    assert error > 0
    assert 10 * np.log10(255**2 / error) >= 42


SIZES = [(name, size) for name in FAMILIES for size in ((1, 1), (17, 13), (16, 4096)) if name != LARGE]
SLOW = [(name, (16, 4096)) for name in REAL if name.startswith(("realcugan-se-3x", "realcugan-se-4x", "realcugan-pro"))]
"""Seconds each, for what the network of scale 2 shows already."""


@pytest.mark.parametrize(("name", "size"), [case for case in SIZES if case not in SLOW], ids=str)
def test_odd_sizes(upscaler, name, size):
    stage = upscaler(name, tile=512)
    result = stage.process(np.full((1, *size, 3), 100, np.uint8))
    assert result.shape == (1, size[0] * stage.engine.scale, size[1] * stage.engine.scale, 3)
    if name in REAL:
        assert np.abs(result.astype(int) - 100).max() <= 10
