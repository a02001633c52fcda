"""Weights and pictures by a formula, the same on every machine and in every version of PyTorch: no random numbers."""

from collections.abc import Mapping
from zlib import crc32

import numpy as np
import torch
from torch import Tensor


def waves(name: str, *shape: int) -> np.ndarray:
    """Numbers in [-1, 1] that look like noise, others for each *name*, (…) of this *shape*."""
    places = np.arange(np.prod(shape, dtype=np.int64), dtype=np.float64)
    return np.sin(crc32(name.encode()) % 1009 + places * 2.399963 + np.sin(places * 0.7) * 3).reshape(shape)


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    """A picture (height, width, channels) in [0, 1], float32: slopes, a shape, and texture."""
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    planes = [0.5 + 0.3 * np.sin(5 * rows + 3 * k * columns + k) for k in range(channels)]
    return (np.stack(planes, axis=-1) + 0.15 * waves("texture", height, width, channels)).astype(np.float32)


def filled(state: Mapping[str, Tensor], gain: float = 1.7) -> dict[str, Tensor]:
    """A state dict of the same names and shapes with weights that let signals through: *gain* times waves over the root
    of the inputs of each output, statistics of batches as training leaves them, spectral norms found."""
    result = dict[str, Tensor]()
    for name, tensor in state.items():
        last, wave = name.rpartition(".")[2], waves(name, *tensor.shape)
        if last == "filt":
            numbers = np.broadcast_to(np.outer([1, 2, 1], [1, 2, 1]) / 16, tensor.shape)
        elif last == "num_batches_tracked":
            numbers = np.zeros(())
        elif last == "running_var":
            numbers = 1 + wave / 2
        elif last.startswith("weight") and tensor.dim() > 1:
            numbers = gain * wave / np.sqrt(np.prod(tensor.shape[1:]))
        else:
            numbers = (1 if last == "weight" else 0) + wave / 10
        result[name] = torch.from_numpy(np.array(numbers)).to(tensor.dtype)
    for stem in [name.removesuffix("_orig") for name in result if name.endswith("weight_orig")]:
        matrix = result[f"{stem}_orig"].flatten(1).double()
        left = torch.ones(len(matrix), dtype=torch.float64)
        for _ in range(5):
            right = torch.nn.functional.normalize(matrix.T @ left, dim=0)
            left = torch.nn.functional.normalize(matrix @ right, dim=0)
        result[f"{stem}_u"], result[f"{stem}_v"] = left.float(), right.float()
    return result
