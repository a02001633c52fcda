"""RetinaFace on ResNet-50 (Deng et al. 2020, arXiv:1905.00641): finds faces of all sizes in one look at the picture.

After github.com/xinntao/facexlib (MIT), `detection/retinaface*.py`, itself after github.com/biubug6/Pytorch_Retinaface.
Names of parameters are the official ones, so checkpoints load strictly.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet50
from torchvision.ops import nms

from restoration.frames import Frame
from restoration.models.detector import FaceDetector, Found

MEAN_BGR = (104.0, 117.0, 123.0)
"""Subtracted from pixels in [0, 255]."""
LEVELS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
"""Strides of the pyramid's levels, each with the edges of the two squares that stand on every cell; all in pixels."""
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""The network speaks of shifts and sizes in these fractions of a square."""
MOST_OVERLAP = 0.4
"""Of two boxes with a larger IoU the one of lower score is the same face. Areas are plain ones, as in facexlib 0.3,
whose `py_cpu_nms` calls torchvision: earlier versions added a pixel to each edge."""
SEEN = ("layer2", "layer3", "layer4")
"""Children of the ResNet body from whose outputs the pyramid is built."""
CHANNELS = 256


def convolution(inside: int, outside: int, size: int = 3, *, activation: bool = True) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    layers = [nn.Conv2d(inside, outside, size, padding=size // 2, bias=False), nn.BatchNorm2d(outside)]
    return nn.Sequential(*layers, *[nn.ReLU()] * activation)


class Pyramid(nn.Module):
    """Features of three sizes, the finer ones informed by the coarser (Lin et al. 2017, arXiv:1612.03144)."""

    def __init__(self) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (convolution(inside, CHANNELS, 1) for inside in (512, 1024, 2048))
        self.merge1, self.merge2 = (convolution(CHANNELS, CHANNELS) for _ in range(2))

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(n, 512, h, w), (n, 1024, h/2, w/2) and (n, 2048, h/4, w/4) to the same sizes with 256 channels."""
        coarse = self.output3(coarse)
        middle = self.output2(middle)
        middle = self.merge2(middle + functional.interpolate(coarse, middle.shape[2:], mode="nearest"))
        fine = self.output1(fine)
        return self.merge1(fine + functional.interpolate(middle, fine.shape[2:], mode="nearest")), middle, coarse


class Context(nn.Module):
    """Looks at 3, 5 and 7 pixels around each place (Najibi et al. 2017, arXiv:1708.03979)."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = CHANNELS // 2, CHANNELS // 4
        self.conv3X3 = convolution(CHANNELS, half, activation=False)
        self.conv5X5_1 = convolution(CHANNELS, quarter)
        self.conv5X5_2 = convolution(quarter, quarter, activation=False)
        self.conv7X7_2 = convolution(quarter, quarter)
        self.conv7x7_3 = convolution(quarter, quarter, activation=False)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        around = self.conv5X5_1(x)
        farther = self.conv7x7_3(self.conv7X7_2(around))
        return functional.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(around), farther], dim=1))


class Head(nn.Module):
    """*count* numbers for each square of a level."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count
        self.conv1x1 = nn.Conv2d(CHANNELS, 2 * count, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) to (n, 2hw, count)."""
        return self.conv1x1(x).permute(0, 2, 3, 1).reshape(len(x), -1, self.count)


class Raw(NamedTuple):
    """What the network says of p squares, in units of each square: boxes (n, p, 4), the probabilities (n, p) that there
    is a face, landmarks (n, p, 10)."""

    boxes: Tensor
    scores: Tensor
    landmarks: Tensor


class RetinaFace(FaceDetector):
    """The network: a ResNet-50 body, a pyramid on it, and on each of its levels context and three heads."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(OrderedDict(list(resnet50(weights=None).named_children())[:-2]))
        self.fpn = Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = (Context() for _ in LEVELS)
        self.ClassHead, self.BboxHead, self.LandmarkHead = (
            nn.ModuleList(Head(count) for _ in LEVELS) for count in (2, 4, 10)
        )
        self.register_buffer("mean", torch.tensor(MEAN_BGR)[:, None, None], persistent=False)

    def forward(self, pictures: Tensor) -> Raw:
        """Float (n, 3, h, w), BGR in [0, 255] less MEAN_BGR; squares are in the order of `squares(h, w)`."""
        features, x = list[Tensor](), pictures
        for name, layer in self.body.named_children():
            x = layer(x)
            if name in SEEN:
                features.append(x)
        levels = [
            context(level)
            for context, level in zip((self.ssh1, self.ssh2, self.ssh3), self.fpn(*features), strict=True)
        ]
        classes, boxes, landmarks = (
            torch.cat([head(level) for head, level in zip(heads, levels, strict=True)], dim=1)
            for heads in (self.ClassHead, self.BboxHead, self.LandmarkHead)
        )
        return Raw(boxes, torch.softmax(classes, dim=-1)[..., 1], landmarks)

    def find(self, frame: Frame, *, min_score: float, min_size: float) -> Found:
        """See `FaceDetector`; it looks for faces of all sizes, in the picture at its own size."""
        picture = torch.from_numpy(frame).to(self.mean.device).permute(2, 0, 1).flip(0)
        raw = self((picture.float() - self.mean)[None])
        certain = raw.scores[0] > min_score
        return decode(
            Raw(*(values[0, certain] for values in raw)), squares(*frame.shape[:2]).to(certain.device)[certain]
        )


def squares(height: int, width: int) -> Tensor:
    """The squares that stand on a picture: float (p, 3), x and y of the centre, edge, in pixels."""
    return torch.cat(
        [
            torch.cartesian_prod(
                torch.arange(-(-height // stride)) * stride + stride / 2,
                torch.arange(-(-width // stride)) * stride + stride / 2,
                torch.tensor(edges, dtype=torch.float32),
            )[:, [1, 0, 2]]
            for stride, edges in LEVELS.items()
        ]
    )


def decode(raw: Raw, places: Tensor) -> Found:
    """The faces that the network means by *raw* (m squares) about the squares *places* (m, 3), each face once."""
    centres, edges = places[:, :2], places[:, 2:]
    middles = centres + raw.boxes[:, :2] * CENTRE_VARIANCE * edges
    halves = edges * torch.exp(raw.boxes[:, 2:] * SIZE_VARIANCE) / 2
    boxes = torch.cat([middles - halves, middles + halves], dim=1)
    landmarks = centres[:, None] + raw.landmarks.view(-1, 5, 2) * CENTRE_VARIANCE * edges[:, None]
    kept = nms(boxes, raw.scores, MOST_OVERLAP)
    return Found(boxes[kept], raw.scores[kept], landmarks[kept])


def from_state(state: Mapping[str, Tensor]) -> RetinaFace:
    """The network of an official state dict, loaded strictly; RuntimeError names what does not fit."""
    network = RetinaFace()
    # The official file was saved by a network spread over several GPUs, which puts this before each name.
    network.load_state_dict({name.removeprefix("module."): tensor for name, tensor in state.items()}, strict=True)
    return network.eval().requires_grad_(False)
