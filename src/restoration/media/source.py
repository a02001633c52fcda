"""Decoding a source into upright, progressive, square-pixelled RGB frames with exact times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.filter import Graph
from av.video.stream import VideoStream

from restoration.errors import RestorationError
from restoration.frames import Frame
from restoration.media.reading import Reading, pulled, tolerant

EXACT_SCALING = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
"""Swscale's defaults trade chroma accuracy for speed; pictures go in and out once, so take the exact way."""
TELECINE_CYCLE = 5
JUMP = 10
"""Frames back by which time must go to be a jump rather than a mistake."""


@dataclass(frozen=True)
class DecodedFrame:
    """A picture and its place in time, in units of *time_base* seconds."""

    pts: int
    duration: int
    time_base: Fraction
    rgb: Frame


def require_file(path: Path) -> None:
    """Raise RestorationError unless there is a file with something in it."""
    if not path.exists():
        raise RestorationError(f"{path}: " + ("the link leads nowhere" if path.is_symlink() else "no such file"))
    if path.is_dir():
        raise RestorationError(f"{path}: this is a folder")
    if path.stat().st_size == 0:
        raise RestorationError(f"{path}: the file is empty")


@contextmanager
def open_source(path: Path, **options: str) -> Iterator[InputContainer]:
    """Open a media file for reading, with *options* of its demuxer; RestorationError says what is wrong with it."""
    require_file(path)
    try:
        # A bare name with a colon would be read as a protocol, one with a percent sign as a sequence of pictures.
        container = av.open(f"file:{path}", options={"pattern_type": "none", **options}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise RestorationError(f"{path}: cannot be read as video: {error.strerror or error}") from error
    with container:
        if container.format.name == "tty":
            raise RestorationError(f"{path}: this is a text file")
        yield container


class Clock:
    """Gives every decoded frame a time, strictly rising; counts what the file left out or got wrong."""

    def __init__(self, stream: VideoStream, rate: str | None) -> None:
        average = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.time_base = 1 / Fraction(rate) if rate else stream.time_base or 1 / Fraction(average)
        self.step = max(1, round(1 / (Fraction(rate or average) * self.time_base)))
        self.constant = rate is not None
        self.times: list[int] = []
        self.offset = 0
        self.invented = 0

    def time(self, frame: av.VideoFrame) -> int:
        """The pts of *frame*; one that is missing, or not later than the last, is made up and counted.

        After a jump back (a tape that was captured in parts, a transport stream's discontinuity) time goes on from
        where it was; a single wrong time is put half a step after the last, so that right ones can follow it.
        """
        said = frame.pts if frame.pts is not None else frame.dts
        last = self.times[-1] if self.times else None
        following = 0 if last is None else last + self.step
        if self.constant:
            said = following
        elif said is None:
            self.invented += 1
            said = following
        else:
            said += self.offset
            if last is not None and said <= last:
                self.invented += 1
                if last - said > JUMP * self.step:
                    self.offset += following - said
                    said = following
                else:
                    said = last + max(1, self.step // 2)
        self.times.append(said)
        return said


def decode(
    container: InputContainer, stream: VideoStream, reading: Reading, damage: list[str], clock: Clock | None = None
) -> Iterator[DecodedFrame]:
    """Yield the frames of *stream* from the container's position on, normalised as *reading* says."""
    clock = clock or Clock(stream, reading.rate)
    normalised = _normalised(tolerant(container, stream, damage), container, stream, reading, clock)
    yield from _film_times(normalised, clock) if reading.fields == "telecine" else normalised


def _normalised(
    frames: Iterator[av.VideoFrame], container: InputContainer, stream: VideoStream, reading: Reading, clock: Clock
) -> Iterator[DecodedFrame]:
    graph: Graph | None = None
    for frame in frames:
        if graph is None:
            graph = _normaliser(frame, stream, reading, clock.time_base)
            size = frame.width, frame.height, frame.format.name
        if (frame.width, frame.height, frame.format.name) != size:
            name, seconds = container.name.removeprefix("file:"), float((clock.times or [0])[-1] * clock.time_base)
            raise RestorationError(
                f"{name}: the picture changes its size or format at {seconds:.3f} s; split the file there"
            )
        frame.pts, frame.time_base = clock.time(frame), clock.time_base
        graph.vpush(frame)
        yield from _finished(graph, reading)
    if graph is not None:
        graph.vpush(None)
        yield from _finished(graph, reading)


def _film_times(frames: Iterator[DecodedFrame], clock: Clock) -> Iterator[DecodedFrame]:
    """Give film frames times between those of the five video frames that four of them were spread over.

    `decimate` only counts frames; beginnings between its ticks, and gaps, would be lost.
    """
    for count, frame in enumerate(frames):
        index, quarters = divmod(TELECINE_CYCLE * count, TELECINE_CYCLE - 1)
        before = clock.times[index]
        after = clock.times[index + 1] if index + 1 < len(clock.times) else before + clock.step
        pts = (TELECINE_CYCLE - 1) * before + quarters * (after - before)
        yield DecodedFrame(pts, TELECINE_CYCLE * clock.step, clock.time_base / (TELECINE_CYCLE - 1), frame.rgb)


def _finished(graph: Graph, reading: Reading) -> Iterator[DecodedFrame]:
    for frame in pulled(graph):
        picture = np.rot90(cast(Frame, frame.to_ndarray()), reading.rotation // 90)
        # With a rate of the user's own, durations in the file's clock mean nothing.
        duration = 0 if reading.rate else frame.duration
        yield DecodedFrame(frame.pts, duration, frame.time_base, np.ascontiguousarray(picture))


def _normaliser(frame: av.VideoFrame, stream: VideoStream, reading: Reading, time_base: Fraction) -> Graph:
    rate = Fraction(reading.rate or stream.average_rate or 25)
    graph = Graph()
    nodes = [
        graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:"
            f"time_base={time_base.numerator}/{time_base.denominator}:frame_rate={rate.numerator}/{rate.denominator}",
        )
    ]
    order = {"top": "tff", "bottom": "bff"}.get(reading.fields, "auto")
    if reading.fields == "telecine":
        nodes += [
            graph.add("fieldmatch", "combmatch=full"),
            graph.add("bwdif", "mode=send_frame:deint=interlaced"),
            graph.add("decimate", f"cycle={TELECINE_CYCLE}"),
        ]
    elif reading.fields != "progressive":
        nodes.append(graph.add("bwdif", f"mode={'send_field' if reading.double_rate else 'send_frame'}:parity={order}"))
    if reading.crop:
        nodes.append(graph.add("crop", ":".join(map(str, [*reading.crop, 0, 1]))))
    width, height = square_size(frame.width, frame.height, reading)
    colour = f"in_color_matrix={reading.matrix}:in_range={'pc' if reading.full_range else 'tv'}:out_range=pc"
    if reading.transfer != "bt709":
        colour += f":in_transfer={reading.transfer}:in_primaries=bt2020:out_transfer=bt709:out_primaries=bt709"
    nodes += [
        graph.add("scale", f"{width}:{height}:{colour}:{EXACT_SCALING}"),
        graph.add("format", "rgb24"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph


def square_size(width: int, height: int, reading: Reading) -> tuple[int, int]:
    """Width and height of a stored picture in square pixels, once cropped; one side grows, so nothing is lost."""
    if reading.crop:
        width, height = reading.crop[:2]
    aspect = Fraction(reading.sample_aspect_ratio)
    # Even, because odd pictures do not fit into 4:2:0, which is all that many players know.
    if aspect > 1:
        return 2 * round(width * aspect / 2), height
    return (width, 2 * round(height / aspect / 2)) if aspect < 1 else (width, height)
