"""Networks by OpenVINO, which makes more of a CPU than PyTorch: the same numbers in fp32, sooner."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration import journal
from restoration.engines.engine import NO_BF16, require_precision, threads
from restoration.engines.openvino_model import require_openvino
from restoration.frames import Pictures

logger = logging.getLogger(__name__)

HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}
"""OpenVINO's names of precisions; with int8, of what was not quantized."""


class OpenVinoNetwork:
    """The network that *model_of* gives for a height and width; see `restoration.engines.engine.Network`.

    With the precision int8 it is that of *quantized*, but for what must be exact.

    It is compiled once for each size, kind of picture and precision: OpenVINO plans best for what is fixed. Pictures
    pass one by one, because threads work side by side within one.
    """

    def __init__(
        self,
        model_of: Callable[[int, int], Any],
        *,
        precision: str,
        quantized: Callable[[int, int], Any] | None = None,
    ) -> None:
        openvino = require_openvino()
        require_precision(precision, "cpu")
        self._core, self._model_of, self.precision = openvino.Core(), model_of, precision
        self._quantized = quantized or model_of
        journal.note(f"OpenVINO {openvino.__version__.partition('-')[0]} on cpu, {precision}")
        logger.info("OpenVINO %s runs the network in %s", openvino.__version__, precision)
        if precision == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            logger.warning(NO_BF16)
        self._compiled: dict[tuple[int, int, str, str], Any] = {}

    def pictures(self, pictures: Pictures, *, exact: bool) -> Pictures:
        """See `restoration.engines.engine.Network`."""
        return self._applied(pictures, exact)

    def values(self, values: NDArray[np.float32], *, exact: bool) -> NDArray[np.float32]:
        """See `restoration.engines.engine.Network`."""
        return self._applied(values.astype(np.float32, copy=False), exact)

    def _applied(self, batch: NDArray[Any], exact: bool) -> NDArray[Any]:
        precision = "fp32" if exact else self.precision
        _, height, width, _ = batch.shape
        key = height, width, batch.dtype.name, precision
        with _out_of_memory_as_memory_error():
            if key not in self._compiled:
                self._compiled[key] = self._compile(*key)
            answers = [self._compiled[key](np.ascontiguousarray(picture[None])) for picture in batch]
        if bad := [number for number, answer in enumerate(answers) if not answer[1].all()]:
            raise FloatingPointError(bad)
        return np.concatenate([answer[0] for answer in answers])

    def _compile(self, height: int, width: int, dtype: str, precision: str) -> Any:
        options = {
            "INFERENCE_PRECISION_HINT": HINTS[precision],
            "INFERENCE_NUM_THREADS": threads(),
            "PERFORMANCE_HINT": "LATENCY",
            # Two jobs would be pinned to the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        model_of = self._quantized if precision == "int8" else self._model_of
        graph = _within_memory(model_of(height, width), height, width, dtype)
        return self._core.compile_model(graph, "CPU", options)


def _within_memory(model: Any, height: int, width: int, dtype: str) -> Any:
    """*model* between pictures as they lie in memory, (1, h, w, 3) of *dtype*; its second answer: are all numbers."""
    openvino = require_openvino()
    from openvino import opset13 as ops

    model.reshape([1, 3, height, width])
    kind = openvino.Type(np.dtype(dtype))
    entry = ops.parameter([1, height, width, 3], kind)
    seen, whole = ops.convert(entry, openvino.Type.f32), np.issubdtype(np.dtype(dtype), np.integer)
    white = np.float32(np.iinfo(dtype).max if whole else 1)
    if whole:
        seen = ops.divide(seen, white)
    model.get_parameters()[0].output(0).replace(ops.transpose(seen, [0, 3, 1, 2]).output(0))
    answer = model.get_results()[0].input_value(0)
    finite = ops.reduce_logical_and(ops.is_finite(answer), [1, 2, 3], keep_dims=False)
    if whole:
        answer = ops.convert(ops.round(ops.multiply(ops.clamp(answer, 0, 1), white), "half_to_even"), kind)
    return openvino.Model([ops.transpose(answer, [0, 2, 3, 1]), finite], [entry])


@contextmanager
def _out_of_memory_as_memory_error() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "alloc" not in str(error):
            raise
        raise MemoryError(str(error)) from error
