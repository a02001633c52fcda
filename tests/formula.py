"""Weights and pictures by a formula, the same on every machine and in every version of PyTorch: no random numbers."""

from collections.abc import Mapping
from zlib import crc32

import numpy as np
import torch
from torch import Tensor


def waves(name: str, *shape: int) -> np.ndarray:
    """Numbers in [-1, 1), float32 (…) of this *shape*, that look like noise, others for each *name*."""
    numbers = np.arange(np.prod(shape, dtype=np.int64), dtype=np.uint32) + np.uint32(crc32(name.encode()))
    for factor in (0x7FEB352D, 0x846CA68B):  # C. Wellons's hash "lowbias32": the bits of one number stir all others
        numbers ^= numbers >> np.uint32(16)
        numbers *= np.uint32(factor)
    numbers ^= numbers >> np.uint32(16)
    return (numbers.astype(np.float32) / np.float32(2**31) - np.float32(1)).reshape(shape)


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    """A picture (height, width, channels) in [0, 1], float32: slopes and texture."""
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    planes = [0.5 + 0.3 * np.sin(5 * rows + 3 * k * columns + k) for k in range(channels)]
    return (np.stack(planes, axis=-1) + 0.15 * waves("texture", height, width, channels)).astype(np.float32)


def filled(state: Mapping[str, Tensor], gain: float = 1) -> dict[str, Tensor]:
    """A state dict of the same names and shapes with weights that let signals through without making a chaos of them:
    *gain* times the sum of what passes each channel on and of waves; statistics of batches as training leaves them;
    spectral norms found."""
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
            numbers = gain * (_passing(tensor.shape) + wave * (0.4 / float(np.prod(tensor.shape[1:])) ** 0.5))
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


def _passing(shape: torch.Size) -> np.ndarray:
    """The weights of a layer each of whose outputs is one of its inputs, as it is at the middle of the kernel."""
    weights = np.zeros(shape, np.float32)
    outputs = np.arange(shape[0])
    rows, columns = (slice((size - 1) // 2, size // 2 + 1) for size in shape[2:])
    weights[outputs, outputs % shape[1], rows, columns] = 1 / (1 + (1 - shape[2] % 2)) ** 2
    return weights
