"""Networks by PyTorch, on any device."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restoration import journal
from restoration.engines.engine import NO_BF16, require_precision, threads
from restoration.engines.lease import leased_gpu
from restoration.errors import RestorationError
from restoration.frames import Pictures

logger = logging.getLogger(__name__)

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
WITHOUT_BF16 = ("DEFAULT", "AVX2")
"""What PyTorch calls processors on which bf16 is hundreds of times as slow as fp32."""


def choose_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `mps` into a device that exists, set up for this process; `auto` prefers a GPU and
    says what it took.

    Of several GPUs it is the one that this process has leased.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, there in available.items() if there)
        if name == "cpu":
            logger.warning("NOTICE: no GPU found, running on the CPU (slower, same result)")
    elif not available[name]:
        raise RestorationError(f"device: {name} was asked for but PyTorch sees none; use device: auto or cpu")
    torch.set_num_threads(threads())
    # Convolutions in TF32 would break "fp32 means fp32"; a fixed algorithm makes two runs equal.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
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


class TorchNetwork:
    """*network*, of float pictures (n, c, h, w), on *device*; see `restoration.engines.engine.Network`."""

    def __init__(self, network: nn.Module, *, precision: str, device: torch.device) -> None:
        require_precision(precision, device.type)
        if precision == "bf16" and device.type == "cpu" and torch.backends.cpu.get_cpu_capability() in WITHOUT_BF16:
            logger.warning(NO_BF16)
            precision = "fp32"
        name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
        journal.note(f"PyTorch {torch.__version__} on {device.type}{name}, {precision}")
        self.network, self.precision, self.device = network.eval().to(device), precision, device
        # StyleGAN's parameters have five dimensions.
        if all(parameter.dim() < 5 for parameter in network.parameters()):
            self.network.to(memory_format=torch.channels_last)

    def pictures(self, pictures: Pictures, *, exact: bool) -> Pictures:
        """See `restoration.engines.engine.Network`."""
        white, whole = np.iinfo(pictures.dtype).max, getattr(torch, pictures.dtype.name)
        with torch.inference_mode(), out_of_memory_as_memory_error():
            result = self._applied(self._on_device(pictures) / white, exact=exact)
            return _in_memory(result.float().clamp(0, 1).mul(white).round().to(whole))

    def values(self, values: NDArray[np.float32], *, exact: bool) -> NDArray[np.float32]:
        """See `restoration.engines.engine.Network`."""
        with torch.inference_mode(), out_of_memory_as_memory_error():
            return _in_memory(self._applied(self._on_device(values), exact=exact).float())

    def _on_device(self, values: NDArray[np.generic]) -> Tensor:
        batch = torch.from_numpy(values).to(self.device).permute(0, 3, 1, 2)
        return batch.to(torch.float32, memory_format=torch.channels_last)

    def _applied(self, pictures: Tensor, *, exact: bool) -> Tensor:
        with self._autocast(exact):
            result = cast(Tensor, self.network(pictures))
        finite = torch.isfinite(result).flatten(1).all(1)
        if not finite.all():
            raise FloatingPointError((~finite).nonzero().flatten().tolist())
        return result

    def _autocast(self, exact: bool) -> AbstractContextManager[object]:
        if exact or self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=PRECISIONS[self.precision])


def _in_memory(result: Tensor) -> NDArray[Any]:
    return result.permute(0, 2, 3, 1).cpu().numpy()
