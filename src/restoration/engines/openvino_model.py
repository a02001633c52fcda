"""Turns networks of PyTorch's into models of OpenVINO's, keeps them in files, and reads them."""

import contextlib
import hashlib
import io
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from restoration.engines.engine import padded_to
from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frames

logger = logging.getLogger(__name__)

ANY_SIZE = -1
EXAMPLE = 32, 48
"""Height and width at which a network is followed that takes any size."""
OTHERS = (43, 70), (61, 37)
"""Sizes at which it must then give what PyTorch does: without a factor in common with each other or the first."""
TOLERANCE = 1e-3
"""By which the two may differ there, of white: a quarter of a step of 255."""


class UnfitError(RestorationError):
    """OpenVINO cannot run a network that PyTorch can."""


def followed(network: Any, origin: str) -> Callable[[int, int], Any]:
    """What gives the model of *network*, of PyTorch in eval mode, for a height and width; *origin* is for messages.

    Raises UnfitError, when a size is asked for, if OpenVINO cannot run the network.
    """
    return lambda height, width: _followed(network, origin, (height, width), (height, width))


def write_model(network: Any, target: Path, source_sha256: str, **about: int) -> None:
    """Write the model of *network*, which takes any size, to *target*, with facts *about* it; among them are *multiple*
    and *minimum*, for which sizes that holds.

    *source_sha256* is the registry's hash of the file that the network comes from. If OpenVINO cannot run it, or with
    other sizes does not give what PyTorch does, *target* says that there is no model.
    """
    require_openvino()
    try:
        model = _followed(network, str(target), _fitting(EXAMPLE, **about), (ANY_SIZE, ANY_SIZE))
        _require_same(network, model, [_fitting(size, **about) for size in OTHERS])
    except UnfitError as error:
        logger.warning("NOTICE: jobs will turn this network into OpenVINO's by themselves: %s", error)
        model = None
    _write(model, target, source_sha256, about)


def write_quantized(source: Path, source_sha256: str, pictures: Frames, target: Path) -> None:
    """Write the model that `write_model` wrote to *source* to *target*, with weights and features of 8 bits, whose
    ranges are fitted to *pictures*, uint8 RGB (n, h, w, 3).

    Raises RestorationError where there is no model, or NNCF is not installed.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # progress, for people at a terminal
            import nncf
    except ImportError as error:
        raise RestorationError(
            f"precision: int8 needs NNCF ({error}): pip install nncf, or use fp32 or bf16"
        ) from error
    if not (found := read_model(source, source_sha256)):
        raise RestorationError(f"precision: int8: {source} is no network that takes any size; use fp32 or bf16")
    model_of, about = found
    batch = padded_to(pictures, about["minimum"], about["multiple"]).transpose(0, 3, 1, 2).astype(np.float32) / 255
    model = model_of(*batch.shape[2:])
    model.reshape([1, *batch.shape[1:]])
    mixed = nncf.QuantizationPreset.MIXED  # features may lie unevenly around 0
    with contextlib.redirect_stdout(io.StringIO()):
        quantized = nncf.quantize(model, nncf.Dataset(list(batch[:, None])), preset=mixed, subset_size=len(batch))
    quantized.reshape([1, 3, ANY_SIZE, ANY_SIZE])
    _write(quantized, target, source_sha256, about)


def _write(model: Any, target: Path, source_sha256: str, about: Mapping[str, int]) -> None:
    xml, weights = b"", np.empty(0, np.uint8)
    if model:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "model.xml")
            require_openvino().save_model(model, file, compress_to_fp16=False)
            xml, weights = file.read_bytes(), np.fromfile(file.with_suffix(".bin"), np.uint8)
    metadata = {"source_sha256": source_sha256, "model": xml.decode(), "about": json.dumps(about)}
    with atomic(target) as temporary:
        temporary.write_bytes(save({"weights": weights}, metadata | {"sha256": _sha256(weights, metadata)}))


def _require_same(network: Any, model: Any, sizes: Sequence[tuple[int, ...]]) -> None:
    import torch

    run = require_openvino().Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for size in sizes:
        picture = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
        try:
            answer = torch.from_numpy(run(picture.numpy())[0])
        except RuntimeError as error:
            raise UnfitError(f"OpenVINO fails with pictures of {size}: {error}") from error
        with torch.inference_mode():
            wanted = network(picture)
        if answer.shape != wanted.shape or not (answer - wanted).abs().max() <= TOLERANCE:
            raise UnfitError(f"OpenVINO gives something else with pictures of {size}")


def read_model(file: Path, source_sha256: str) -> tuple[Callable[[int, int], Any], dict[str, int]] | None:
    """What `write_model` wrote: that which gives the model for a height and width, and the facts; None: there is none.

    Raises RestorationError if a single bit of it changed.
    """
    try:
        with safe_open(file, "np") as content:
            metadata, weights = content.metadata() or {}, content.get_tensor("weights")
        if metadata.pop("sha256", "") != _sha256(weights, metadata) or metadata["source_sha256"] != source_sha256:
            raise ValueError("it is not what was written, or of other weights")
    except FileNotFoundError:
        return None
    except (SafetensorError, ValueError) as error:
        raise RestorationError(
            f"{file} is damaged ({error}). Delete the file and run again: it is made anew."
        ) from error
    if not metadata["model"]:
        return None
    openvino = require_openvino()
    model = openvino.Core().read_model(metadata["model"].encode(), openvino.Tensor(weights))
    return lambda height, width: model.clone(), json.loads(metadata["about"])


def _sha256(weights: NDArray[np.uint8], metadata: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(metadata, sort_keys=True).encode() + weights.tobytes()).hexdigest()


def _fitting(size: tuple[int, int], *, multiple: int, minimum: int, **_: int) -> tuple[int, ...]:
    return tuple(length + -length % multiple for length in np.maximum(size, minimum).tolist())


def _followed(network: Any, origin: str, example: tuple[int, ...], size: tuple[int, ...]) -> Any:
    """The model of *network* for pictures of *size*, as it handles one of the size *example*."""
    import torch

    openvino, level = require_openvino(), logging.getLogger().level
    try:
        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing is told to go; OpenVINO wants it
            # Without the check, which would run the network twice more.
            traced = torch.jit.trace(network, torch.rand(1, 3, *example), check_trace=False)  # type: ignore[no-untyped-call]
        return openvino.convert_model(traced, input=[openvino.PartialShape([1, 3, *size])])
    except MemoryError:
        raise
    except Exception as error:  # of the network's own code, PyTorch's tracing, or OpenVINO's
        raise UnfitError(f"engine: OpenVINO cannot run {origin}; use engine: torch. It says: {error}") from error
    finally:
        logging.getLogger().setLevel(level)  # which it sets for all of us


def require_openvino() -> Any:
    """The package; RestorationError where it is not installed."""
    try:
        import openvino
    except ImportError as error:
        raise RestorationError(
            f"engine: OpenVINO is not installed ({error}): pip install openvino, or use engine: torch"
        ) from error
    return openvino
