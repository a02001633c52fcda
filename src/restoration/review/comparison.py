"""Source and result side by side: the same frames of both, at one size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.files import atomic
from restoration.frames import Frame, plain
from restoration.media.chunks import read_chunk
from restoration.media.extract import extract
from restoration.media.kind import is_still
from restoration.media.source import open_source
from restoration.media.still import read_still
from restoration.media.timeline import Timeline
from restoration.pipeline.plan import Span
from restoration.review.moments import moments

WIDEST, MOST_WIDE = 960, 3840
"""Pixels across of one picture, and of a row of them."""
LINE_HEIGHT = 28
"""Pixels of a line of a label."""
FONT = cv2.FONT_HERSHEY_SIMPLEX, 0.5


class Pair(NamedTuple):
    """Frame *number* of the source and of the result, each as large as it is."""

    number: int
    before: Frame
    after: Frame


def write_comparison(
    source: Path,
    description: dict[str, Any],
    timeline: Timeline,
    restored: Path,
    target: Path,
    made_by: list[str],
    stages: Mapping[str, Sequence[Path]] | None = None,
    stills: Sequence[float] = (),
) -> None:
    """Write a PNG with one row for each of `restoration.review.moments.moments`.

    Left the source, enlarged bicubically to the result's size; right the result, labelled with what made it; between
    them the frame as it left each of the *stages*, by their labels, in those of their chunks that hold such frames.
    """
    stages, rows = stages or {}, []
    for pair in pairs(source, description, timeline, restored, moments(timeline, stills)):
        pictures = [pair.before, *(_frame_in(chunks, pair.number) for chunks in stages.values()), pair.after]
        labels = [f"source, frame {pair.number}", *stages, restored_by(made_by)]
        rows.append(side_by_side(alike(pictures, min(WIDEST, MOST_WIDE // len(pictures))), labels))
    picture = np.vstack(rows)
    with atomic(target) as temporary:
        if not cv2.imwrite(str(temporary), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
            raise RestorationError(f"{target}: the picture cannot be written")


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


def alike(pictures: Sequence[Frame], widest: int) -> list[Frame]:
    """All at the size of the last one, enlarged bicubically, and at most *widest* pixels wide."""
    height, width = pictures[-1].shape[:2]
    size = (min(width, widest), max(1, height * min(width, widest) // width))
    shrink = cv2.INTER_AREA if size[0] < width else cv2.INTER_CUBIC
    large = (cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC) for picture in pictures)
    return [cast(Frame, cv2.resize(picture, size, interpolation=shrink)) for picture in large]


def side_by_side(pictures: Sequence[Frame], labels: Sequence[str]) -> Frame:
    """Pictures of one size beside each other, each under its label."""
    return np.vstack([bar(labels, [picture.shape[1] for picture in pictures]), np.hstack(pictures)])


def bar(labels: Sequence[str], widths: Sequence[int]) -> Frame:
    """Labels beside each other, white on black, each in lines of its width in pixels."""
    lines = [fitting(label, width) for label, width in zip(labels, widths, strict=True)]
    height = LINE_HEIGHT * max(map(len, lines))
    parts = [np.zeros((height, width, 3), np.uint8) for width in widths]
    for part, text in zip(parts, lines, strict=True):
        for number, line in enumerate(text):
            cv2.putText(part, line, (8, 19 + number * LINE_HEIGHT), *FONT, (255, 255, 255), 1, cv2.LINE_AA)
    return np.hstack(parts)


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


def _frame_in(chunks: Sequence[Path], number: int) -> Frame:
    """Frame *number* from that of the *chunks* which holds it."""
    for chunk in chunks:
        span = Span.parse(chunk.stem)
        if span.first <= number <= span.last:
            return next(islice(read_chunk(chunk), number - span.first, None))
    raise RestorationError(f"frame {number} is in none of {', '.join(map(str, chunks))}")


def squared(decoded: av.VideoFrame, stream: VideoStream) -> Frame:
    """A *decoded* picture of *stream* as players show it: in square pixels."""
    picture = cast(Frame, decoded.to_ndarray(format="rgb24"))
    aspect, (height, width) = Fraction(stream.sample_aspect_ratio or 1), picture.shape[:2]
    if aspect == 1:
        return picture
    size = (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))
    return cast(Frame, cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC))


def _frame_at(path: Path, number: int, timeline: Timeline) -> Frame:
    """Frame *number* of a restored video, found by its time relative to the first frame."""
    due = timeline.since_first(timeline.pts[number])
    with open_source(path) as container:
        stream = container.streams.video[0]
        start = stream.start_time or 0
        container.seek(int(start + due / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            # Half a millisecond: Matroska rounds times to milliseconds.
            if (frame.pts - start) * stream.time_base >= due - Fraction(1, 2000):
                return squared(frame, stream)
    raise RestorationError(f"{path}: frame {number} is not there")
