"""New chroma under the old luma."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.frames import BT601, Frame
from restoration.media.looks import COLOURED
from restoration.media.timeline import Timeline

TO_RGB = np.array([[0, 1.140], [-0.395, -0.581], [2.032, 0]], np.float32)
"""Red, green and blue over luma, by U and V (OpenCV, COLOR_YUV2RGB)."""


def lacks_colour(timeline: Timeline, first: int, last: int, *, force: bool) -> list[bool]:
    """For each frame from *first* to *last* whether it is to be colorized: those of gray shots, or with *force* all."""
    colours = timeline.colours()[first : last + 1]
    return [force or bool(colour < COLOURED) for colour in colours]


def with_chroma(frame: Frame, chroma: NDArray[np.uint8], *, in_gamut: bool = True) -> Frame:
    """*frame* with other U and V, uint8 (height, width, 2).

    Colours beyond what RGB can show would be cut off, and their luma changed: *in_gamut* pales them until they fit.
    """
    yuv = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV)
    yuv[..., 1:] = chroma
    merged = cast(Frame, cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB))
    if not in_gamut:
        return merged
    luma = frame.astype(np.float32) @ BT601
    offsets = (chroma.astype(np.float32) - 128) @ TO_RGB.T
    shown = luma[..., None] + offsets
    beyond = ((shown < 0) | (shown > 255)).any(axis=-1)
    if beyond.any():
        light, offset = luma[beyond][:, None], offsets[beyond]
        room = np.where(offset > 0, 255 - light, light) / np.maximum(np.abs(offset), 1e-6)
        merged[beyond] = np.rint(light + np.minimum(room.min(axis=-1, keepdims=True), 1) * offset).clip(0, 255)
    return merged
