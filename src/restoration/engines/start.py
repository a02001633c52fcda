"""Gives a network to the engine of this process. PyTorch, which takes seconds to import, waits until it is needed."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from restoration.engines.engine import Engine, Network, by_openvino, is_free_to_choose
from restoration.engines.openvino_model import UnfitError, followed, read_model, write_model
from restoration.engines.openvino_network import OpenVinoNetwork
from restoration.errors import RestorationError
from restoration.frames import Pictures

if TYPE_CHECKING:
    from torch import nn

    from restoration.models.load import Upscaling

logger = logging.getLogger(__name__)

WORTHWHILE = 10_000_000
"""Parameters from which on a job earns back the seconds that OpenVINO takes to take a network in; those of
super-resolution do with fewer, because they work at full size."""
Weights = tuple[Path, str]
"""A converted safetensors file, and the hash of its source."""


class Options(NamedTuple):
    """How an engine runs a network of super-resolution: see `Engine` and `start`.

    *quantized* is the file of the same network in 8 bits, for the precision int8.
    """

    tile: int
    overlap: int
    precision: str
    device: str
    quantized: Path | None = None


def start(network: "nn.Module", *, precision: str, device: str, enlarges: bool = False) -> Network:
    """*network*, of float pictures (n, 3, h, w), on *device* (auto, cpu, cuda, mps) in *precision* (fp32, bf16, fp16).

    One that *enlarges* is worth any preparation. Raises RestorationError where these do not go together.
    """
    from restoration.engines.torch_network import TorchNetwork, choose_device

    if precision == "int8":
        raise RestorationError(
            "precision: int8 needs a CPU, OpenVINO and a network that takes any size; use fp32 or bf16"
        )
    chosen = choose_device(device)
    by_torch = partial(TorchNetwork, network, precision=precision, device=chosen)
    small = not enlarges and sum(parameter.numel() for parameter in network.parameters()) < WORTHWHILE
    if not by_openvino(chosen.type) or (small and is_free_to_choose()):
        return by_torch()
    network_of_openvino = OpenVinoNetwork(followed(network.eval(), type(network).__name__), precision=precision)
    return _Unless(network_of_openvino, by_torch) if is_free_to_choose() else network_of_openvino


class _Unless:
    """The network *one*, unless OpenVINO cannot run it: then what *other* gives."""

    def __init__(self, one: Network, other: Callable[[], Network]) -> None:
        self.network, self.other = one, other

    def pictures(self, pictures: Pictures, *, exact: bool) -> Pictures:
        try:
            return self.network.pictures(pictures, exact=exact)
        except UnfitError as error:
            return self._instead(error).pictures(pictures, exact=exact)

    def values(self, values: NDArray[np.float32], *, exact: bool) -> NDArray[np.float32]:
        try:
            return self.network.values(values, exact=exact)
        except UnfitError as error:
            return self._instead(error).values(values, exact=exact)

    def _instead(self, error: UnfitError) -> Network:
        logger.warning("NOTICE: PyTorch runs this network: %s", error)
        self.network = self.other()
        return self.network


def upscaling_engine(
    weights: Path,
    sha256: str,
    options: Options,
    others: Mapping[Weights, float] | None = None,
) -> Engine:
    """The engine for a network of super-resolution; see `restoration.models.load.load` for the other arguments."""
    options = _settled(options)
    if not others and (engine := prepared_engine(weights, sha256, options)):
        return engine
    from restoration.models.load import load

    model = load(weights, sha256, others)
    return engine_of(model, options) if others else preparing_engine(model, weights, sha256, options)


def preparing_engine(model: "Upscaling", weights: Path, sha256: str, options: Options) -> Engine:
    """The engine for the network of super-resolution that was loaded from *weights*.

    It is prepared for OpenVINO where that was not there when the weights were fetched.
    """
    options = _settled(options)
    if options.device == "cpu" and by_openvino("cpu"):
        prepare(model, weights, sha256)
    return prepared_engine(weights, sha256, options) or engine_of(model, options)


def prepare(model: "Upscaling", weights: Path, sha256: str) -> None:
    """Keep what OpenVINO makes of the network that was loaded from *weights* beside them, unless it is there.

    Jobs then need not wait for it, nor for PyTorch.
    """
    if prepared(weights).exists():
        return
    try:
        write_model(model.network, prepared(weights), sha256, **model.about())
    except OSError as error:
        logger.warning("NOTICE: jobs turn %s into OpenVINO's network anew, because of %s", weights, error)


def _settled(options: Options) -> Options:
    """*options* with a device that is there instead of `auto`."""
    if options.device != "auto":
        return options
    from restoration.engines.torch_network import choose_device

    return options._replace(device=choose_device("auto").type)


def prepared_engine(weights: Path, sha256: str, options: Options) -> Engine | None:
    """The engine for a network that was prepared for OpenVINO, if that runs it here; else None."""
    if options.device != "cpu" or not by_openvino("cpu") or not (found := read_model(prepared(weights), sha256)):
        return None
    model_of, about = found
    quantized, _ = (options.quantized and read_model(options.quantized, sha256)) or (None, None)
    network = OpenVinoNetwork(model_of, precision=options.precision, quantized=quantized)
    return Engine(network, **about, tile=options.tile, overlap=options.overlap)


def engine_of(model: "Upscaling", options: Options) -> Engine:
    """The engine for a loaded network of super-resolution."""
    network = start(model.network, precision=options.precision, device=options.device, enlarges=True)
    return Engine(network, **model.about(), tile=options.tile, overlap=options.overlap)


def prepared(weights: Path) -> Path:
    """Where the network in *weights* lies as OpenVINO wants it."""
    return weights.with_suffix(".openvino")
