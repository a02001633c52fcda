"""Colour: a network's chroma under the original's luma."""

from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from restoration.engines.torch_engine import TorchEngine
from restoration.frames import Frame, Frames
from restoration.models.load import load_colorizer

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
    """Stage: give frames the chroma that DeOldify's network in *weights* (a converted safetensors file) sees in them.

    The network works on squares of *render_factor* · 16 pixels: low for calm and old, high for detailed pictures.
    *strength* 1 takes its chroma, 0 that of the frame. *precision* is fp32, bf16 or fp16; *device* auto, cpu, cuda or
    mps.
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
    ) -> None:
        self.engine = TorchEngine(
            InImageNetUnits(load_colorizer(weights, sha256)),
            scale=1,
            multiple=1,
            tile=0,
            overlap=0,
            precision=precision,
            device=device,
        )
        self.side = render_factor * RENDER_BASE
        self.strength = strength

    def process(self, frames: Frames, *, exact: bool = False) -> Frames:
        """Colour uint8 (n, h, w, 3)."""
        coloured = self.engine(np.stack([gray_square(frame, self.side) for frame in frames]), exact=exact)
        return np.stack([with_chroma(*pair, self.strength) for pair in zip(frames, coloured, strict=True)])

    def shrink(self, height: int, width: int) -> bool:
        """A square is worked whole, or its colours would change: there is nothing to give."""
        return False


def gray_square(frame: Frame, side: int) -> Frame:
    """The luma of *frame*, stretched to a square, as three equal channels (DeOldify, `filters.py`)."""
    return np.asarray(
        Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR).convert("L").convert("RGB")
    )


def with_chroma(frame: Frame, coloured: Frame, strength: float = 1.0) -> Frame:
    """*frame* with the U and V of *coloured*, stretched to its size (DeOldify, `filters.py`)."""
    height, width = frame.shape[:2]
    stretched = np.asarray(Image.fromarray(coloured).resize((width, height), Image.Resampling.BILINEAR))
    merged, chroma = (cv2.cvtColor(picture, cv2.COLOR_RGB2YUV) for picture in (frame, stretched))
    if strength != 1:
        chroma = cv2.addWeighted(chroma, strength, merged, 1 - strength, 0)
    merged[..., 1:] = chroma[..., 1:]
    return cast(Frame, cv2.cvtColor(merged, cv2.COLOR_YUV2RGB))
