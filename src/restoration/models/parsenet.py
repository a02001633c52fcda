"""ParseNet, which tells skin, hair, cloth and 16 more parts of aligned faces apart.

After github.com/xinntao/facexlib (MIT), `parsing/parsenet.py`, itself after PSFRGAN. Names of parameters are the
official ones.
"""

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

CLASSES = 19
DEPTHS = (64, 128, 256, 256, 256)
"""Channels of the encoder, each at half of the size before; the decoder goes back."""
BODY = 10
"""Residual blocks at the smallest size."""


class Normalised(nn.Module):
    """Holds a batch normalisation under the name that the original gives it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return self.norm(x)


class Convolution(nn.Module):
    """Doubling of the size if *up*, a 3x3 convolution that halves it if *down*, and batch normalisation if *norm*."""

    def __init__(self, inside: int, outside: int, *, up: bool = False, down: bool = False, norm: bool = False) -> None:
        super().__init__()
        self.up = up
        self.conv2d = nn.Conv2d(inside, outside, 3, stride=2 if down else 1, bias=not norm)
        self.norm = Normalised(outside) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inside, h, w) to (n, outside, …)."""
        if self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return self.norm(self.conv2d(functional.pad(x, (1, 1, 1, 1), mode="reflect")))


class Residual(nn.Module):
    """Two convolutions beside a shortcut, of which one changes the size."""

    def __init__(self, inside: int, outside: int, *, up: bool = False, down: bool = False) -> None:
        super().__init__()
        plain = inside == outside and not (up or down)
        self.shortcut_func = nn.Identity() if plain else Convolution(inside, outside, up=up, down=down)
        self.conv1 = Convolution(inside, outside, up=up, norm=True)
        self.conv2 = Convolution(outside, outside, down=down, norm=True)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inside, h, w) to (n, outside, …)."""
        return self.shortcut_func(x) + self.conv2(functional.leaky_relu(self.conv1(x), 0.2))


class ParseNet(nn.Module):
    """The parser; sizes are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        steps = list(pairwise(DEPTHS))
        self.encoder = nn.Sequential(Convolution(3, DEPTHS[0]), *(Residual(a, b, down=True) for a, b in steps))
        self.body = nn.Sequential(*(Residual(DEPTHS[-1], DEPTHS[-1]) for _ in range(BODY)))
        self.decoder = nn.Sequential(*(Residual(b, a, up=True) for a, b in reversed(steps)))
        self.out_mask_conv = Convolution(DEPTHS[0], CLASSES)
        # Paints the face anew, which nobody asks for; it is part of the file.
        self.out_img_conv = Convolution(DEPTHS[0], 3)

    def forward(self, faces: Tensor) -> Tensor:
        """Aligned faces (n, 3, 512, 512), RGB in [-1, 1], to the scores of all classes (n, CLASSES, 512, 512)."""
        features = self.encoder(faces)
        return self.out_mask_conv(self.decoder(features + self.body(features)))


def from_state(state: Mapping[str, Tensor]) -> ParseNet:
    """The network of an official state dict, loaded strictly; RuntimeError names what does not fit."""
    network = ParseNet()
    network.load_state_dict(dict(state), strict=True)
    return network.eval().requires_grad_(False)
