"""Source and result as one video, at the times of the timeline: side by side, with what became of it in between, or
with a border that wanders."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from restoration.frames import Frame, plain
from restoration.media.chunks import read_chunk
from restoration.media.codecs import EncodeSettings
from restoration.media.encode import encode
from restoration.media.extract import extract
from restoration.media.source import open_source
from restoration.media.timeline import Timeline
from restoration.review.comparison import WIDEST, alike, bar, restored_by, side_by_side, squared

FORMS = ("side-by-side", "stages", "wipe")
COLUMN = 640
"""Pixels of width of each picture where there are many."""
SETTINGS = EncodeSettings("h264", crf=18, preset="fast")
"""What every browser plays."""
PERIOD, REACH = 8.0, 0.45
"""Seconds in which the border of a wipe goes right and left and back, and how far from the middle, of the width."""


def write_clip(
    target: Path,
    form: str,
    source: Path,
    description: dict[str, Any],
    timeline: Timeline,
    restored: Path,
    made_by: list[str],
    *,
    trimmed: bool,
    stages: Mapping[str, Sequence[Path]] | None = None,
) -> None:
    """Write an MP4 in which each frame of *source* is seen with what was *restored* of it, with all else that the
    source holds, as `restoration.media.encode.encode` does it, which proves it whole; *form* is one of `FORMS`.
    *stages* are the chunks that show what became of it in between, by their label.

    RestorationError where frames are missing on either side.
    """
    before = map(plain, extract(source, description, timeline, 0, len(timeline.pts) - 1))
    between = [chain.from_iterable(map(read_chunk, chunks)) for chunks in (stages or {}).values()]
    widest = COLUMN if stages else WIDEST
    together = (_even(alike(row, widest)) for row in zip(before, *between, _frames(restored), strict=False))
    labels = ["source", *(stages or {}), restored_by(made_by)]
    if form == "wipe":
        times = map(float, timeline.times())
        frames = (_wiped(before, after, labels, time) for (before, after), time in zip(together, times, strict=False))
    else:
        frames = (side_by_side(pair, labels) for pair in together)
    encode(target, frames, timeline, source, description, SETTINGS, trimmed=trimmed, strict=False, mark=bool(made_by))


def border(time: float, width: int) -> int:
    """Where the border of a wipe is after *time* seconds, in pixels; it begins in the middle."""
    return round(width * (0.5 + REACH * math.sin(2 * math.pi * time / PERIOD)))


def _wiped(before: Frame, after: Frame, labels: list[str], time: float) -> Frame:
    width = after.shape[1]
    place = border(time, width)
    picture = np.hstack([before[:, :place], after[:, place:]])
    picture[:, max(0, place - 1) : place + 1] = 255
    return np.vstack([bar(labels, [width // 2, width - width // 2]), picture])


def _even(pictures: list[Frame]) -> list[Frame]:
    """*pictures* without what is odd of their height and width, as 4:2:0 and thus browsers ask for."""
    height, width = (max(2, length // 2 * 2) for length in pictures[-1].shape[:2])
    return [picture[:height, :width] for picture in pictures]


def _frames(path: Path) -> Iterator[Frame]:
    with open_source(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            yield squared(frame, stream)
