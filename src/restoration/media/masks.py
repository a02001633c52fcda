"""Masks of what was changed in pictures: a chunk of them beside each chunk of frames, and all of a video as a video."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from restoration.files import atomic
from restoration.frames import Frame, Picture
from restoration.media.chunks import write_chunk
from restoration.media.codecs import EncodeSettings, encoder_options
from restoration.media.encode import counted
from restoration.media.timeline import Timeline

Mask = NDArray[np.uint8]
"""How much of each pixel was changed, of 255: (height, width), or (height, width, 3) by three reasons."""


def write_with_masks(
    target: Path, mask_target: Path, shown: Iterable[tuple[Picture, Mask]], *, expected: int, source: Path | None = None
) -> None:
    """Write a chunk of pictures and a chunk of their masks; *expected* ones of each, or nothing appears.

    *source* as in `write_chunk`.
    """
    masks = list[NDArray[np.uint8]]()

    def pictures() -> Iterator[Picture]:
        for picture, mask in shown:
            # They wait until the pictures are written; compressed they are small.
            masks.append(cv2.imencode(".png", mask if mask.ndim == 3 else cv2.merge([mask] * 3))[1])
            yield picture

    write_chunk(target, pictures(), expected=expected, source=source)
    decoded = (cast(Frame, cv2.imdecode(mask, cv2.IMREAD_COLOR)) for mask in masks)
    write_chunk(mask_target, decoded, expected=expected)


def write_mask(target: Path, masks: Iterable[Mask], timeline: Timeline, *, trimmed: bool) -> None:
    """Write *masks*, one for each row of *timeline*, as a gray or RGB FFV1 video; all of them, or no file.

    With the timeline's times, which begin at 0 if it is *trimmed*: those of the result.
    """
    origin = int(timeline.pts[0]) if trimmed else 0
    due = counted(masks, len(timeline.pts), target)
    first = next(due)
    written, stored = ("gray", "gray") if first.ndim == 2 else ("rgb24", "bgr0")
    with atomic(target) as temporary, av.open(temporary, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = stored
        stream.options = encoder_options(EncodeSettings("ffv1"), stream.width, stream.height)
        stream.time_base = stream.codec_context.time_base = timeline.time_base
        for pts, mask in zip(timeline.pts.tolist(), chain([first], due), strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(mask), format=written).reformat(format=stored)
            frame.pts, frame.time_base = pts - origin, timeline.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
