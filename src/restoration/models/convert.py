"""Turns a model's file into safetensors with the official parameter names."""

import re
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from torch import Tensor

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.models import unpickle
from restoration.models.deoldify import folded
from restoration.models.load import (
    build,
    build_colorizer,
    build_detector,
    build_face_restorer,
    build_parser,
    build_recogniser,
    content_sha256,
)
from restoration.models.registry import Model

NCNN_FP16 = 0x01306B47
RRDB_NAMES = {
    r"^model\.0\.": "conv_first.",
    r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.": r"body.\1.rdb\2.conv\3.",
    r"^model\.1\.sub\.\d+\.": "conv_body.",
    r"^model\.3\.": "conv_up1.",
    r"^model\.6\.": "conv_up2.",
    r"^model\.8\.": "conv_hr.",
    r"^model\.10\.": "conv_last.",
}
"""spandrel's names (those of the first ESRGAN) to the official ones."""


def convert(source: Path, model: Model, target: Path) -> None:
    """Write the weights in *source*, a verified file of *model*'s format, to *target* as float32 safetensors.

    The metadata holds `source_sha256` and `content_sha256`, which `load` checks. Raises RestorationError when the file
    holds anything but tensors, or not exactly those of a network of the registry's scale.
    """
    readers = {
        "pth": _read_pth,
        "fastai": _read_fastai,
        "safetensors": _read_safetensors,
        "ncnn": _read_ncnn,
        "onnx": _read_onnx,
        "lightning": _read_lightning,
    }
    read = readers[model.format]
    state = {
        name: (tensor.float() if tensor.is_floating_point() else tensor).clone(memory_format=torch.contiguous_format)
        for name, tensor in read(source, model).items()
    }
    if model.format == "fastai":
        state = folded(state)
    builders = {
        "colorize": build_colorizer,
        "detect": build_detector,
        "restore_faces": build_face_restorer,
        "parse_faces": build_parser,
        "identify_faces": build_recogniser,
    }
    if model.task in builders:
        builders[model.task](state, str(source))
    elif (scale := build(state, str(source)).scale) != (model.scale or scale):
        raise RestorationError(f"{source}: the network's scale is {scale}, the registry says {model.scale}")
    metadata = {"source_sha256": model.sha256, "content_sha256": content_sha256(state)}
    with atomic(target) as temporary:
        # save_file would make it readable by its owner only, but groups share weights.
        temporary.write_bytes(save(state, metadata))


def _read_pth(source: Path, model: Model) -> Mapping[str, Tensor]:
    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except (UnpicklingError, EOFError, RuntimeError) as error:
        raise RestorationError(
            f"{source} is refused: it is no checkpoint, or holds more than tensors, which could run code ({error})"
        ) from error
    for key in ("params_ema", "params", "state_dict"):
        if isinstance(state, dict) and key in state:
            state = state[key]
            break
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise RestorationError(f"{source} is no state dict: expected tensors, or params_ema, params or state_dict")
    return state


def _read_fastai(source: Path, model: Model) -> Mapping[str, Tensor]:
    """Read what fastai's `learn.save` wrote: the tensors beside an optimizer's state."""
    return _read_inert(source, "model", "fastai")


def _read_lightning(source: Path, model: Model) -> Mapping[str, Tensor]:
    """Read what Lightning wrote in training RestoreFormer++: its tensors beside those of losses and optimizers."""
    state = _read_inert(source, "state_dict", "Lightning")
    return {name.removeprefix("vqvae."): tensor for name, tensor in state.items() if name.split(".")[0] != "loss"}


def _read_inert(source: Path, key: str, writer: str) -> Mapping[str, Tensor]:
    """Read the tensors under *key* of a pickle that holds other objects, too, of which nothing is executed."""
    try:
        saved = torch.load(source, map_location="cpu", pickle_module=unpickle, weights_only=False)
    except (UnpicklingError, EOFError, RuntimeError, AttributeError, TypeError) as error:
        raise RestorationError(f"{source} is refused: it is no checkpoint ({error})") from error
    state = saved.get(key) if isinstance(saved, dict) else None
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise RestorationError(f"{source} is no checkpoint of {writer}: expected tensors under `{key}`")
    return state


def _read_safetensors(source: Path, model: Model) -> Mapping[str, Tensor]:
    try:
        return load_file(source)
    except SafetensorError as error:
        raise RestorationError(f"{source} is no safetensors file: {error}") from error


def _read_onnx(source: Path, model: Model) -> Mapping[str, Tensor]:
    """The file's bytes as they are, for OpenCV to read: a graph can hold no code, and is no mere list of tensors."""
    return {"onnx": torch.from_numpy(np.fromfile(source, np.uint8))}


def _read_ncnn(source: Path, model: Model) -> Mapping[str, Tensor]:
    """Read an ncnn .bin: a bare sequence of arrays in the order of the state dict.

    A convolution's weights are a little-endian uint32 flag (only fp16 is read) and the values, padded to 4 bytes;
    biases and PReLU slopes are bare float32 (ncnn, src/modelbin.cpp).
    """
    data, offset = source.read_bytes(), 0
    state = {}
    for name, shape in _skeleton(model.architecture).items():
        is_weight = len(shape) == 4
        count, dtype = int(np.prod(shape)), np.dtype("<f2" if is_weight else "<f4")
        if is_weight:
            flag = int.from_bytes(data[offset : offset + 4], "little")
            if flag != NCNN_FP16:
                raise RestorationError(f"{source}: {name} has flag {flag:#x}, not {NCNN_FP16:#x} (fp16), at {offset}")
            offset += 4
        end = offset + count * dtype.itemsize
        if end > len(data):
            raise RestorationError(f"{source} ends at {len(data)}, inside {name} (bytes {offset} to {end})")
        values = np.frombuffer(data, dtype, count, offset).astype(np.float32)
        state[name] = torch.from_numpy(values.reshape(shape))
        offset = end + -end % 4
    if offset != len(data):
        raise RestorationError(f"{source}: {len(data) - offset} bytes too many for {dict(model.architecture)}")
    return state


def _skeleton(architecture: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Official names and shapes of a network's parameters, in order."""
    arguments = dict(architecture)
    name = arguments.pop("name")
    with torch.device("meta"):
        if name == "SRVGGNetCompact":
            network = Compact(**arguments)
        else:
            network = ESRGAN(num_blocks=arguments["num_block"], scale=arguments["scale"])
    return {official_name(key): tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def official_name(key: str) -> str:
    """The official name of a parameter that spandrel calls *key*."""
    for pattern, replacement in RRDB_NAMES.items():
        key = re.sub(pattern, replacement, key)
    return key
