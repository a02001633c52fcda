"""Runs a network of PyTorch's by OpenVINO, which makes more of a CPU: the same numbers in fp32, sooner."""

import logging
from typing import Any

import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoNetwork:
    """*network* (float32, on the CPU, in eval mode), called with a picture tensor as it would be.

    It is compiled once for each shape of input and each precision: fixed shapes are what OpenVINO plans best for.
    Raises RuntimeError where OpenVINO does not know how to do what the network does.
    """

    def __init__(self, network: nn.Module, precision: str) -> None:
        import openvino

        self.network, self.precision = network, precision
        self._core = openvino.Core()
        self._compiled: dict[tuple[torch.Size, str], Any] = {}

    def __call__(self, pictures: Tensor, *, exact: bool = False) -> Tensor:
        """The network's answer to float32 (n, c, h, w); *exact* computes in fp32 whatever the precision is."""
        key = pictures.shape, "fp32" if exact else self.precision
        if key not in self._compiled:
            self._compiled[key] = self._compile(pictures, key[1])
        return torch.from_numpy(self._compiled[key](pictures.contiguous().numpy())[0])

    def _compile(self, pictures: Tensor, precision: str) -> Any:
        import openvino

        # Without the check, which would run the network twice more.
        with torch.inference_mode(False), torch.no_grad():
            traced = torch.jit.trace(
                self.network, pictures.clone(memory_format=torch.contiguous_format), check_trace=False
            )
        model = openvino.convert_model(traced, input=[pictures.shape])
        options = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
            # Two jobs would be pinned to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        return self._core.compile_model(model, "CPU", options)
