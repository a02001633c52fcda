"""The networks of "Bringing Old Photos Back to Life" (Wan et al. 2020, arXiv:2004.09484): an autoencoder of
photographs, and what maps the features of old ones to those of good ones.

After github.com/microsoft/Bringing-Old-Photos-Back-to-Life (MIT), `Global/models`, for inference only. Names of
parameters are the official ones, so checkpoints load strictly.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 64
"""Channels of the autoencoder's features, which have a quarter of the picture's height and width."""
WIDENING, NARROWING = (FEATURES, 128, 256, 512, 512), (512, 512, 256, 128)
"""Channels between the convolutions of a mapping, before and behind its residual blocks."""
WIDTH = WIDENING[-1]
QUERIES = 1024
"""Places whose attention is held in memory at once; the result does not depend on it."""
PATCHES = (8, 4, 2)
"""Edges, in features, of the patches that the mapping for large pictures copies, one size after the other."""
MOSTLY = 0.6
"""Share of a patch's places above which, being scratched, it is replaced by another."""


def normalised(layer: nn.Module, channels: int) -> list[nn.Module]:
    """*layer*, then instance normalisation and ReLU."""
    return [layer, nn.InstanceNorm2d(channels), nn.ReLU()]


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = [
            [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels)] for _ in range(2)
        ]
        self.conv_block = nn.Sequential(*layers[0], nn.ReLU(), *layers[1])

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        return x + self.conv_block(x)


def residuals(count: int, channels: int) -> list[nn.Module]:
    """So many of them."""
    return [Residual(channels) for _ in range(count)]


class Autoencoder(nn.Module):
    """Photographs, RGB (n, 3, h, w) in [-1, 1], to features (n, FEATURES, h/4, w/4) and back."""

    def __init__(self) -> None:
        super().__init__()
        halving = [nn.Conv2d(FEATURES, FEATURES, 4, stride=2, padding=1) for _ in range(2)]
        doubling = [nn.ConvTranspose2d(FEATURES, FEATURES, 4, stride=2, padding=1) for _ in range(2)]
        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3),
            *normalised(nn.Conv2d(3, FEATURES, 7), FEATURES),
            *(layer for half in halving for layer in normalised(half, FEATURES)),
            *residuals(4, FEATURES),
        )
        self.decoder = nn.Sequential(
            *residuals(4, FEATURES),
            *(layer for double in doubling for layer in normalised(double, FEATURES)),
            *(nn.ReflectionPad2d(3), nn.Conv2d(FEATURES, 3, 7), nn.Tanh()),
        )


def widening() -> list[nn.Module]:
    """The beginning of a mapping."""
    return [layer for a, b in pairwise(WIDENING) for layer in normalised(nn.Conv2d(a, b, 3, padding=1), b)]


def narrowing() -> list[nn.Module]:
    """Its end."""
    layers = [layer for a, b in pairwise(NARROWING) for layer in normalised(nn.Conv2d(a, b, 3, padding=1), b)]
    return [*layers, nn.Conv2d(NARROWING[-1], FEATURES, 3, padding=1)]


class Fading(nn.Module):
    """The mapping against what lies over the whole picture: noise, blur, faded colours ("quality")."""

    takes_mask, multiple, dilation = False, 4, 0

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(*widening(), *residuals(6, WIDTH), *narrowing())

    def forward(self, features: Tensor) -> Tensor:
        """Same shape out as in."""
        return self.model(features)


