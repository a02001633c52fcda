"""Networks for old photographs with weights by a formula, what they are shown, and what the original code made of it.

`old_photos.json` holds some numbers of each answer of the original; tests/parity/test_old_photos.py made them.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from formula import filled, picture
from restoration.models import old_photos as networks
from restoration.models import scratch_finder
from restoration.models.load import content_sha256
from restoration.models.old_photos import Autoencoder, Fading, LargeScratches, Scratches
from restoration.models.scratch_finder import ScratchFinder
from restoration.models.spade import FacePainter

GOLDEN = Path(__file__).with_suffix(".json")
NETWORKS: Mapping[str, tuple[type[nn.Module], float]] = {
    "autoencoder": (Autoencoder, 1),
    "quality": (Fading, 1),
    "scratches": (Scratches, 1),
    "large": (LargeScratches, 1),
    "finder": (ScratchFinder, 0.9),
    "faces": (lambda: FacePainter(FACE), 1),
}
"""And the gain of the formula with which their answers differ from place to place."""
MAPPINGS = ("quality", "scratches", "large")
FACE, SHORT_SIDE = 32, 64
"""Pixels along faces, and along the short side of pictures in which scratches are looked for: an eighth and a quarter
of what is usual, for speed."""
SHA256 = "0" * 64
MIN_SCORE = 0.6
"""What the finder gives in some places and not in others."""


def shapes(name: str) -> dict[str, Tensor]:
    """The tensors of an official file, as training left them, spectral norms and all; of no content."""
    with torch.device("meta"):
        found = NETWORKS[name][0]().state_dict()
    return _with_spectral_norms(found) if name == "faces" else found


@lru_cache(2)
def state(name: str) -> dict[str, Tensor]:
    """The same with weights by the formula."""
    tensors = filled(shapes(name), NETWORKS[name][1])
    if name == "faces":
        tensors["conv_img.weight"] /= 10  # or all is black or white
    return tensors


def _with_spectral_norms(shapes: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The names of the blocks' convolutions as they are in training."""
    found = dict(shapes)
    for name in [name for name in shapes if name.split(".")[-2].startswith("conv_") and name.endswith("weight")]:
        if name == "conv_img.weight":
            continue
        weight = found.pop(name)
        rows, columns = weight.flatten(1).shape
        found |= {f"{name}_orig": weight, f"{name}_u": torch.empty(rows), f"{name}_v": torch.empty(columns)}
    return found


@contextmanager
def narrow() -> Iterator[None]:
    """Meanwhile networks have few channels: for tests of what is around them."""
    state.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "WIDENING", (networks.FEATURES, 16, 16, 16, 16))
        patch.setattr(networks, "NARROWING", (16, 16, 16, 16))
        patch.setattr(networks, "WIDTH", 16)
        patch.setattr(scratch_finder, "DEPTHS", (8, 8, 8, 8, 8))
        yield
    state.cache_clear()


def shown(height: int, width: int, channels: int = 3) -> Tensor:
    """A picture (1, channels, height, width) in [-1, 1]."""
    return torch.from_numpy(picture(height, width, channels)).permute(2, 0, 1)[None] * 2 - 1


def frame(height: int = 64, width: int = 96) -> np.ndarray:
    """A frame, uint8 (height, width, 3)."""
    return np.rint(picture(height, width) * 255).clip(0, 255).astype(np.uint8)


def mask(height: int, width: int) -> Tensor:
    """A scratch and a blot, (1, 1, height, width)."""
    result = torch.zeros(1, 1, height, width)
    result[..., height // 5 : height // 5 + 3, 5:-9] = 1
    result[..., height // 2 : -4, width // 3 : -width // 4] = 1
    return result


SIZES = {"quality": (48, 64), "scratches": (48, 64), "large": (64, 96)}


def sampled(values: Tensor | np.ndarray) -> list[float]:
    """Two dozen of the numbers, spread evenly."""
    flat = np.asarray(values, np.float64).ravel()
    return [round(float(number), 5) for number in flat[:: max(1, len(flat) // 24 - 1)][:24]]


def golden() -> dict[str, list[float]]:
    """What the original answered, by network, or `flow NETWORK` for a frame that takes the whole way."""
    return json.loads(GOLDEN.read_text())


def converted(folder: Path, name: str) -> tuple[Path, str]:
    """One of them as a converted file, with the hash of its source."""
    path = folder / f"{name}.safetensors"
    if not path.exists():
        metadata = {"source_sha256": SHA256, "content_sha256": content_sha256(state(name))}
        save_file({key: tensor.contiguous() for key, tensor in state(name).items()}, path, metadata)
    return path, SHA256
