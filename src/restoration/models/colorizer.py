"""The embedded colorizer: gives gray pictures plausible colours, small enough to ship with the code.

MobileNetV2 (Sandler et al. 2018) reads the picture, a U-Net decoder predicts for every fourth pixel how likely each of
289 colours is, as Zhang et al. 2016 ("Colorful Image Colorization") do, and their annealed mean becomes the chroma.
What it is good and bad at is in docs/embedded-colorizer.md; how it was trained in training/colorizer.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

WORKING_EDGE = 192
"""Pixels along the shorter edge of what the network sees; the scale of objects that it was trained on."""
STRIDE = 32
"""The working size is a multiple of this, so that the encoder's halvings come out even."""
GRID_STEP, GRID_REACH = 10, 80
GRID_EDGE = 2 * GRID_REACH // GRID_STEP + 1
COLOURS = GRID_EDGE**2
"""The colours that are told apart: a grid over CIELAB's a (slow) and b (fast), from -80 to 80 in steps of 10."""
GUIDE_RADIUS, GUIDE_EPSILON = 2, 1e-3
"""Of the guided filter, in cells of the predicted chroma and in squared gray; larger epsilon: softer chroma edges."""
BT709 = (0.2126, 0.7152, 0.0722)
GRAY_MEAN, GRAY_STD = 0.449, 0.226
"""ImageNet's mean and deviation, averaged over the channels."""


class Colorizer(nn.Module):
    """Predicts the CIELAB chroma (D65) of gray pictures.

    `forward` takes float (n, 1, h, w), gamma-encoded gray in [0, 1] of any size, and returns float (n, 2, h, w), a and
    b in CIELAB units, at most 80·gain each.
    """

    temperature: Tensor
    gain: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.encoder = _mobilenet_v2()
        self.local = _conv(1280, 256, 1)
        self.context = nn.Conv2d(1280, 256, 1)
        self.dropout = nn.Dropout2d(0.2)
        self.decoder = nn.ModuleList([_conv(256 + 96, 192), _conv(192 + 32, 128), _conv(128 + 24, 64)])
        self.head = nn.Sequential(_conv(64, 64), nn.Conv2d(64, COLOURS, 1))
        # Fitted after training; they travel with the weights.
        self.register_buffer("temperature", torch.tensor(0.38))
        self.register_buffer("gain", torch.tensor(1.0))

    def forward(self, gray: Tensor) -> Tensor:
        small = shrink(gray)
        chroma = self.chroma(self.logits(small))
        guide = functional.avg_pool2d(small, small.shape[2] // chroma.shape[2])
        limit = GRID_REACH * self.gain
        return torch.clamp(upsample_guided(chroma, guide, gray), -limit, limit)

    def logits(self, gray: Tensor) -> Tensor:
        """Scores (n, COLOURS, h/4, w/4) of gray (n, 1, h, w); h and w are multiples of STRIDE."""
        features, skips = (gray - GRAY_MEAN) / GRAY_STD, []
        for index, block in enumerate(self.encoder):
            features = block(features)
            if index in (3, 6, 13):  # the last blocks at 1/4, 1/8 and 1/16 of the size
                skips.append(features)
        # What the whole picture shows (a beach, a portrait) tints every place of it.
        features = self.dropout(self.local(features) + self.context(features.mean((2, 3), keepdim=True)))
        for block, skip in zip(self.decoder, reversed(skips), strict=True):
            larger = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
            features = block(torch.cat([larger, skip], 1))
        return self.head(features)

    def chroma(self, logits: Tensor) -> Tensor:
        """The annealed mean (n, 2, h, w) of scored colours (n, COLOURS, h, w): between their mean and the likeliest."""
        probabilities = functional.softmax(logits.float() / self.temperature, 1)
        return self.gain * _mix(grid(logits.device).T, probabilities)


class FrameColorizer(nn.Module):
    """Colours whole frames: float (n, 3, h, w) RGB in [0, 1] to the same; a colour input counts as its BT.709 luma.

    The result has the luma's CIELAB lightness wherever the chroma fits into sRGB beside it.
    """

    def __init__(self, network: Colorizer) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor) -> Tensor:
        gray = _mix(frames.new_tensor([BT709]), frames)
        return lab_to_rgb(torch.cat([lightness(gray), self.network(gray)], 1))


def from_state(state: Mapping[str, Tensor]) -> Colorizer:
    """The network of *state*, loaded strictly, for inference in float32; RuntimeError names what does not fit."""
    network = Colorizer()
    network.load_state_dict(dict(state), strict=True)
    return network.requires_grad_(False).eval()


