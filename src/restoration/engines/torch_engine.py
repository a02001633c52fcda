"""Runs an image-to-image network: whole numbers in, whole numbers out, nothing else across the bus.

By PyTorch, or on a CPU by OpenVINO.
"""

import importlib.util
import logging
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from restoration.engines.lease import leased_gpu
from restoration.engines.openvino_network import OpenVinoNetwork
from restoration.engines.tiles import SMALLEST_TILE, windows
from restoration.errors import RestorationError
from restoration.frames import Pictures

logger = logging.getLogger(__name__)

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `mps` into a device that exists; `auto` prefers a GPU and says what it took.

    Of several GPUs it is the one that this process has leased.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, there in available.items() if there)
        if name == "cpu":
            logger.warning("NOTICE: no GPU found, running on the CPU (slower, same result)")
    elif not available[name]:
        raise RestorationError(f"device: {name} was asked for but PyTorch sees none; use device: auto or cpu")
    return torch.device(name, leased_gpu()) if name == "cuda" else torch.device(name)


@contextmanager
def out_of_memory_as_memory_error() -> Iterator[None]:
    """Let callers catch one exception for "does not fit", whatever the device calls it."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise MemoryError(str(error)) from error
    except RuntimeError as error:
        # The CPU and Metal allocators raise a bare RuntimeError.
        if "can't allocate memory" in str(error) or "out of memory" in str(error):
            raise MemoryError(str(error)) from error
        raise


class _Process:
    engine = "torch"


def use(threads: int, engine: str = "torch") -> None:
    """Let this process use so many *threads*, and run the networks of all engines by *engine*: torch, openvino, auto.

    The last is OpenVINO where it is installed and the device is a CPU, else PyTorch.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    _Process.engine = engine


def _by_openvino(device: torch.device) -> bool:
    if _Process.engine == "auto":
        return device.type == "cpu" and importlib.util.find_spec("openvino") is not None
    if _Process.engine == "openvino" and device.type != "cpu":
        raise RestorationError(f"engine: openvino runs on the CPU, not on {device.type}; use engine: auto")
    return _Process.engine == "openvino"


class TorchEngine:
    """A network of one input and one output picture in [0, 1], applied to RGB pictures tile by tile.

    *multiple* is what height and width must be divisible by; frames are padded by reflection and the result is cropped.
    Tiles begin at multiples of *step*, too: a network that halves the picture, and pads by itself, must pair the same
    pixels in all of them.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        scale: int,
        multiple: int,
        step: int = 1,
        tile: int,
        overlap: int,
        precision: str,
        device: str,
    ) -> None:
        self.device = choose_device(device)
        if precision == "fp16" and self.device.type == "cpu":
            raise RestorationError("precision: fp16 needs a GPU; on the CPU use bf16 (fast) or fp32 (exact)")
        # Convolutions in TF32 would break "fp32 means fp32"; a fixed algorithm makes two runs equal.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
        self.network = network.eval().to(self.device)
        self.openvino = OpenVinoNetwork(self.network, precision) if _by_openvino(self.device) else None
        # StyleGAN's parameters have five dimensions.
        if not self.openvino and all(parameter.dim() < 5 for parameter in network.parameters()):
            self.network.to(memory_format=torch.channels_last)
        self.scale, self.multiple, self.step = scale, multiple, math.lcm(multiple, step)
        self.tile, self.overlap = tile, overlap
        self.precision = precision

    def halve_tile(self, height: int, width: int) -> bool:
        """Work in smaller tiles from now on; False when they are as small as is useful."""
        tile = (self.tile or max(height, width)) // 2
        if tile < SMALLEST_TILE:
            return False
        self.tile = tile
        return True

    def __call__(self, frames: Pictures, *, exact: bool = False) -> Pictures:
        """Apply the network to uint8 or uint16 (n, h, w, 3); gives the same type (n, h·scale, w·scale, 3).

        *exact* computes in fp32 whatever the precision is; pictures of 16 bits always are. Raises FloatingPointError on
        NaN or infinity (its argument is the list of the frames concerned) and MemoryError when the device's memory does
        not suffice.
        """
        exact = exact or frames.dtype == np.uint16
        with torch.inference_mode(), out_of_memory_as_memory_error():
            return self._tiled(self._channels_first(frames) / np.iinfo(frames.dtype).max, frames.dtype, exact=exact)

    def values(self, pictures: NDArray[np.generic], *, exact: bool = False) -> NDArray[np.float32]:
        """Apply the network to whole pictures of any type (n, h, w, c); gives float32 (n, h', w', c').

        For networks whose input or output is no picture in [0, 1]; *exact* and errors as above.
        """
        with torch.inference_mode(), out_of_memory_as_memory_error():
            result = self._run(self._channels_first(pictures), exact=exact)
            return cast(NDArray[np.float32], result.float().permute(0, 2, 3, 1).cpu().numpy())

    def _channels_first(self, pictures: NDArray[np.generic]) -> Tensor:
        batch = torch.from_numpy(pictures).to(self.device).permute(0, 3, 1, 2)
        return batch.to(torch.float32, memory_format=torch.channels_last)

    def _run(self, pictures: Tensor, *, exact: bool) -> Tensor:
        if self.openvino:
            result = self.openvino(pictures, exact=exact)
        else:
            with self._autocast(exact):
                result = self.network(pictures)
        finite = torch.isfinite(result).flatten(1).all(1)
        if not finite.all():
            raise FloatingPointError((~finite).nonzero().flatten().tolist())
        return result

    def _autocast(self, exact: bool) -> AbstractContextManager[object]:
        if exact or self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=PRECISIONS[self.precision])

    def _tiled(self, batch: Tensor, dtype: np.dtype[np.unsignedinteger], *, exact: bool) -> Pictures:
        count, _, height, width = batch.shape
        batch = pad_to_multiple(batch, self.multiple)
        result = np.empty((count, height * self.scale, width * self.scale, 3), dtype)
        white, whole = np.iinfo(dtype).max, getattr(torch, dtype.name)
        for row, column in windows(batch.shape[2], batch.shape[3], self.tile, self.overlap, self.step):
            window = batch[:, :, row.window_start : row.window_stop, column.window_start : column.window_stop]
            restored = self._run(window, exact=exact)
            s = self.scale
            core = restored[
                :,
                :,
                (row.core_start - row.window_start) * s : (min(row.core_stop, height) - row.window_start) * s,
                (column.core_start - column.window_start) * s : (min(column.core_stop, width) - column.window_start)
                * s,
            ]
            result[:, row.core_start * s : row.core_stop * s, column.core_start * s : column.core_stop * s] = (
                core.float().clamp(0, 1).mul(white).round().to(whole).permute(0, 2, 3, 1).cpu().numpy()
            )
        return result


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """Pad the right and bottom of (n, c, h, w) by reflection until both are multiples of *multiple*."""
    height, width = batch.shape[2:]
    bottom, right = -height % multiple, -width % multiple
    # Reflection needs more pixels than it adds; a picture a few pixels wide repeats its border.
    mode = "reflect" if bottom < height and right < width else "replicate"
    return functional.pad(batch, (0, right, 0, bottom), mode=mode) if bottom or right else batch
