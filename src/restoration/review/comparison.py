"""Side-by-side pictures of source and result."""

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frame, plain
from restoration.media.extract import extract
from restoration.media.kind import is_still
from restoration.media.source import open_source
from restoration.media.still import read_still
from restoration.media.timeline import Timeline

MOST_SHOTS = 3
WIDEST = 960
LINE_HEIGHT = 28
"""Pixels of a line of a label."""
FONT = cv2.FONT_HERSHEY_SIMPLEX, 0.5


def write_comparison(
    source: Path, description: dict[str, Any], timeline: Timeline, restored: Path, target: Path, made_by: list[str]
) -> None:
    """Write a PNG with one row for the middle frame of each of up to three shots, evenly chosen.

    Left the source, enlarged bicubically to the result's size; right the result, labelled with what made it.
    """
    shots = timeline.shots()
    chosen = sorted({round(i * (len(shots) - 1) / max(1, MOST_SHOTS - 1)) for i in range(MOST_SHOTS)})
    rows = []
    for first, last in (shots[i] for i in chosen):
        number = (first + last) // 2
        before = plain(next(extract(source, description, timeline, number, number)))
        after = plain(read_still(restored).pixels) if is_still(restored) else _frame_at(restored, number, timeline)
        rows.append(_row(before, after, f"source, frame {number}", "restored: " + (", ".join(made_by) or "no stage")))
    picture = np.vstack(rows)
    with atomic(target) as temporary:
        if not cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise RestorationError(f"{target}: the picture cannot be written")


def _row(before: Frame, after: Frame, before_label: str, after_label: str) -> Frame:
    height, width = after.shape[:2]
    size = (min(width, WIDEST), max(1, height * min(width, WIDEST) // width))
    shrink = cv2.INTER_AREA if size[0] < width else cv2.INTER_CUBIC
    left = cv2.resize(cv2.resize(before, (width, height), interpolation=cv2.INTER_CUBIC), size, interpolation=shrink)
    right = cv2.resize(after, size, interpolation=shrink)
    lines = [fitting(label, size[0]) for label in (before_label, after_label)]
    count = max(map(len, lines))
    return np.hstack([_labelled(cast(Frame, p), text, count) for p, text in zip((left, right), lines, strict=True)])


def fitting(text: str, width: int) -> list[str]:
    """*text* broken between words into lines that fit into *width* pixels, as far as words do."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and cv2.getTextSize(longer, *FONT, 1)[0][0] > width - 16:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _labelled(picture: Frame, lines: list[str], count: int) -> Frame:
    """*picture* under a bar of *count* lines."""
    bar = np.zeros((count * LINE_HEIGHT, picture.shape[1], 3), np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(bar, line, (8, 19 + number * LINE_HEIGHT), *FONT, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([bar, picture])


def _frame_at(path: Path, number: int, timeline: Timeline) -> Frame:
    """Frame *number* of a restored video, found by its time relative to the first frame."""
    due = int(timeline.pts[number] - timeline.pts[0]) * timeline.time_base
    with open_source(path) as container:
        stream = container.streams.video[0]
        start = stream.start_time or 0
        container.seek(int(start + due / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            # Half a millisecond: Matroska rounds times to milliseconds.
            if (frame.pts - start) * stream.time_base >= due - Fraction(1, 2000):
                return cast(Frame, frame.to_ndarray(format="rgb24"))
    raise RestorationError(f"{path}: frame {number} is not there")