def grid(device: torch.device | None = None) -> Tensor:
    """The colours that are told apart, float (COLOURS, 2): a and b."""
    axis = torch.arange(-GRID_REACH, GRID_REACH + 1, GRID_STEP, dtype=torch.float32, device=device)
    return torch.cartesian_prod(axis, axis)


def shrink(gray: Tensor) -> Tensor:
    """Bring gray (n, 1, h, w) to the size that the network works on, also when that is larger."""
    scale = WORKING_EDGE / min(gray.shape[2:])
    # Rounding distorts a picture by 8 % at most, which colours survive better than a padded border.
    size = [round(int(length) * float(scale) / STRIDE) * STRIDE for length in gray.shape[2:]]
    return functional.interpolate(gray, size, mode="bilinear", antialias=True, align_corners=False)


def upsample_guided(chroma: Tensor, small_guide: Tensor, guide: Tensor) -> Tensor:
    """Bring chroma (n, 2, h, w) to the size of *guide* (n, 1, H, W), whose edges it follows.

    The fast guided filter (He and Sun 2015): around each place chroma is a linear function of gray, fitted to
    *small_guide* (n, 1, h, w) and evaluated on *guide*.
    """

    def mean(values: Tensor) -> Tensor:
        edge = 2 * GUIDE_RADIUS + 1
        return functional.avg_pool2d(values, edge, stride=1, padding=GUIDE_RADIUS, count_include_pad=False)

    mean_gray, mean_chroma = mean(small_guide), mean(chroma)
    covariance = mean(small_guide * chroma) - mean_gray * mean_chroma
    slope = covariance / (mean(small_guide**2) - mean_gray**2 + GUIDE_EPSILON)
    coefficients = torch.cat([mean(slope), mean(mean_chroma - slope * mean_gray)], 1)
    slope, offset = functional.interpolate(coefficients, guide.shape[2:], mode="bilinear", align_corners=False).chunk(
        2, 1
    )
    return slope * guide + offset


def lightness(gray: Tensor) -> Tensor:
    """CIELAB's L in [0, 100] of gamma-encoded (sRGB, IEC 61966-2-1) gray in [0, 1]."""
    linear = torch.where(gray <= 0.04045, gray / 12.92, ((gray.clamp(min=0) + 0.055) / 1.055) ** 2.4)
    return torch.where(linear <= (6 / 29) ** 3, linear * (29 / 3) ** 3, 116 * linear.clamp(min=1e-6) ** (1 / 3) - 16)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Gamma-encoded sRGB (n, 3, h, w) in [0, 1] of CIELAB (D65) (n, 3, h, w), clipped where sRGB ends."""
    y = (lab[:, :1] + 16) / 116
    f = torch.cat([y + lab[:, 1:2] / 500, y, y - lab[:, 2:] / 200], 1)
    relative = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    xyz_to_rgb = lab.new_tensor(
        [[3.0799545, -1.5371385, -0.5428160], [-0.9212583, 1.8760108, 0.0452475], [0.0528874, -0.2040259, 1.1511385]]
    )  # for XYZ relative to the white of D65, so that the rows add up to 1
    linear = _mix(xyz_to_rgb, relative).clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-6) ** (1 / 2.4) - 0.055)


def _mix(weights: Tensor, planes: Tensor) -> Tensor:
    """Combine planes (n, c, h, w) by *weights* (d, c) to (n, d, h, w); autocast would round a matrix product."""
    return torch.stack([(row[:, None, None] * planes).sum(1) for row in weights], 1)


def _conv(inputs: int, outputs: int, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _mobilenet_v2() -> nn.Sequential:
    """The features of torchvision's MobileNetV2, with its parameter names, for one channel of input."""
    blocks: list[nn.Module] = [_bn_relu6(1, 32, 3, stride=2)]
    inputs = 32
    for expansion, outputs, count, stride in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for index in range(count):
            blocks.append(_InvertedResidual(inputs, outputs, stride if index == 0 else 1, expansion))
            inputs = outputs
    return nn.Sequential(*blocks, _bn_relu6(inputs, 1280, 1))


class _InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.conv = nn.Sequential(
            *([_bn_relu6(inputs, hidden, 1)] if expansion > 1 else []),
            _bn_relu6(hidden, hidden, 3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        return features + self.conv(features) if self.residual else self.conv(features)


def _bn_relu6(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )
