"""Turns a model's file into safetensors with the official parameter names."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.RealCUGAN import UpCunet2x, UpCunet3x, UpCunet4x
from torch import Tensor, nn

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.models import unpickle
from restoration.models.deoldify import folded
from restoration.models.load import (
    build,
    build_autoencoder,
    build_colorizer,
    build_detector,
    build_face_restorer,
    build_finder,
    build_mapping,
    build_parser,
    build_recogniser,
    content_sha256,
)
from restoration.models.registry import Model
from restoration.models.spade import EDGE
from restoration.models.waifu2x import CUNET, CUNet, UpConv7

NCNN_TYPES = {0: "<f4", 0x01306B47: "<f2"}
"""What the flag before an array of weights says of its numbers."""
NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "SRVGGNetCompact": Compact,
    "RRDBNet": lambda num_block, scale: ESRGAN(num_blocks=num_block, scale=scale),
    "UpConv7": UpConv7,
    "CUNet": CUNet,
    "UpCunet": lambda scale: {2: UpCunet2x, 3: UpCunet3x, 4: UpCunet4x}[scale](),
}
"""The networks that a registry can name, by the class names of their authors."""
NUNIF_CUNETS = ("waifu2x.cunet", "waifu2x.upcunet")
NUNIF = ("waifu2x.vgg_7", "waifu2x.upconv_7", *NUNIF_CUNETS)
"""The `name` in checkpoints that nunif wrote, beside the `state_dict`, of networks that are known here."""
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
    if EDGE in model.architecture:
        state[EDGE] = torch.tensor(model.architecture[EDGE])
    builders: Mapping[str, Callable[[Mapping[str, Tensor], str], object]] = {
        "colorize": build_colorizer,
        "detect": build_detector,
        "restore_faces": build_face_restorer,
        "parse_faces": build_parser,
        "identify_faces": build_recogniser,
        "retouch": build_mapping,
        "autoencode": build_autoencoder,
        "find_scratches": build_finder,
    }
    if model.task in builders:
        builders[model.task](state, str(source))
    elif (scale := build(state, str(source)).scale) != (model.scale or scale):
        raise RestorationError(f"{source}: the network's scale is {scale}, and {model.scale} is wanted")
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
    name = state.get("name") if isinstance(state, dict) and "nunif_model" in state else None
    if name and name not in NUNIF:
        raise RestorationError(f"{source} holds the network {name}; of nunif's, these are known: {', '.join(NUNIF)}")
    marks = {CUNET: torch.zeros(1)} if name in NUNIF_CUNETS else {}
    for key in ("params_ema", "params", "state_dict", "model_state"):
        if isinstance(state, dict) and key in state:
            state = state[key]
            break
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise RestorationError(
            f"{source} is no state dict: expected tensors, or params_ema, params, state_dict or model_state"
        )
    return state | marks


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

    The weights of a layer are a little-endian uint32 flag (fp16 and fp32 are read) and the values, padded to 4 bytes;
    biases and PReLU slopes are bare float32 (ncnn, src/modelbin.cpp). Layers that enlarge have their dimensions in
    ncnn's order: output, input.
    """
    arguments = dict(model.architecture)
    with torch.device("meta"):
        network = NETWORKS[arguments.pop("name")](**arguments)
    enlarging = {f"{name}.weight" for name, layer in network.named_modules() if isinstance(layer, nn.ConvTranspose2d)}
    data, offset = source.read_bytes(), 0
    # Buffers are marks, which no file of ncnn holds.
    state = {name: torch.zeros(buffer.shape) for name, buffer in network.named_buffers()}
    for key, parameter in network.named_parameters():
        name, shape, number = official_name(key), list(parameter.shape), "<f4"
        if key in enlarging:
            shape[:2] = reversed(shape[:2])
        if len(shape) == 4:
            flag = int.from_bytes(data[offset : offset + 4], "little")
            if flag not in NCNN_TYPES:
                raise RestorationError(f"{source}: {name} has flag {flag:#x}, neither fp16 nor fp32, at {offset}")
            number = NCNN_TYPES[flag]
            offset += 4
        count = parameter.numel()
        end = offset + count * np.dtype(number).itemsize
        if end > len(data):
            raise RestorationError(f"{source} ends at {len(data)}, inside {name} (bytes {offset} to {end})")
        values = torch.from_numpy(np.frombuffer(data, number, count, offset).astype(np.float32).reshape(shape))
        state[name] = values.transpose(0, 1) if key in enlarging else values
        offset = end + -end % 4
    if offset != len(data):
        raise RestorationError(f"{source}: {len(data) - offset} bytes too many for {dict(model.architecture)}")
    return state


def official_name(key: str) -> str:
    """The official name of a parameter that spandrel calls *key*."""
    for pattern, replacement in RRDB_NAMES.items():
        key = re.sub(pattern, replacement, key)
    return key
