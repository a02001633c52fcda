"""The face generator of "Bringing Old Photos Back to Life" (Wan et al. 2020): SPADE (Park et al. 2019,
arXiv:1903.07291), led by the degraded face itself.

After github.com/microsoft/Bringing-Old-Photos-Back-to-Life (MIT), `Face_Enhancement/models/networks`, with its options
`--no_parsing_map --no_instance`, for inference only. Names of parameters are the official ones; spectral normalisation,
which only training needs, is folded into plain weights first.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from restoration.models.deoldify import folded

DEPTHS = {"head_0": 1024, "G_middle_0": 1024, "G_middle_1": 1024, "up_0": 512, "up_1": 256, "up_2": 128, "up_3": 64}
"""The blocks in their order, and the channels that each gives on."""
HIDDEN = 128
EDGE, USUAL_EDGE = "edge", 256
"""A tensor that holds the pixels along the faces that a network was trained with, which no other tells: those of both
official files have the same parameters. And what is taken where it is missing."""
OWN = "up_0.norm_s.mlp_gamma.weight"
"""A tensor by which the network is told from others."""
SMALLEST = 32
"""Part of the picture's edge at which it begins."""


class Spade(nn.Module):
    """Batch normalisation whose scale and offset a picture tells, place by place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.param_free_norm = nn.BatchNorm2d(channels, affine=False)
        self.mlp_shared = nn.Sequential(nn.Conv2d(3, HIDDEN, 3, padding=1), nn.ReLU())
        self.mlp_gamma, self.mlp_beta = (nn.Conv2d(HIDDEN, channels, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor, face: Tensor) -> Tensor:
        """Same shape out as *x* (n, c, h, w); *face* (n, 3, H, W)."""
        seen = self.mlp_shared(functional.interpolate(face, x.shape[2:], mode="bilinear"))
        return self.param_free_norm(x) * (1 + self.mlp_gamma(seen)) + self.mlp_beta(seen)


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is one where the number of channels changes."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv_0 = nn.Conv2d(inside, outside, 3, padding=1)
        self.conv_1 = nn.Conv2d(outside, outside, 3, padding=1)
        self.norm_0, self.norm_1 = Spade(inside), Spade(outside)
        self.changes = inside != outside
        if self.changes:
            self.conv_s, self.norm_s = nn.Conv2d(inside, outside, 1, bias=False), Spade(inside)

    def forward(self, x: Tensor, face: Tensor) -> Tensor:
        """(n, inside, h, w) to (n, outside, h, w)."""
        shortcut = self.conv_s(self.norm_s(x, face)) if self.changes else x
        x = self.conv_0(functional.leaky_relu(self.norm_0(x, face), 0.2))
        return shortcut + self.conv_1(functional.leaky_relu(self.norm_1(x, face), 0.2))


class FacePainter(nn.Module):
    """Faces, RGB (n, 3, h, w) in [-1, 1], to the same, as other generators give them: in a tuple.

    It works on faces of *edge* pixels, which larger ones become, and grow again from.
    """

    def __init__(self, edge: int) -> None:
        super().__init__()
        self.edge = edge
        first, *_, last = DEPTHS.values()
        self.fc = nn.Conv2d(3, first, 3, padding=1)
        inside = first
        for name, outside in DEPTHS.items():
            self.add_module(name, Block(inside, outside))
            inside = outside
        self.conv_img = nn.Conv2d(last, 3, 3, padding=1)

    def forward(self, faces: Tensor) -> tuple[Tensor]:
        """See above."""
        size = faces.shape[2:]
        face = functional.interpolate(faces, (self.edge, self.edge), mode="area") if size[0] != self.edge else faces
        x = self.fc(functional.interpolate(face, (self.edge // SMALLEST,) * 2, mode="bilinear"))
        for name in DEPTHS:
            # G_middle_0 and G_middle_1 work at one size.
            if name not in ("head_0", "G_middle_1"):
                x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.get_submodule(name)(x, face)
        painted = self.conv_img(functional.leaky_relu(x, 0.2)).tanh()
        return (functional.interpolate(painted, size, mode="bicubic") if size[0] != self.edge else painted,)


def from_state(state: Mapping[str, Tensor]) -> FacePainter:
    """The network of an official state dict, loaded strictly; RuntimeError or KeyError name what does not fit."""
    tensors = folded(state)
    network = FacePainter(int(tensors.pop(EDGE, torch.tensor(USUAL_EDGE))))
    network.load_state_dict(tensors, strict=True)
    return network.eval().requires_grad_(False)
