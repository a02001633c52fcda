"""Runs a network of PyTorch's by OpenVINO, which makes more of a CPU: the same numbers in fp32, sooner."""

import logging
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from restoration.errors import RestorationError

logger = logging.getLogger(__name__)

HINTS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoNetwork:
    """*network* (float32, on the CPU, in eval mode), called with pictures as it would be.

    It is compiled once for each shape of them and each precision: OpenVINO plans best for fixed shapes.
    """

    def __init__(self, network: nn.Module, precision: str) -> None:
        try:
            import openvino
        except ImportError as error:
            raise RestorationError(
                f"engine: OpenVINO is not installed ({error}): pip install openvino, or use engine: torch"
            ) from error
        logger.info("%s is run by OpenVINO %s", type(network).__name__, openvino.__version__)
        self.network, self.precision = network, precision
        self._openvino, self._core = openvino, openvino.Core()
        self._compiled: dict[tuple[torch.Size, str], Any] = {}

    def __call__(self, pictures: Tensor, *, exact: bool = False) -> Tensor:
        """The network's answer, float32, to *pictures*, float32 (n, c, h, w); *exact* computes in fp32 whatever the
        precision is. RestorationError tells of a network that OpenVINO cannot run."""
        key = pictures.shape, "fp32" if exact else self.precision
        if key not in self._compiled:
            self._compiled[key] = self._compile(pictures, key[1])
        return torch.from_numpy(self._compiled[key](pictures.contiguous().numpy())[0])

    def _compile(self, pictures: Tensor, precision: str) -> Any:
        # Without the check, which would run the network twice more.
        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing is told to go; OpenVINO wants it
            example = pictures.clone(memory_format=torch.contiguous_format)
            traced = torch.jit.trace(self.network, example, check_trace=False)  # type: ignore[no-untyped-call]
        level = logging.getLogger().level
        try:
            model = self._openvino.convert_model(traced, input=[pictures.shape])
        except Exception as error:  # OpenVINO's own has no base that tells it from others
            raise RestorationError(
                f"engine: OpenVINO cannot run {type(self.network).__name__}; use engine: torch. It says: {error}"
            ) from error
        finally:
            logging.getLogger().setLevel(level)  # which it sets for all of us
        options = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "PERFORMANCE_HINT": "LATENCY",
            # Two jobs would be pinned to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        return self._core.compile_model(model, "CPU", options)
