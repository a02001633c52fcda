"""Colour: networks' chroma under the original's luma (DeOldify, `filters.py`)."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import Frame, Frames
from restoration.media.looks import COLOURED
from restoration.media.timeline import Timeline
from restoration.models.load import load_colorizer
from restoration.stages.chroma import with_chroma
from restoration.stages.painters import painter

logger = logging.getLogger(__name__)


class Colorizer:
    """Stage: give frames the chroma that the networks in *weights* see in them.

    *weights* maps one or two converted safetensors files to the hashes of their sources; of two networks the chroma is
    mixed, *mix_weight* of it from the second. DeOldify's work on squares of *render_factor* · 16 pixels: low for calm
    and old, high for detailed pictures. *strength* 1 takes the networks' chroma, 0 that of the frame. *precision* is
    fp32, bf16 or fp16; *device* auto, cpu, cuda or mps. *in_gamut*: see `with_chroma`.
    """

    takes_all = False

    def __init__(
        self,
        weights: Mapping[Path, str],
        *,
        render_factor: int,
        mix_weight: float = 0.5,
        strength: float = 1.0,
        precision: str = "fp32",
        device: str = "cpu",
        in_gamut: bool = True,
    ) -> None:
        self.painters = [
            painter(load_colorizer(path, sha256), render_factor=render_factor, precision=precision, device=device)
            for path, sha256 in weights.items()
        ]
        self.mix_weight, self.strength, self.in_gamut = mix_weight, strength, in_gamut

    def process(self, frames: Frames, *, exact: bool = False) -> Frames:
        """Colour uint8 (n, h, w, 3)."""
        versions = [paint(frames, exact=exact) for paint in self.painters]
        return np.stack([self._coloured(frame, *painted) for frame, *painted in zip(frames, *versions, strict=True)])

    def shrink(self, height: int, width: int) -> bool:
        """Colours come from the whole picture: there is nothing to give."""
        return False

    def _coloured(self, frame: Frame, painted: Frame, second: Frame | None = None) -> Frame:
        chroma = _chroma(painted)
        if second is not None:
            chroma = _blend(_chroma(second), chroma, self.mix_weight)
        return with_chroma(frame, _blend(chroma, _chroma(frame), self.strength), in_gamut=self.in_gamut)


def tell_coloured(timeline: Timeline, first: int, last: int) -> None:
    """Log which shots among the frames from *first* to *last* have colour already, and how much."""
    colours = timeline.colours()
    for begin, end in timeline.shots():
        if end >= first and begin <= last and colours[begin] >= COLOURED:
            logger.warning(
                "SKIPPED: frames %d to %d have colour already (%.1f, from %.1f on) and are left alone; "
                "colorize.force colours them, too",
                begin, end, colours[begin], COLOURED,
            )  # fmt: skip


def _chroma(picture: Frame) -> NDArray[np.uint8]:
    """U and V (h, w, 2)."""
    return cast(NDArray[np.uint8], cv2.cvtColor(picture, cv2.COLOR_RGB2YUV)[..., 1:])


def _blend(new: NDArray[np.uint8], old: NDArray[np.uint8], weight: float) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], cv2.addWeighted(new, weight, old, 1 - weight, 0))
