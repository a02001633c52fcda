"""Colour: a network's chroma under the original's luma (DeOldify, `filters.py`)."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from restoration.engines.torch_engine import TorchEngine
from restoration.frames import Frame, Frames
from restoration.media.looks import COLOURED
from restoration.media.timeline import Timeline
from restoration.models.deoldify import DeOldify
from restoration.models.load import load_colorizer
from restoration.stages.chroma import with_chroma

RENDER_BASE = 16
"""DeOldify's render factor counts in squares of this many pixels."""
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class InImageNetUnits(nn.Module):
    """A network of pictures normalised by ImageNet's statistics as one of pictures in [0, 1].

    The result is cut off, not rounded, to 1/255: as the original does.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(IMAGENET_DEVIATION)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to the same shape."""
        coloured = self.network((x - self.mean) / self.deviation).float() * self.deviation + self.mean
        return coloured.clamp(0, 1).mul(255).floor().div(255)


class Colorizer:
    """Stage: give frames the chroma that the network in *weights* (a converted safetensors file) sees in them.

    DeOldify's works on squares of *render_factor* · 16 pixels: low for calm and old, high for detailed pictures.
    *strength* 1 takes the network's chroma, 0 that of the frame. *precision* is fp32, bf16 or fp16; *device* auto, cpu,
    cuda or mps. *in_gamut*: see `with_chroma`.
    """

    def __init__(
        self,
        weights: Path,
        sha256: str,
        *,
        render_factor: int,
        strength: float = 1.0,
        precision: str = "fp32",
        device: str = "cpu",
        in_gamut: bool = True,
    ) -> None:
        network = load_colorizer(weights, sha256)
        self.side = render_factor * RENDER_BASE if isinstance(network, DeOldify) else None
        self.engine = TorchEngine(
            InImageNetUnits(network) if self.side else network,
            scale=1,
            multiple=1,
            tile=0,
            overlap=0,
            precision=precision,
            device=device,
        )
        self.strength, self.in_gamut = strength, in_gamut

    def process(self, frames: Frames, *, exact: bool = False) -> Frames:
        """Colour uint8 (n, h, w, 3)."""
        seen = np.stack([gray_square(frame, self.side) for frame in frames]) if self.side else frames
        pairs = zip(frames, self.engine(seen, exact=exact), strict=True)
        return np.stack([self._coloured(frame, coloured) for frame, coloured in pairs])

    def shrink(self, height: int, width: int) -> bool:
        """Colours come from the whole picture: there is nothing to give."""
        return False

    def _coloured(self, frame: Frame, coloured: Frame) -> Frame:
        height, width = frame.shape[:2]
        stretched = np.asarray(Image.fromarray(coloured).resize((width, height), Image.Resampling.BILINEAR))
        old, new = (cv2.cvtColor(picture, cv2.COLOR_RGB2YUV)[..., 1:] for picture in (frame, stretched))
        if self.strength != 1:
            new = cv2.addWeighted(new, self.strength, old, 1 - self.strength, 0)
        return with_chroma(frame, cast(NDArray[np.uint8], new), in_gamut=self.in_gamut)


def lacks_colour(timeline: Timeline, first: int, last: int, *, force: bool) -> list[bool]:
    """For each frame from *first* to *last* whether it is to be colorized: those of gray shots, or with *force* all."""
    colours = timeline.colours()[first : last + 1]
    return [force or bool(colour < COLOURED) for colour in colours]


def gray_square(frame: Frame, side: int) -> Frame:
    """The luma of *frame*, stretched to a square, as three equal channels (DeOldify, `filters.py`)."""
    return np.asarray(
        Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR).convert("L").convert("RGB")
    )
