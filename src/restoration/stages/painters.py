"""How the families of colorizers are shown a frame, and how what they answer becomes a coloured frame."""

from typing import Protocol, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from restoration.engines.engine import Engine
from restoration.engines.start import start
from restoration.frames import Frame, Frames
from restoration.models.ddcolor import DDColor
from restoration.models.deoldify import DeOldify

RENDER_BASE = 16
"""DeOldify's render factor counts in squares of this many pixels."""
DDCOLOR_SIDE = 512
"""Pixels along the edges of the square that DDColor sees."""
LIGHTNESS_ALONE = np.array([1, 0, 0], np.float32)
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Painter(Protocol):
    """Colours uint8 RGB (n, h, w, 3), whatever colours they had; *exact* and errors as `Engine`'s."""

    def __call__(self, frames: Frames, *, exact: bool = False) -> Frames:
        """Give back as many pictures of the same size, of which only the chroma counts."""
        ...


def painter(network: nn.Module, *, render_factor: int, precision: str, device: str) -> Painter:
    """The painter that *network*, of `load_colorizer`, belongs to; *render_factor* is of DeOldify's only."""
    if isinstance(network, DeOldify):
        network = InImageNetUnits(network)
    engine = Engine(start(network, precision=precision, device=device))
    match network:
        case InImageNetUnits():
            return ByDeOldify(engine, render_factor * RENDER_BASE)
        case DDColor():
            return ByDDColor(engine)
    return engine


class ByDeOldify:
    """As DeOldify's `filters.py`: the network sees the luma, stretched to a square of *side* pixels."""

    def __init__(self, engine: Engine, side: int) -> None:
        self.engine, self.side = engine, side

    def __call__(self, frames: Frames, *, exact: bool = False) -> Frames:
        """See `Painter`."""
        squares = self.engine(np.stack([gray_square(frame, self.side) for frame in frames]), exact=exact)
        size = frames.shape[2], frames.shape[1]
        stretched = (Image.fromarray(square).resize(size, Image.Resampling.BILINEAR) for square in squares)
        return np.stack([np.asarray(picture) for picture in stretched])


class ByDDColor:
    """As DDColor's `colorization_pipeline.py`: the network gives a square without a and b of CIELAB both of them.

    There, each value is repeated until the frame is filled, which shows as blocks; here they are interpolated.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(self, frames: Frames, *, exact: bool = False) -> Frames:
        """See `Painter`."""
        pictures = frames.astype(np.float32) / 255
        squares = [_lab(cv2.resize(picture, (DDCOLOR_SIDE, DDCOLOR_SIDE))) for picture in pictures]
        grays = [cv2.cvtColor(square * LIGHTNESS_ALONE, cv2.COLOR_Lab2RGB) for square in squares]
        answers = self.engine.values(np.stack(grays), exact=exact)
        return np.stack([_with_ab(picture, answer) for picture, answer in zip(pictures, answers, strict=True)])


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


def gray_square(frame: Frame, side: int) -> Frame:
    """The luma of *frame*, stretched to a square, as three equal channels."""
    return np.asarray(
        Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR).convert("L").convert("RGB")
    )


def _lab(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return cast(NDArray[np.float32], cv2.cvtColor(picture, cv2.COLOR_RGB2Lab))


def _with_ab(picture: NDArray[np.float32], chroma: NDArray[np.float32]) -> Frame:
    """*picture* (h, w, 3) in [0, 1] with another a and b, of any size, as uint8."""
    height, width = picture.shape[:2]
    lab = _lab(picture)
    lab[..., 1:] = cv2.resize(chroma, (width, height))
    return cast(Frame, np.rint(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * 255).astype(np.uint8))