class Scratches(nn.Module):
    """The mapping that fills scratches, too, with what it sees elsewhere in the picture."""

    takes_mask, multiple, dilation = True, 4, 0

    def __init__(self) -> None:
        super().__init__()
        self.before_NL = nn.Sequential(*widening())
        self.NL = PartialNonLocal()
        self.after_NL = nn.Sequential(*residuals(6, WIDTH), *narrowing())

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Same shape out as *features*; *mask* (n, 1, H, W) is 1 where the picture is scratched, else 0."""
        return self.after_NL(self.NL(self.before_NL(features), mask))


class LargeScratches(nn.Module):
    """The same for large pictures: it copies patches, of three sizes ("HR"). Their edges ask for multiples of 32."""

    takes_mask, multiple = True, 4 * PATCHES[0]
    dilation = 3
    """Pixels by which scratches are widened before."""

    def __init__(self) -> None:
        super().__init__()
        self.before_NL = nn.Sequential(*widening(), *residuals(2, WIDTH))
        self.NL_scale_1, self.NL_scale_2, self.NL_scale_3 = map(PatchAttention, PATCHES)
        self.res_block_1, self.res_block_2 = (nn.Sequential(*residuals(2, WIDTH)) for _ in range(2))
        self.after_NL = nn.Sequential(*residuals(2, WIDTH), *narrowing())

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """As `Scratches`."""
        x = self.res_block_1(self.NL_scale_1(self.before_NL(features), mask))
        x = self.res_block_2(self.NL_scale_2(x, mask))
        return self.after_NL(self.NL_scale_3(x, mask))


def scratched(mask: Tensor, size: torch.Size) -> Tensor:
    """*mask* at another *size*: 1 where it, interpolated, is more than 0."""
    return (functional.interpolate(mask, size, mode="bilinear") > 0).to(mask.dtype)


class PartialNonLocal(nn.Module):
    """Attention from every place to all that are not scratched; scratched ones take its result."""

    def __init__(self) -> None:
        super().__init__()
        self.g, self.W, self.theta, self.phi = (nn.Conv2d(WIDTH, WIDTH, 1) for _ in range(4))
        self.res_block = nn.Sequential(*residuals(3, WIDTH))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Same shape out as *x* (n, c, h, w)."""
        size = x.shape[2:]
        whole = (1 - scratched(mask, size)) * functional.interpolate(1 - mask, size)
        queries, keys, values = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        seen = []
        for some in queries.transpose(1, 2).split(QUERIES, dim=1):
            weights = torch.softmax(some @ keys, dim=2) * whole.flatten(2)
            seen.append(functional.normalize(weights, p=1, dim=2) @ values.transpose(1, 2))
        filled = self.res_block(self.W(torch.cat(seen, dim=1).transpose(1, 2).reshape(x.shape)))
        return whole * x + (1 - whole) * filled


class PatchAttention(nn.Module):
    """Replaces each patch of *edge* places that is mostly scratched by the most similar one that is not."""

    def __init__(self, edge: int) -> None:
        super().__init__()
        self.edge = edge
        self.res_block = nn.Sequential(*residuals(1, WIDTH))
        self.F_Combine = nn.Conv2d(2 * WIDTH + 1, WIDTH, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Same shape out as *x* (n, c, h, w), with h and w multiples of the edge."""
        size = x.shape[2:]
        mask = scratched(mask, size)
        patches = functional.unfold(self.res_block(x), self.edge, stride=self.edge)
        lost = functional.unfold(mask, self.edge, stride=self.edge).mean(dim=1) > MOSTLY
        replaced = torch.stack([_replaced(*pair) for pair in zip(patches, lost, strict=True)])
        composed = functional.fold(replaced, size, self.edge, stride=self.edge)
        return self.F_Combine(torch.cat([x, composed, mask], dim=1))


def _replaced(patches: Tensor, lost: Tensor) -> Tensor:
    """*patches* (d, n) with those that are *lost* (n,) replaced."""
    if not lost.any() or lost.all():
        return patches
    kept = patches[:, ~lost]
    likeness = functional.normalize(patches[:, lost], dim=0).T @ functional.normalize(kept, dim=0)
    result = patches.clone()
    result[:, lost] = kept[:, likeness.argmax(dim=1)]
    return result


Retouching = Fading | Scratches | LargeScratches


class Photographs(nn.Module):
    """A mapping between the encoder of one autoencoder and the decoder of another: pictures in [0, 1], RGB and, where
    the mapping takes a mask, a fourth channel that is not 0 where they are scratched, to RGB (n, 3, h, w).

    Height and width are multiples of the mapping's `multiple`, and no smaller than *minimum*.
    """

    def __init__(self, mapping: Retouching, encoder: Autoencoder, decoder: Autoencoder) -> None:
        super().__init__()
        self.mapping, self.encoder, self.decoder = mapping, encoder.encoder, decoder.decoder
        self.minimum = max(8, mapping.multiple)

    def forward(self, pictures: Tensor) -> Tensor:
        """See above."""
        if self.mapping.takes_mask:
            mask = (pictures[:, 3:] > 0).to(pictures.dtype)
            # Scratched places are white, as those were with which the networks were trained.
            white = pictures[:, :3] * (1 - mask) + mask
            features = self.mapping(self.encoder(white * 2 - 1), mask)
        else:
            features = self.mapping(self.encoder(pictures * 2 - 1))
        return (self.decoder(features) + 1) / 2


def mapping_from_state(state: Mapping[str, Tensor]) -> Retouching:
    """The mapping of an official state dict, loaded strictly; RuntimeError names what does not fit."""
    if "NL.theta.weight" in state:
        return _loaded(Scratches(), state)
    return _loaded(LargeScratches() if "NL_scale_1.F_Combine.weight" in state else Fading(), state)


def autoencoder_from_state(state: Mapping[str, Tensor]) -> Autoencoder:
    """The same for an autoencoder, both halves."""
    return _loaded(Autoencoder(), state)


N = TypeVar("N", bound=nn.Module)


def _loaded(network: N, state: Mapping[str, Tensor]) -> N:
    network.load_state_dict(dict(state), strict=True)
    return network.eval().requires_grad_(False)
