"""What finds scratches in "Bringing Old Photos Back to Life" (Wan et al. 2020, arXiv:2004.09484): a U-Net.

After github.com/microsoft/Bringing-Old-Photos-Back-to-Life (MIT), `Global/detection_models`, for inference only. Names
of parameters are the official ones.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

DEPTHS = (64, 128, 256, 512, 1024)
"""Channels, each at half of the size before."""
STEP, SMALLEST = 16, 32
"""Pixels: what sizes are rounded to, and no side is shorter than."""


class Smaller(nn.Module):
    """Half the size by a binomial filter, against aliasing (Zhang 2019, arXiv:1904.11486)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", torch.zeros(channels, 1, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) to (n, c, h/2, w/2)."""
        padded = functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, self.get_buffer("filt"), stride=2, groups=x.shape[1])


def convolved(inside: int, outside: int) -> list[nn.Module]:
    """A 3x3 convolution with batch normalisation."""
    return [nn.ReflectionPad2d(1), nn.Conv2d(inside, outside, 3), nn.BatchNorm2d(outside), nn.LeakyReLU(0.2)]


class Down(nn.Module):
    """A step of the encoder."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.block = nn.Sequential(*convolved(inside, outside), *convolved(outside, outside))

    def forward(self, x: Tensor) -> Tensor:
        """(n, inside, h, w) to (n, outside, h, w)."""
        return self.block(x)


class Up(nn.Module):
    """A step of the decoder, which takes in what the encoder saw."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        double = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.up = nn.Sequential(double, nn.ReflectionPad2d(1), nn.Conv2d(inside, outside, 3))
        self.conv_block = Down(2 * outside, outside)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(n, inside, h, w) and (n, outside, 2h, 2w) to (n, outside, 2h, 2w)."""
        return self.conv_block(torch.cat([self.up(x), seen], dim=1))


class ScratchFinder(nn.Module):
    """Gray pictures (n, 1, h, w) in [-1, 1] to how likely each pixel is scratched, in [0, 1].

    They are looked at with *short_side* pixels along that side (0: as large as they are), rounded to multiples of STEP.
    """

    def __init__(self, short_side: int = 256) -> None:
        super().__init__()
        self.short_side = short_side
        steps = list(pairwise(DEPTHS))
        self.first = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(1, DEPTHS[0], 7), nn.LeakyReLU(0.2))
        self.down_sample = nn.ModuleList(nn.Sequential(*convolved(a, a), Smaller(a)) for a, _ in steps)
        self.down_path = nn.ModuleList(Down(a, b) for a, b in steps)
        self.up_path = nn.ModuleList(Up(b, a) for a, b in reversed(steps))
        self.last = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(DEPTHS[0], 1, 3))

    def forward(self, gray: Tensor) -> Tensor:
        """See above."""
        size = gray.shape[2:]
        factor = self.short_side / max(min(size), SMALLEST) if self.short_side else 1
        wanted = [max(SMALLEST, round(length * factor / STEP) * STEP) for length in size]
        x, seen = self.first(functional.interpolate(gray, wanted, mode="bilinear")), list[Tensor]()
        for smaller, down in zip(self.down_sample, self.down_path, strict=True):
            seen.append(x)
            x = down(smaller(x))
        for up in self.up_path:
            x = up(x, seen.pop())
        return functional.interpolate(torch.sigmoid(self.last(x)), size, mode="nearest")


def from_state(state: Mapping[str, Tensor], short_side: int = 256) -> ScratchFinder:
    """The network of an official state dict, loaded strictly; RuntimeError names what does not fit."""
    network = ScratchFinder(short_side)
    network.load_state_dict(dict(state), strict=True)
    return network.eval().requires_grad_(False)
