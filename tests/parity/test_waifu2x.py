"""waifu2x and Real-CUGAN against the ncnn runtime: the same files, a photograph, the padding of the original programs.

Measured over all cases: at most 1 of 255, 0.0002 on average (ties in rounding).
"""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

import originals
from restoration.models.convert import convert
from restoration.models.fetch import fetch
from restoration.models.registry import Model, load_registry
from restoration.stages.upscale import Upscaler

REGISTRY = load_registry(Path(__file__).parents[2] / "config/models.yaml")
REPEATED, MIRRORED = "edge", "reflect"
PADDING = {
    "waifu2x-upconv7-art-2x-noisenone-fp16": (7, 1, REPEATED),
    "waifu2x-upconv7-photo-2x-noise3-fp16": (7, 1, REPEATED),
    "waifu2x-cunet-art-2x-noisenone-fp16": (18, 2, REPEATED),
    "waifu2x-cunet-art-2x-noise3-fp16": (18, 2, REPEATED),
    "waifu2x-cunet-art-1x-noise1-fp16": (28, 4, REPEATED),
    "realcugan-se-2x-noise1-fp16": (18, 2, MIRRORED),
    "realcugan-se-3x-conservative-fp16": (14, 4, MIRRORED),
    "realcugan-se-4x-noise3-fp16": (19, 2, MIRRORED),
    "realcugan-pro-2x-noisenone-fp16": (18, 2, MIRRORED),
    "realcugan-pro-3x-noise3-fp16": (14, 4, MIRRORED),
}
"""Pixels, what sizes become multiples of, and how; from `main.cpp` and the shaders of waifu2x-ncnn-vulkan and
realcugan-ncnn-vulkan."""


def theirs(weights: Path, frame: np.ndarray, model: Model) -> np.ndarray:
    margin, multiple, mode = PADDING[model.id]
    scale, (height, width, _) = model.scale, frame.shape
    borders = [(margin, margin + -length % multiple) for length in (height, width)]
    padded = np.pad(frame.astype(np.float32) / 255, [*borders, (0, 0)], mode=mode)
    picture = originals.ncnn_network(weights, threads=1)(padded)[: height * scale, : width * scale]
    if scale == 4:
        # Real-CUGAN's program adds the source; see realcugan_4x_postproc.comp.
        picture = picture + np.repeat(np.repeat(frame / np.float32(255), 4, axis=0), 4, axis=1)
    return (picture.clip(0, 1) * 255).round().astype(np.uint8)


@pytest.mark.parametrize("size", [(61, 47), (40, 64)], ids=str)
@pytest.mark.parametrize("model_id", PADDING)
def test_the_picture_is_that_of_ncnn(model_id, size, tmp_path):
    model, (height, width) = REGISTRY[model_id], size
    weights = fetch(model, tmp_path)
    convert(weights, model, tmp_path / "x.safetensors")
    frame = skimage.data.astronaut()[60 : 60 + height, 200 : 200 + width]
    ours = Upscaler(tmp_path / "x.safetensors", model.sha256, outscale=model.scale).process(frame[None])[0]
    expected = theirs(weights, frame, model)
    assert expected.std() > 20, "a flat picture proves nothing"
    assert ours.shape == expected.shape
    apart = np.abs(ours.astype(int) - expected)
    assert apart.max() <= 1
    assert apart.mean() <= 0.001
