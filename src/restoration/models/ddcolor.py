"""DDColor (Kang et al. 2022, arXiv:2212.11613) as spandrel's extra architectures have it."""

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class DDColor(nn.Module):
    """Gray pictures, float (n, 3, 512, 512) RGB in [0, 1], to CIELAB's a and b (n, 2, 512, 512)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, gray: Tensor) -> Tensor:
        """See above; normalises by itself."""
        return self.network(gray)


def from_state(state: Mapping[str, Tensor]) -> DDColor:
    """The network of an official state dict, loaded strictly; RuntimeError, KeyError or ValueError: it does not fit."""
    with warnings.catch_warnings():
        # The package imports all its networks, of one of which PyTorch warns: not before it is needed.
        warnings.simplefilter("ignore", FutureWarning)
        from spandrel_extra_arches.architectures.DDColor import DDColorArch
    # The network is built by a pass over random pictures: the caller's random numbers stay as they were.
    with torch.random.fork_rng(devices=[]):
        network = DDColorArch().load(dict(state)).model
    return DDColor(network).requires_grad_(False).float().eval()
