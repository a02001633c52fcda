"""waifu2x by nagadomi (MIT): small networks that double drawings and photographs and take away JPEG's noise.

As in github.com/nagadomi/waifu2x, `lib/srcnn.lua` and `lib/reconstruct.lua`, with the parameter names of nagadomi's
nunif. The networks eat the border that they look at; before, the picture's own border is repeated outwards, as the
original and waifu2x-ncnn-vulkan do.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from spandrel.architectures.RealCUGAN import UpCunet2x
from torch import Tensor, nn
from torch.nn import functional

SEVEN = {f"net.{index}.weight" for index in range(0, 13, 2)}
CUNET = "waifu2x"
"""A tensor of no meaning that marks waifu2x's CUNet: Real-CUGAN's network for scale 2 has the same parameters, but
mirrors the picture's border. Real-CUGAN itself marks its variants so."""


class SevenConvolutions(nn.Module):
    """Six convolutions between *channels* and the *last* one: RGB (n, 3, h, w) in [0, 1] to *scale* times its size."""

    step, margin = 1, 7

    def __init__(self, scale: int, channels: Sequence[int], last: nn.Module) -> None:
        super().__init__()
        self.scale = scale
        hidden = [layer for pair in pairwise(channels) for layer in (nn.Conv2d(*pair, 3), nn.LeakyReLU(0.1))]
        self.net = nn.Sequential(*hidden, last)

    def forward(self, pictures: Tensor) -> Tensor:
        """See above."""
        return self.net(with_border(pictures, self.margin, self.step)).clamp(0, 1)


class UpConv7(SevenConvolutions):
    """The one that doubles."""

    def __init__(self) -> None:
        super().__init__(2, (3, 16, 32, 64, 128, 128, 256), nn.ConvTranspose2d(256, 3, 4, stride=2, padding=3))


class VGG7(SevenConvolutions):
    """The one that only takes noise away."""

    def __init__(self) -> None:
        super().__init__(1, (3, 32, 32, 64, 64, 128, 128), nn.Conv2d(128, 3, 3))


class CUNet(nn.Module):
    """Two U-Nets, of which the first enlarges and the second corrects: RGB (n, 3, h, w) in [0, 1] to scale 1 or 2.

    `step` is the period of its halvings, counted in pixels of the input. Its squeeze-and-excitation blocks look at the
    whole picture, so that what is far away changes every pixel a little.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.step, self.margin = {1: (4, 28), 2: (2, 18)}[scale]
        enlarging = UpCunet2x()
        self.unet1, self.unet2 = enlarging.unet1, enlarging.unet2
        if scale == 1:
            self.unet1.conv_bottom = nn.Conv2d(64, 3, 3)
        self.register_buffer(CUNET, torch.zeros(1))

    def forward(self, pictures: Tensor) -> Tensor:
        """See above."""
        height, width = pictures.shape[2:]
        # nunif clamps this to [0, 1] unless a file says `no_clip`, by its own word a misunderstanding; the original,
        # which the weights were trained in, does not, nor does ncnn.
        first = self.unet1(with_border(pictures, self.margin, self.step))
        second = first[..., 20:-20, 20:-20] + self.unet2(first)
        return second[..., : height * self.scale, : width * self.scale].clamp(0, 1)


def from_state(state: Mapping[str, Tensor]) -> SevenConvolutions | CUNet | None:
    """The network of a state dict, loaded strictly, for inference in float32; None for tensors of another kind.

    RuntimeError tells what does not fit.
    """
    if state.keys() >= SEVEN:
        network: SevenConvolutions | CUNet = UpConv7() if enlarges(state["net.12.weight"]) else VGG7()
    elif CUNET in state:
        network = CUNet(2 if enlarges(state["unet1.conv_bottom.weight"]) else 1)
    else:
        return None
    network.load_state_dict(dict(state), strict=True)
    return network.requires_grad_(False).float().eval()


def enlarges(weights: Tensor) -> bool:
    """Whether these are the weights of the layer by which the networks of scale 2 end, not of a convolution."""
    return weights.shape[-1] == 4


def with_border(pictures: Tensor, margin: int, step: int) -> Tensor:
    """Repeat the border of (n, c, h, w) *margin* pixels outwards; at bottom and right on to multiples of *step*."""
    bottom, right = (margin + -length % step for length in pictures.shape[2:])
    return functional.pad(pictures, (margin, right, margin, bottom), mode="replicate")
