"""DeOldify's generators without fastai: U-Nets on ResNet bodies that turn gray pictures into coloured ones.

After github.com/jantic/DeOldify (MIT): `unet.py`, `layers.py`, `generators.py` and the fastai 1 layers that they use.
Names of parameters are the official ones, so checkpoints load strictly. Spectral and weight normalisation, which only
training needs, are folded into plain weights first.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet34, resnet101

SKIPS = (2, 4, 5, 6)
"""Children of the ResNet body whose outputs the decoder takes in, the deepest first."""
ATTENTIVE = 1
"""The decoder block with self-attention."""
RANGE = 3.0
"""The output lies within ± this, in units of ImageNet's standard deviations."""


def convolution(
    inside: int, outside: int, size: int = 3, *, activation: bool = True, norm: bool = True, attention: bool = False
) -> nn.Sequential:
    """fastai's `conv_layer`: convolution, ReLU, batch normalisation, in this order, and self-attention."""
    layers: list[nn.Module] = [nn.Conv2d(inside, outside, size, padding=size // 2, bias=not norm)]
    if activation:
        layers.append(nn.ReLU())
    if norm:
        layers.append(nn.BatchNorm2d(outside))
    if attention:
        layers.append(SelfAttention(outside))
    return nn.Sequential(*layers)


class SelfAttention(nn.Module):
    """Self-attention over all places of a picture (Zhang et al. 2018, arXiv:1805.08318)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv1d(channels, channels // 8, 1, bias=False)
        self.key = nn.Conv1d(channels, channels // 8, 1, bias=False)
        self.value = nn.Conv1d(channels, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in: (n, c, h, w)."""
        flat = x.flatten(2)
        weights = torch.softmax(self.query(flat).transpose(1, 2) @ self.key(flat), dim=1)
        return (self.gamma * (self.value(flat) @ weights) + flat).view_as(x)


class Enlarge(nn.Module):
    """Pixel shuffle to twice the size, blurred against checkerboards (Sugawara et al. 2018, arXiv:1806.02658)."""

    def __init__(self, inside: int, outside: int, *, norm: bool) -> None:
        super().__init__()
        self.conv = convolution(inside, 4 * outside, 1, activation=False, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) to (n, c', 2h, 2w)."""
        x = functional.pixel_shuffle(functional.relu(self.conv(x)), 2)
        return functional.avg_pool2d(functional.pad(x, (1, 0, 1, 0), mode="replicate"), 2, stride=1)


class Block(nn.Module):
    """A step of the decoder: enlarge to *up* channels, join the encoder's *skip* channels, convolve to *outside*."""

    convolutions: tuple[str, ...]

    def __init__(self, inside: int, up: int, skip: int) -> None:
        super().__init__()
        self.shuf = Enlarge(inside, up, norm=True)
        self.bn = nn.BatchNorm2d(skip)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(n, inside, h, w) and (n, skip, H, W), about twice as large, to (n, outside, H, W)."""
        x = self.shuf(x)
        if x.shape[2:] != skip.shape[2:]:
            x = functional.interpolate(x, skip.shape[2:], mode="nearest")
        x = functional.relu(torch.cat([x, self.bn(skip)], dim=1))
        for name in self.convolutions:
            x = self.get_submodule(name)(x)
        return x


class DeepBlock(Block):
    """With two convolutions, of the artistic model."""

    convolutions = ("conv1", "conv2")

    def __init__(self, inside: int, skip: int, outside: int, *, attention: bool) -> None:
        super().__init__(inside, inside // 2, skip)
        self.conv1 = convolution(inside // 2 + skip, outside)
        self.conv2 = convolution(outside, outside, attention=attention)


class WideBlock(Block):
    """With one convolution, of the stable and the video model."""

    convolutions = ("conv",)

    def __init__(self, inside: int, skip: int, outside: int, *, attention: bool) -> None:
        super().__init__(inside, outside, skip)
        self.conv = convolution(outside + skip, outside, attention=attention)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(convolution(channels, channels, norm=False) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return x + self.layers[1](self.layers[0](x))


class DeOldify(nn.Module):
    """The generator: *wide*, on ResNet-101, for the stable and video models, else on ResNet-34 for the artistic one."""

    def __init__(self, *, wide: bool) -> None:
        super().__init__()
        body = (resnet101 if wide else resnet34)(weights=None)
        skips = (1024, 512, 256, 64) if wide else (256, 128, 64, 64)
        outside = (512, 512, 512, 256) if wide else (768, 768, 672, 300)
        deepest = 2 * skips[0]
        inside = (deepest, *outside)
        blocks = [
            (WideBlock if wide else DeepBlock)(inside[i], skips[i], outside[i], attention=i == ATTENTIVE)
            for i in range(len(skips))
        ]
        last = outside[-1] + 3
        self.layers = nn.ModuleList(
            [
                nn.Sequential(*list(body.children())[:-2]),
                nn.BatchNorm2d(deepest),
                nn.ReLU(),
                nn.Sequential(convolution(deepest, 2 * deepest), convolution(2 * deepest, deepest)),
                *blocks,
                Enlarge(outside[-1], outside[-1], norm=False),
                nn.Identity(),  # where fastai joins the input
                ResidualBlock(last),
                convolution(last, 3, 1, activation=False, norm=False),
            ]
        )

    def forward(self, gray: Tensor) -> Tensor:
        """Gray pictures (n, 3, h, w), normalised by ImageNet's statistics, to coloured ones, normalised
        likewise; height and width are even."""
        body, norm, activation, middle, *decoder, enlarge, _, residual, colours = self.layers
        features, x = list[Tensor](), gray
        for number, layer in enumerate(body.children()):
            x = layer(x)
            if number in SKIPS:
                features.append(x)
        x = middle(activation(norm(x)))
        for block in decoder:
            x = block(x, features.pop())
        x = enlarge(x)
        x = colours(residual(torch.cat([x, gray], dim=1)))
        return torch.sigmoid(x) * 2 * RANGE - RANGE


def folded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An official state dict with each normalised weight replaced by the weight that it amounts to in inference.

    Spectral normalisation divides `weight_orig` by its largest singular value, as the vectors `_u` and `_v` have found
    it (Miyato et al. 2018); weight normalisation stretches `weight_v` to the length `weight_g`.
    """
    plain = dict(state)
    for name in [name for name in state if name.endswith(".weight_orig")]:
        stem = name.removesuffix("_orig")
        weight, left, right = (plain.pop(stem + part) for part in ("_orig", "_u", "_v"))
        plain[stem] = weight / torch.dot(left, torch.mv(weight.flatten(1), right))
    for name in [name for name in plain if name.endswith(".weight_g")]:
        stem = name.removesuffix("_g")
        length, direction = plain.pop(name), plain.pop(stem + "_v")
        plain[stem] = torch._weight_norm(direction, length, 0)
    return plain


def from_state(state: Mapping[str, Tensor]) -> DeOldify:
    """The network of a `folded` state dict, loaded strictly; RuntimeError names what does not fit."""
    network = DeOldify(wide="layers.4.conv.0.weight" in state)
    network.load_state_dict(dict(state), strict=True)
    return network.eval().requires_grad_(False)
