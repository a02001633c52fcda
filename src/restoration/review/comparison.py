"""Source and result side by side: the same frames of both, at one size."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, cast

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


class Pair(NamedTuple):
    """Frame *number* of the source and of the result, each as large as it is."""

    number: int
    before: Frame
    after: Frame


def write_comparison(
    source: Path, description: dict[str, Any], timeline: Timeline, restored: Path, target: Path, made_by: list[str]
) -> None:
    """Write a PNG with one row for the middle frame of each of up to three shots, evenly chosen.

    Left the source, enlarged bicubically to the result's size; right the result, labelled with what made it.
    """
    rows = []
    for pair in pairs(source, description, timeline, restored, middles(timeline)):
        labels = [f"source, frame {pair.number}", restored_by(made_by)]
        rows.append(side_by_side(*alike(pair.before, pair.after, WIDEST), labels))
    picture = np.vstack(rows)
    with atomic(target) as temporary:
        if not cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise RestorationError(f"{target}: the picture cannot be written")


def middles(timeline: Timeline) -> list[int]:
    """The middle frames of up to three shots, evenly chosen."""
    shots = timeline.shots()
    chosen = sorted({round(i * (len(shots) - 1) / max(1, MOST_SHOTS - 1)) for i in range(MOST_SHOTS)})
    return [sum(shots[i]) // 2 for i in chosen]


def pairs(
    source: Path, description: dict[str, Any], timeline: Timeline, restored: Path, numbers: Iterable[int]
) -> Iterator[Pair]:
    """The frames with these *numbers* of *source* and of what was *restored*; RestorationError where one is missing."""
    for number in numbers:
        before = plain(next(extract(source, description, timeline, number, number)))
        after = plain(read_still(restored).pixels) if is_still(restored) else _frame_at(restored, number, timeline)
        yield Pair(number, before, after)


def restored_by(made_by: list[str]) -> str:
    """The label of a result."""
    return "restored: " + (", ".join(made_by) or "no stage")


def alike(before: Frame, after: Frame, widest: int) -> tuple[Frame, Frame]:
    """Both at the size of *after*, the source enlarged bicubically, and at most *widest* pixels wide."""
    height, width = after.shape[:2]
    size = (min(width, widest), max(1, height * min(width, widest) // width))
    shrink = cv2.INTER_AREA if size[0] < width else cv2.INTER_CUBIC
    before = cast(Frame, cv2.resize(before, (width, height), interpolation=cv2.INTER_CUBIC))
    left, right = (cv2.resize(picture, size, interpolation=shrink) for picture in (before, after))
    return cast(Frame, left), cast(Frame, right)


def side_by_side(left: Frame, right: Frame, labels: list[str]) -> Frame:
    """Two pictures of one size beside each other, each under its label."""
    lines = [fitting(label, left.shape[1]) for label in labels]
    count = max(map(len, lines))
    return np.hstack([labelled(picture, text, count) for picture, text in zip((left, right), lines, strict=True)])


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


def labelled(picture: Frame, lines: list[str], count: int) -> Frame:
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
